"""What users do to an aggregator: mixed precision, inference first, views, shared weights, cells of their own."""

import pytest
import torch
from torch import nn

from graphlab.aggr import (
    GenAggAggregation,
    ProductMonoidAggregation,
    QuasiArithmeticAggregation,
    SegmentGRUAggregation,
    SegmentLSTMAggregation,
    TreeLCMAggregation,
    penalty,
)
from graphlab.ops import clear_cache
from tests.ops.ragged import largest

D = 4
CLASSES = [
    TreeLCMAggregation,
    SegmentGRUAggregation,
    SegmentLSTMAggregation,
    QuasiArithmeticAggregation,
    GenAggAggregation,
    ProductMonoidAggregation,
]
classes = pytest.mark.parametrize("cls", CLASSES, ids=lambda cls: cls.__name__)
INDEX = torch.tensor([0, 0, 2, 2, 2, 0, 1, 0])


def made(cls, *args, **options):
    torch.manual_seed(0)
    return cls(*(args or (D,)), **options).double(), torch.randn(8, D, dtype=torch.float64)


@classes
def test_asking_for_second_derivatives_does_not_change_the_first(cls):
    """Applied twice, the elements of the second call depend on the weights: no path may count twice."""
    aggr, x = made(cls)
    parameters = list(aggr.parameters())

    def loss():
        hidden = aggr(x, INDEX, dim_size=3)
        return aggr(hidden[INDEX], INDEX, dim_size=3).square().sum()

    plain = torch.autograd.grad(loss(), parameters, allow_unused=True)
    again = torch.autograd.grad(loss(), parameters, create_graph=True, allow_unused=True)
    for a, b in zip(plain, again, strict=True):
        assert (a is None) == (b is None) and (a is None or largest(a - b) <= 1e-10)


@classes
def test_training_after_inference_mode(cls):
    clear_cache()
    options = {TreeLCMAggregation: {"associativity": 0.1}, SegmentGRUAggregation: {"permutation": 0.1}}.get(cls, {})
    aggr, x = made(cls, **options)
    with torch.inference_mode():
        aggr(x, INDEX, dim_size=3)
    x.requires_grad_()
    (grad,) = torch.autograd.grad(aggr(x, INDEX, dim_size=3).sum() + penalty(aggr), x, create_graph=True)
    assert grad.isfinite().all()
    grad.square().sum().backward()


@classes
def test_autocast_gives_the_float32_result(cls):
    aggr, x = made(cls)
    aggr, x = aggr.float(), x.float().requires_grad_()
    expected = aggr(x, INDEX, dim_size=3)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        found = aggr(x, INDEX, dim_size=3)
    assert largest(found - expected) <= 1e-6
    one, two = (torch.autograd.grad(y.sum(), x)[0] for y in (found, expected))
    assert largest(one - two) <= 1e-5


@classes
def test_views_and_empty_batches(cls):
    aggr, _ = made(cls)
    x = torch.randn(16, 3, D, dtype=torch.float64)[::2]
    expected = aggr(x.contiguous(), INDEX, dim_size=3, dim=0)
    assert largest(aggr(x, INDEX, dim_size=3, dim=0) - expected) <= 1e-12
    assert aggr(x.new_empty(0, 8, D), INDEX, dim_size=3).shape == (0, 3, D)


@classes
def test_a_refused_first_input_leaves_the_sizes_open(cls):
    aggr = cls()
    with pytest.raises(ValueError, match="'index'"):
        aggr(torch.randn(3, 9), torch.tensor([0, -1, 0]), dim_size=2)
    assert aggr(torch.randn(8, D), INDEX, dim_size=3).shape == (3, D)


def test_an_input_that_cannot_be_built_for_leaves_the_sizes_open():
    aggr = QuasiArithmeticAggregation()
    with pytest.raises(ValueError, match="at least 2, got 1 and 1"):
        aggr(torch.randn(8, 1), INDEX, dim_size=3)
    assert aggr(torch.randn(8, D), INDEX, dim_size=3).shape == (3, D)


def test_a_checkpoint_does_not_overrule_an_explicit_size():
    with pytest.raises(RuntimeError, match="size mismatch"):
        TreeLCMAggregation(-1, 5).load_state_dict(TreeLCMAggregation(4).state_dict())


def test_a_weight_annealed_to_zero_leaves_no_old_penalty():
    aggr, x = made(TreeLCMAggregation, associativity=0.1)
    (aggr(x, INDEX, dim_size=3).sum() + penalty(aggr)).backward()
    aggr.associativity = 0.0
    (aggr(x, INDEX, dim_size=3).sum() + penalty(aggr)).backward()
    assert penalty(aggr) == 0.0


@pytest.mark.parametrize("number", [0, -1])
def test_a_number_of_triples_below_one_is_refused(number):
    with pytest.raises(ValueError, match="'max_triples' must be at least 1"):
        TreeLCMAggregation(4, associativity=0.1, max_triples=number)


def test_nan_is_not_hidden_by_the_largest():
    aggr, x = made(ProductMonoidAggregation, factors=("topk",))
    x[3] = torch.nan
    out = aggr(x, INDEX, dim_size=3)
    assert out[2].isnan().all() and out[:2].isfinite().all()


class Cell(nn.Module):
    """A binary cell, with dropout if asked."""

    def __init__(self, dropout=0.0):
        super().__init__()
        self.lin = nn.Linear(2 * D, D)
        self.dropout = nn.Dropout(dropout) if dropout else nn.Identity()

    def forward(self, a, b):
        return self.dropout(self.lin(torch.cat([a, b], -1)).tanh())


def test_a_cell_that_is_a_function_trains_what_it_closes_over():
    lin = nn.Linear(2 * D, D).double()
    aggr, x = made(TreeLCMAggregation, project=False, cell=lambda a, b: lin(torch.cat([a, b], -1)).tanh())
    aggr(x, INDEX, dim_size=3).sum().backward()
    assert lin.weight.grad.abs().max() > 0


def test_a_cell_keeps_its_weights_and_may_be_frozen_in_part():
    cell = Cell()
    before = cell.lin.weight.detach().clone()
    aggr = TreeLCMAggregation(D, project=False, cell=cell)
    aggr.reset_parameters()
    assert cell.lin.weight.equal(before)
    cell.lin.bias.requires_grad_(False)
    aggr(torch.randn(8, D), INDEX, dim_size=3).sum().backward()
    assert cell.lin.weight.grad.abs().max() > 0 and cell.lin.bias.grad is None


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float64])
def test_a_cell_works_in_every_precision(dtype):
    aggr = TreeLCMAggregation(D, project=False, cell=Cell()).to(dtype)
    x = torch.randn(8, D, dtype=dtype, requires_grad=True)
    out = aggr(x, INDEX, dim_size=3)
    out.float().sum().backward()
    assert out.dtype == dtype and x.grad.isfinite().all()


def test_a_cell_that_draws_gets_the_gradient_of_what_it_drew():
    aggr, x = made(TreeLCMAggregation, project=False, cell=Cell(dropout=0.5))

    def run(x):
        torch.manual_seed(1)
        return aggr(x, INDEX, dim_size=3)

    assert torch.autograd.gradcheck(run, x.requires_grad_())
