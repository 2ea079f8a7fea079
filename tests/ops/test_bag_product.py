"""Laws of products inside bags; what every op keeps is tested by its specimen."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from graphlab.ops import bag_pairs, bag_product, kernels, use_backend
from tests.ops.ragged import pointer, seeds

backends = pytest.mark.parametrize("backend", ["auto", "ref"])
native = pytest.mark.skipif(bool(kernels.missing("_C")), reason="no compiled kernels")
turns = pytest.mark.parametrize("turned", [(False, False), (True, False), (False, True), (True, True)], ids=str)
sizes = st.lists(st.integers(0, 7) | st.sampled_from([8, 9, 13]), max_size=6)


def bags(sizes, num_nodes, seed, dtype=torch.int64):
    generator = torch.Generator().manual_seed(seed)
    lists = [torch.randperm(num_nodes, generator=generator)[:m] for m in sizes]
    node = torch.cat(lists) if lists else torch.empty(0, dtype=torch.int64)
    return lists, pointer(sizes), bag_pairs(node.to(dtype), pointer(sizes), num_nodes)


def features(count, channels, seed, dtype=torch.float64):
    generator = torch.Generator().manual_seed(seed)
    return [torch.randn(count, channels, generator=generator, dtype=torch.float64).to(dtype) for _ in range(2)]


def matrices(pairs, x, num_nodes):
    dense = x.new_zeros(x.size(1), num_nodes, num_nodes)
    dense[:, pairs.row.long(), pairs.col.long()] = x.T
    return dense


@backends
@turns
@given(sizes, seeds)
@settings(max_examples=20)
def test_products_are_those_of_the_bags_matrices(backend, turned, sizes, seed):
    n = 15
    lists, ptr, pairs = bags(sizes, n, seed)
    a, b = features(pairs.row.numel(), 3, seed)
    w = torch.linspace(-1, 2, len(sizes), dtype=torch.float64)
    with use_backend(backend):
        got = bag_product(a, b, ptr, pairs.pair, w, *turned)
    left, right = (m.mT if turn else m for m, turn in zip((matrices(pairs, x, n) for x in (a, b)), turned, strict=True))
    wanted = torch.zeros_like(left)
    for weight, nodes in zip(w, lists, strict=True):
        at = torch.zeros(n, n, dtype=torch.float64)
        at[nodes[:, None], nodes] = 1
        wanted += weight * at * ((left * at) @ (right * at))
    assert torch.allclose(matrices(pairs, got, n), wanted, atol=1e-10)


@backends
def test_transposing_equals_reading_the_transposed_pairs(backend):
    _, ptr, pairs = bags([3, 5, 8], 12, 0)
    a, b = features(pairs.row.numel(), 4, 1)
    turned = pairs.transposed
    with use_backend(backend):
        plain = bag_product(a[turned], b[turned], ptr, pairs.pair)
        assert torch.equal(bag_product(a, b, ptr, pairs.pair, transpose_a=True, transpose_b=True), plain)
        # The transposed of a product is the product of the transposed in the other order.
        assert torch.allclose(bag_product(b, a, ptr, pairs.pair)[turned], plain)


@native
@pytest.mark.parametrize("channels", [1, 2, 3, 5, 16, 23, 70])
@pytest.mark.parametrize("dtype", [torch.float64, torch.float32, torch.bfloat16, torch.float16])
def test_the_kernel_equals_the_reference(channels, dtype):
    _, ptr, pairs = bags([*range(14), 40], 50, 2, torch.int32)
    a, b = features(pairs.row.numel(), channels, 3, dtype)
    w = torch.rand(len(ptr) - 1)
    got = bag_product(a, b, ptr, pairs.pair, w)
    with use_backend("ref"):
        wanted = bag_product(a.double(), b.double(), ptr, pairs.pair.long(), w.to(dtype).double())
    tolerance = {torch.float64: 1e-12, torch.float32: 1e-5}.get(dtype, 2 * torch.finfo(dtype).eps)
    assert got.dtype == dtype and torch.allclose(got.double(), wanted, tolerance, tolerance)


@backends
@turns
def test_derivatives_to_second_order(backend, turned):
    _, ptr, pairs = bags([2, 0, 1, 3], 4, 4)
    a, b = (x.requires_grad_() for x in features(pairs.row.numel(), 2, 5))
    w = torch.tensor([0.5, 1.0, 2.0, -1.0], dtype=torch.float64)

    def run(a, b):
        return bag_product(a, b, ptr, pairs.pair, w, *turned)

    with use_backend(backend):
        assert torch.autograd.gradcheck(run, (a, b)) and torch.autograd.gradgradcheck(run, (a, b))
        assert torch.autograd.gradcheck(lambda a: run(a, a), (a,))


@native
@pytest.mark.parametrize("apart", [True, False], ids=["many graphs", "one graph"])
@pytest.mark.parametrize("channels", [16, 70])
def test_same_bits_for_any_number_of_threads(apart, channels):
    sizes = [2 + k % 9 for k in range(400)]
    _, ptr, _ = bags(sizes, 20, 6)
    generator = torch.Generator().manual_seed(7)
    first = [20 * (k // 8) if apart else 0 for k in range(400)]
    nodes = [f + torch.randperm(20, generator=generator)[:m] for f, m in zip(first, sizes, strict=True)]
    pairs = bag_pairs(torch.cat(nodes), ptr, 1000)
    a, b = (x.requires_grad_() for x in features(pairs.row.numel(), channels, 8, torch.float32))
    before, found = torch.get_num_threads(), []
    try:
        for threads in (1, 2, 7, 2):
            torch.set_num_threads(threads)
            out = bag_product(a, b, ptr, pairs.pair)
            found.append([out.detach(), *torch.autograd.grad(out, (a, b), out.detach())])
    finally:
        torch.set_num_threads(before)
    assert all(torch.equal(x, y) for other in found for x, y in zip(found[0], other, strict=True))


@backends
def test_no_bag_empty_bags_and_no_channel(backend):
    none, x = torch.empty(0, dtype=torch.int64), torch.ones(3, 2)
    with use_backend(backend):
        assert torch.equal(bag_product(x, x, torch.tensor([0]), none), torch.zeros(3, 2))
        assert torch.equal(bag_product(x, x, torch.tensor([0, 0, 0]), none, torch.ones(2)), torch.zeros(3, 2))
        assert bag_product(x[:, :0], x[:, :0], torch.tensor([0, 1]), torch.tensor([2])).shape == (3, 0)
        assert bag_product(x[:0], x[:0], torch.tensor([0]), none).shape == (0, 2)


def test_wrong_arguments_are_told():
    x, ptr, pair = torch.ones(4, 2), torch.tensor([0, 2]), torch.tensor([0, 2, 3, 1])
    w = torch.ones(1, requires_grad=True)
    wrong = [
        ((x, x[:3], ptr, pair), r"'b' must be torch.float32 of shape \(4, 2\), as 'a' is"),
        ((x, x.double(), ptr, pair), "'b' must be torch.float32"),
        ((x.long(), x.long(), ptr, pair), "'a' must be a matrix of floats, one row per pair, got torch.int64"),
        ((x, x, ptr, pair, w), "'weight' gets no gradient, but requires one; give weight.detach()"),
        ((x, x, ptr, pair.float()), "'pair' must be int64 or int32, got float32"),
    ]
    for args, said in wrong:
        with pytest.raises(ValueError, match=said):
            bag_product(*args)


@native
def test_the_kernel_refuses_what_would_read_outside():
    x, ptr, pair = torch.ones(4, 2), torch.tensor([0, 2]), torch.tensor([0, 2, 3, 1])
    wrong = [
        ((x, x, ptr, torch.tensor([0, 2, 3, 4])), r"'pair' must lie in \[0, 4\), but pair\[3\] is 4"),
        ((x, x, ptr, pair[:3]), "'pair' must have one entry for each two places of each bag of 'node_ptr', 4, got 3"),
        ((x, x, torch.tensor([0, 2, 1]), pair), "'node_ptr' must not decrease"),
        ((x, x, torch.tensor([1, 2]), pair), "'node_ptr' must run from 0"),
        ((x, x, ptr, pair, torch.ones(2)), "'weight' must have one entry for each of the 1 bags, got 2"),
    ]
    for args, said in wrong:
        with pytest.raises(RuntimeError, match=said):
            bag_product(*args)
