import subprocess
import sys

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from graphlab.ops.binary_gru import binary_gru
from graphlab.ops.kernels import use_backend
from graphlab.ops.tree_reduce_lcm import tree_reduce_lcm, tree_reduce_lcm_ref
from tests.ops.ragged import counts, elements, group_of, largest, pointer, seeds

D = 5


@pytest.fixture(params=["auto", "ref"], scope="module", autouse=True)
def backend(request):
    with use_backend(request.param):
        yield


def parameters(dtype=torch.float64, seed=0):
    generator = torch.Generator().manual_seed(seed)
    shapes = [(3 * D, D), (3 * D, D), (3 * D,), (3 * D,), (D,)]
    return [torch.randn(s, generator=generator, dtype=dtype).requires_grad_() for s in shapes]


@given(counts, st.sampled_from(["carry", "halving"]), seeds)
def test_forward_and_backward_equal_the_reference(sizes, tree, seed):
    x, weights = elements(sizes, D, seed).requires_grad_(), parameters(seed=seed)
    out, _ = tree_reduce_lcm(x, *weights, ptr=pointer(sizes), dim_size=len(sizes), tree=tree)
    ref = tree_reduce_lcm_ref(x, *weights, pointer(sizes), tree)
    assert out.shape == ref.shape and largest(out - ref) <= 1e-12
    if not sizes:
        return
    weight = torch.randn(out.shape, dtype=out.dtype)
    inputs = [x, *weights]
    found = torch.autograd.grad(out, inputs, weight)
    expected = torch.autograd.grad(ref, inputs, weight, allow_unused=True)
    for a, b in zip(found, expected, strict=True):
        assert largest(a if b is None else a - b) <= 1e-10


def test_tiles_do_not_show(monkeypatch):
    sizes = [300, 0, 7, 41]
    x, weights = elements(sizes, D, 0).requires_grad_(), parameters()

    def run():
        out, _ = tree_reduce_lcm(x, *weights, ptr=pointer(sizes), dim_size=4)
        return [out, *torch.autograd.grad(out.square().sum(), [x, *weights])]

    whole = run()
    monkeypatch.setattr(sys.modules["graphlab.ops.tree_reduce_lcm"], "TILE", 3)
    assert largest(*(a - b for a, b in zip(whole, run(), strict=True))) <= 1e-10


def test_the_combine_commutes_and_is_the_mean_of_two_cells():
    a, b = torch.randn(2, 50, D, dtype=torch.float64)
    *weights, _ = parameters()
    assert largest(binary_gru(a, b, *weights) - binary_gru(b, a, *weights)) <= 1e-14
    mean = 0.5 * (torch.gru_cell(a, b, *weights) + torch.gru_cell(b, a, *weights))
    assert largest(binary_gru(a, b, *weights) - mean) <= 1e-14


@pytest.mark.parametrize("seed", [None, torch.tensor([7])])
def test_derivatives_to_second_order_also_through_the_combines(seed):
    sizes = [0, 1, 2, 5]
    index = group_of(sizes)[torch.tensor([7, 0, 3, 1, 2, 6, 5, 4])]
    inputs = [elements(sizes, D, 3).requires_grad_(), *parameters()]
    used = sum(max(n - 1, 0) for n in sizes)

    def run(*tensors):
        out, made = tree_reduce_lcm(*tensors, index=index, dim_size=4, seed=seed)
        return out, made[:used]

    assert torch.autograd.gradcheck(run, inputs)
    assert torch.autograd.gradgradcheck(run, inputs)


def test_parts_of_a_row_are_folded_on_their_own():
    sizes = [3, 0, 4]
    x, weights = elements(sizes, 2 * D, 1), parameters()
    out, _ = tree_reduce_lcm(x, *weights, ptr=pointer(sizes), dim_size=3)
    parts = [tree_reduce_lcm_ref(p, *weights, pointer(sizes)) for p in x.split(D, 1)]
    assert largest(out - torch.cat(parts, 1)) <= 1e-12


def test_the_op_is_well_formed():
    sizes = [2, 0, 3]
    args = (elements(sizes, D, 0).requires_grad_(), *parameters(), pointer(sizes), True, 3, "carry", None, None)
    torch.library.opcheck(torch.ops.graphlab.tree_reduce_lcm, args)


def test_retained_graphs_give_the_same_gradient_twice():
    x, weights = elements([6, 2], D, 0).requires_grad_(), parameters()
    out, _ = tree_reduce_lcm(x, *weights, ptr=pointer([6, 2]), dim_size=2)
    one, two = (torch.autograd.grad(out.sum(), x, retain_graph=True)[0] for _ in range(2))
    assert one.equal(two)


HUB = """
import resource, torch
from graphlab.ops import tree_reduce_lcm
torch.set_num_threads(1)
d, nodes, hub = 8, 100_000, 10_000
index = torch.cat([torch.arange(nodes), torch.zeros(hub, dtype=torch.long)])
cell = torch.nn.GRUCell(d, d)
weights = [*cell.parameters(), torch.zeros(d)]
warm = tree_reduce_lcm(torch.randn(9, d), *weights, index=torch.zeros(9, dtype=torch.long), dim_size=1)
x = torch.randn(index.numel(), d, requires_grad=True)
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
tree_reduce_lcm(x, *weights, index=index, dim_size=nodes)[0].sum().backward()
print((resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) // 1024)
"""


def test_a_hub_costs_memory_for_its_edges_only():
    """A padded batch would hold 1e9 cells of 8 channels, 32 GB."""
    done = subprocess.run([sys.executable, "-c", HUB], capture_output=True, text=True, check=True)
    assert int(done.stdout) <= 200, f"{done.stdout.strip()} MB"


def test_tied_weights_get_the_sum_of_both_gradients_also_with_a_graph():
    x, (w, _, b, _, e) = elements([5, 2], D, 0), parameters()
    plain, again = (
        torch.autograd.grad(
            tree_reduce_lcm(x, w, w, b, b, e, ptr=pointer([5, 2]), dim_size=2)[0].square().sum(), w, create_graph=graph
        )[0]
        for graph in (False, True)
    )
    assert largest(plain - again) <= 1e-12


def test_a_width_that_holds_no_whole_parts_is_refused():
    with pytest.raises(ValueError, match=r"'x' must be a matrix with a multiple of d=5 columns, got \(8, 7\)"):
        tree_reduce_lcm(torch.randn(8, 7), *parameters(), ptr=pointer([8]), dim_size=1)
