"""Laws of the pairs of nodes that share a bag, against pairs listed one by one."""

import sys

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from graphlab.ops import bag_pairs, use_backend
from tests.ops.ragged import pointer

backends = pytest.mark.parametrize("backend", ["auto", "ref"])
types = pytest.mark.parametrize("dtype", [torch.int32, torch.int64])
bags = st.integers(1, 12).flatmap(
    lambda n: st.tuples(st.just(n), st.lists(st.lists(st.integers(0, n - 1), unique=True, max_size=n), max_size=9))
)


def packed(lists, dtype=torch.int64):
    return torch.tensor([v for bag in lists for v in bag], dtype=dtype), pointer([len(bag) for bag in lists])


@backends
@types
@given(bags)
def test_pairs_are_those_listed_one_by_one(backend, dtype, drawn):
    n, lists = drawn
    with use_backend(backend):
        got = bag_pairs(*packed(lists, dtype), n)
    others = sorted({(i, j) for bag in lists for i in bag for j in bag if i != j})
    listed = [(v, v) for v in range(n)] + others
    number = {pair: k for k, pair in enumerate(listed)}
    assert list(zip(got.row.tolist(), got.col.tolist(), strict=True)) == listed
    assert got.pair.tolist() == [number[i, j] for bag in lists for i in bag for j in bag]
    assert got.transposed.tolist() == [number[j, i] for i, j in listed]
    assert all(t.dtype == dtype for t in got)


@types
@given(bags)
def test_the_kernel_equals_the_reference(dtype, drawn):
    n, lists = drawn
    node, ptr = packed(lists, dtype)
    got = bag_pairs(node, ptr.to(dtype), n)
    with use_backend("ref"):
        wanted = bag_pairs(node, ptr, n)
    for name, a, b in zip(got._fields, got, wanted, strict=True):
        assert a.dtype == b.dtype and torch.equal(a, b), name


def test_threads_change_nothing():
    generator = torch.Generator().manual_seed(0)
    lists = [torch.randperm(3000, generator=generator)[: 1 + k % 30].tolist() for k in range(1000)]
    node, ptr = packed([*lists, list(range(0, 3000, 5))])
    before, results = torch.get_num_threads(), []
    try:
        for threads in (1, 2, 7):
            torch.set_num_threads(threads)
            results += [bag_pairs(node, ptr, 3000)] * 2
    finally:
        torch.set_num_threads(before)
    with use_backend("ref"):
        results.append(bag_pairs(node, ptr, 3000))
    assert all(torch.equal(a, b) for other in results for a, b in zip(results[0], other, strict=True))


@backends
def test_nodes_in_no_bag_and_nothing_at_all(backend):
    none = torch.empty(0, dtype=torch.int64)
    with use_backend(backend):
        alone = bag_pairs(none, torch.tensor([0, 0, 0]), 3)
        nothing = bag_pairs(none, torch.tensor([0]), 0)
    assert alone.row.tolist() == alone.col.tolist() == alone.transposed.tolist() == [0, 1, 2]
    assert not alone.pair.numel() and not any(t.numel() for t in nothing)


@backends
def test_what_may_not_fit_in_32_bits_comes_in_64(backend, monkeypatch):
    node, ptr = torch.tensor([1, 0], dtype=torch.int32), torch.tensor([0, 2])
    monkeypatch.setattr(sys.modules["graphlab.ops.bag_pairs"], "_MAX_INT32", 5)
    with use_backend(backend):
        assert all(t.dtype == torch.int64 for t in bag_pairs(node, ptr, 2))
        assert all(t.dtype == torch.int32 for t in bag_pairs(node[:1], torch.tensor([0, 1]), 2))


@backends
def test_wrong_arguments_are_told(backend):
    node, ptr = torch.tensor([0, 1, 1]), torch.tensor([0, 2, 3])
    wrong = [
        ((node, ptr, 1), r"'node' must lie in \[0, 1\), but node\[1\] is 1"),
        ((node, ptr, -1), "'num_nodes' must not be negative, got -1"),
        ((node, torch.tensor([0, 3]), 2), "'node' must name a node once in each bag, but bag 0 holds node 1 twice"),
        ((node, torch.tensor([0, 2]), 2), "'node_ptr' must run from 0 to 3 without decreasing, but runs from 0 to 2"),
        ((node, torch.tensor([0, 3, 2, 3]), 2), r"'node_ptr' .* but node_ptr\[2\] is 2 after 3"),
        ((node, ptr[:0], 2), "'node_ptr' must have one entry more than there are bags, got none"),
        ((node.float(), ptr, 2), "'node' must be int64 or int32, got float32"),
        ((node, ptr.view(1, -1), 2), r"'node_ptr' must have 1 dimension, got shape \(1, 3\)"),
        (([0, 1, 1], ptr, 2), "'node' must be a tensor, got list"),
    ]
    with use_backend(backend):
        for args, said in wrong:
            with pytest.raises((ValueError, RuntimeError, TypeError), match=said):
                bag_pairs(*args)
