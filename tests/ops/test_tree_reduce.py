import pytest
import torch
from hypothesis import given
from torch import nn
from torch.func import functional_call

from graphlab.ops.groups import make_groups
from graphlab.ops.tree_plan import tree_plan
from graphlab.ops.tree_reduce import fold, tree_reduce
from tests.ops.ragged import counts, elements, largest, pointer, seeds

D = 4


class Mix(nn.Module):
    """A cell that is neither commutative nor associative."""

    def __init__(self):
        super().__init__()
        self.lin = nn.Linear(2 * D, D).double()

    def forward(self, a, b):
        return torch.tanh(self.lin(torch.cat([a, b], 1)))

    def with_parameters(self, a, b, *parameters):
        return functional_call(self, dict(zip(dict(self.named_parameters()), parameters, strict=True)), (a, b))


def plan_for(sizes, **options):
    return tree_plan(make_groups(None, pointer(sizes), len(sizes), sum(sizes)), **options)


@given(counts, seeds)
def test_recomputing_changes_neither_values_nor_gradients(sizes, seed):
    x, cell, plan = elements(sizes, D, seed).requires_grad_(), Mix(), plan_for(sizes, seed=seed)
    params = list(cell.parameters())
    slots, ref = tree_reduce(x, plan, cell.with_parameters, params), fold(x, plan, cell)
    assert largest(slots - ref) <= 1e-13
    if plan.num_combines == 0:
        return
    if not sizes:
        return
    weight = torch.randn_like(ref)
    found = torch.autograd.grad(slots, [x, *params], weight)
    expected = torch.autograd.grad(ref, [x, *params], weight, allow_unused=True)
    for a, b in zip(found, expected, strict=True):
        assert largest(a if b is None else a - b) <= 1e-11


def test_second_derivatives():
    cell, plan = Mix(), plan_for([3, 0, 4])
    x = elements([3, 0, 4], D, 0).requires_grad_()
    params = list(cell.parameters())
    assert torch.autograd.gradgradcheck(lambda x, *p: tree_reduce(x, plan, cell.with_parameters, p), (x, *params))


def test_a_sum_cell_sums():
    sizes = [4, 0, 1, 6]
    x, plan = elements(sizes, D, 0), plan_for(sizes)
    out = plan.results(x, tree_reduce(x, plan, torch.add), torch.zeros(D, dtype=torch.float64))
    expected = torch.stack([part.sum(0) for part in x.split(sizes)])
    assert largest(out - expected) <= 1e-12


def test_a_cell_of_the_wrong_size_is_refused():
    with pytest.raises(ValueError, match=r"'cell' must map two states of shape \(1, 4\) .* got \(1, 8\)"):
        tree_reduce(elements([2], D, 0), plan_for([2]), lambda a, b: torch.cat([a, b], 1))
