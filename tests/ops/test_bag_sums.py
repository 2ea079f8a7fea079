"""Laws of sums inside bags and of their reverse; what every op keeps is tested by the specimens."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from graphlab.ops import bag_pairs, bag_spread, bag_sums, kernels, use_backend
from tests.ops.ragged import pointer, seeds

backends = pytest.mark.parametrize("backend", ["auto", "ref"])
native = pytest.mark.skipif(bool(kernels.missing("_C")), reason="no compiled kernels")
sizes = st.lists(st.integers(0, 7), max_size=6)


def bags(sizes, num_nodes, seed):
    generator = torch.Generator().manual_seed(seed)
    lists = [torch.randperm(num_nodes, generator=generator)[:m] for m in sizes]
    node = torch.cat(lists) if lists else torch.empty(0, dtype=torch.int64)
    return lists, pointer(sizes), bag_pairs(node, pointer(sizes), num_nodes)


@backends
@given(sizes, seeds)
@settings(max_examples=20)
def test_sums_are_those_of_the_bags_matrices(backend, sizes, seed):
    lists, ptr, pairs = bags(sizes, 9, seed)
    x = torch.randn(pairs.row.numel(), 2, dtype=torch.float64)
    dense = x.new_zeros(9, 9, 2)
    dense[pairs.row, pairs.col] = x
    with use_backend(backend):
        got = bag_sums(x, ptr, pairs.pair)
    squares = [dense[nodes[:, None], nodes] for nodes in lists]
    wanted = [torch.cat([s.diagonal().T, s.sum(1), s.sum(0)], 1) for s in squares]
    assert torch.allclose(got, torch.cat([x.new_empty(0, 6), *wanted]), atol=1e-12)


@backends
@given(sizes, seeds)
@settings(max_examples=20)
def test_spreading_is_the_adjoint_of_summing(backend, sizes, seed):
    _, ptr, pairs = bags(sizes, 9, seed)
    x, scale = torch.randn(pairs.row.numel(), 3, dtype=torch.float64), torch.rand(pairs.row.numel())
    y, weight = torch.randn(sum(sizes), 9, dtype=torch.float64), torch.randn(len(sizes), 3)
    with use_backend(backend):
        sums = bag_sums(x, ptr, pairs.pair, weight, scale)
        spread = bag_spread(y, ptr, pairs.pair, x.size(0), weight, scale)
    assert torch.allclose((sums * y).sum(), (x * spread).sum(), atol=1e-10)


@native
@pytest.mark.parametrize("channels", [1, 5, 16, 23, 70])
@pytest.mark.parametrize("dtype", [torch.float64, torch.float32, torch.bfloat16, torch.float16])
def test_kernels_equal_the_references(channels, dtype):
    _, ptr, pairs = bags([*range(14), 40], 50, 2)
    x, scale = torch.randn(pairs.row.numel(), channels).to(dtype), torch.rand(pairs.row.numel())
    y, weight = torch.randn(int(ptr[-1]), 3 * channels).to(dtype), torch.rand(len(ptr) - 1, 3)
    tolerance = {torch.float64: 1e-12, torch.float32: 1e-5}.get(dtype, 4 * torch.finfo(dtype).eps)
    weight, scale = weight.to(dtype), scale.to(dtype)
    got = (
        bag_sums(x, ptr, pairs.pair, weight, scale),
        bag_spread(y, ptr, pairs.pair.int(), x.size(0), weight, scale),
    )
    with use_backend("ref"):
        sums = bag_sums(x.double(), ptr, pairs.pair, weight, scale)
        spread = bag_spread(y.double(), ptr, pairs.pair, x.size(0), weight, scale)
    for a, b in zip(got, (sums, spread), strict=True):
        assert a.dtype == dtype and torch.allclose(a.double(), b, tolerance, tolerance)


@backends
def test_derivatives_to_second_order(backend):
    _, ptr, pairs = bags([2, 0, 1, 3], 4, 4)
    weight, scale = torch.rand(4, 3), torch.rand(pairs.row.numel())
    x = torch.randn(pairs.row.numel(), 2, dtype=torch.float64, requires_grad=True)
    y = torch.randn(6, 6, dtype=torch.float64, requires_grad=True)
    runs = [
        (lambda x: bag_sums(x, ptr, pairs.pair, weight, scale), x),
        (lambda y: bag_spread(y, ptr, pairs.pair, len(x), weight, scale), y),
    ]
    with use_backend(backend):
        for run, at in runs:
            assert torch.autograd.gradcheck(run, (at,)) and torch.autograd.gradgradcheck(run, (at,))


@native
def test_same_bits_for_any_number_of_threads():
    _, ptr, pairs = bags([2 + k % 9 for k in range(800)], 60, 6)
    x, y = torch.randn(pairs.row.numel(), 70), torch.randn(int(ptr[-1]), 210)
    before, found = torch.get_num_threads(), []
    try:
        for threads in (1, 2, 7, 2):
            torch.set_num_threads(threads)
            found.append((bag_sums(x, ptr, pairs.pair), bag_spread(y, ptr, pairs.pair, x.size(0))))
    finally:
        torch.set_num_threads(before)
    assert all(torch.equal(a, b) for other in found for a, b in zip(found[0], other, strict=True))


def test_wrong_arguments_are_told():
    x, ptr, pair = torch.ones(4, 2), torch.tensor([0, 2]), torch.tensor([0, 2, 3, 1])
    one = torch.ones(1, 3, requires_grad=True)
    wrong = [
        (lambda: bag_sums(x.long(), ptr, pair), "'x' must be a matrix of floats, got torch.int64"),
        (lambda: bag_sums(x, ptr, pair, one), "'weight' gets no gradient, but requires one; give weight.detach()"),
        (lambda: bag_sums(x, ptr, pair.float()), "'pair' must be int64 or int32, got float32"),
        (lambda: bag_spread(x, ptr, pair, 4), r"'y' must have a multiple of 3 columns, got shape \(4, 2\)"),
    ]
    for call, said in wrong:
        with pytest.raises(ValueError, match=said):
            call()
