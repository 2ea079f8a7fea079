import pytest
import torch
from hypothesis import given

from graphlab.ops.groups import group_index, make_groups
from tests.ops.ragged import counts, group_of, pointer, seeds


@given(counts, seeds)
def test_sorting_is_stable_and_recovers_the_groups(sizes, seed):
    index = group_of(sizes)
    index = index[torch.randperm(index.numel(), generator=torch.Generator().manual_seed(seed))]
    groups = make_groups(index, None, len(sizes), index.numel())
    perm = torch.arange(index.numel()) if groups.perm is None else groups.perm
    assert groups.counts.tolist() == sizes
    assert index[perm].tolist() == groups.group_of.tolist()
    for low, high in zip(groups.ptr[:-1].tolist(), groups.ptr[1:].tolist(), strict=True):
        assert perm[low:high].tolist() == sorted(perm[low:high].tolist())


@given(counts)
def test_ptr_and_index_describe_the_same_groups(sizes):
    one = make_groups(group_of(sizes), None, len(sizes), sum(sizes))
    two = make_groups(None, pointer(sizes), len(sizes), sum(sizes))
    assert one.ptr.equal(two.ptr) and one.perm is None and two.perm is None


def test_an_index_changed_behind_autograd_s_back_is_seen():
    index = torch.tensor([0, 0, 1, 1])
    assert make_groups(index, None, 2, 4).ptr.tolist() == [0, 2, 4]
    index.numpy()[1] = 1
    assert make_groups(index, None, 2, 4).ptr.tolist() == [0, 1, 4]


def test_the_sort_of_a_known_index_is_not_repeated():
    index = torch.tensor([1, 0, 1])
    first = make_groups(index, None, 2, 3)
    assert make_groups(index.clone(), None, 2, 3) is first
    assert make_groups(index, None, 3, 3) is not first


def test_group_index_owns_its_result():
    index = torch.tensor([1, 0, 1])
    group_index(index, None, 2, 3).zero_()
    assert index.tolist() == [1, 0, 1]
    assert group_index(None, torch.tensor([0, 1, 1, 3]), 3, 3).tolist() == [0, 2, 2]


@pytest.mark.parametrize(
    ("index", "ptr", "message"),
    [
        (torch.tensor([0, 5]), None, "'index' points to group 5, but 'dim_size' is 2; expected >= 6"),
        (torch.tensor([0, -1]), None, "'index' must not be negative, got -1"),
        (torch.tensor([0]), None, "'index' must hold the group of each of the 2 elements of 'x', got 1"),
        (torch.tensor([0.0, 1.0]), None, "'index' must be a vector of int64 or int32, got torch.float32"),
        (torch.tensor([[0, 1]]), None, r"'index' must be a vector .* got torch.int64 of shape \(1, 2\)"),
        (None, torch.tensor([0, 2]), "'ptr' must have dim_size \\+ 1 = 3 entries, got 2"),
        (None, torch.tensor([0, 1, 3]), "'ptr' must run from 0 to the number of elements 2, got 0 to 3"),
        (None, torch.tensor([0, 3, 2]), r"'ptr' must not decrease, but ptr\[1\] > ptr\[2\]"),
        (None, None, "one of 'index' and 'ptr' is needed"),
    ],
)
def test_errors_name_the_argument(index, ptr, message):
    with pytest.raises(ValueError, match=message):
        make_groups(index, ptr, 2, 2)
