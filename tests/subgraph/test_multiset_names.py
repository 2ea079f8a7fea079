import torch
from hypothesis import given
from hypothesis import strategies as st

from graphlab.subgraph.multiset_names import joint_names, multiset_names


@given(st.lists(st.lists(st.integers(0, 3), max_size=6), min_size=1, max_size=8))
def test_equal_multisets_and_no_others_share_a_name(groups):
    value = torch.tensor([v for group in groups for v in group], dtype=torch.int64)
    group = torch.tensor([i for i, group in enumerate(groups) for _ in group], dtype=torch.int64)
    order = torch.randperm(value.numel())
    names = multiset_names(value[order], group[order], len(groups)).tolist()
    for one, a in zip(groups, names, strict=True):
        for other, b in zip(groups, names, strict=True):
            assert (a == b) == (sorted(one) == sorted(other))


@given(st.lists(st.tuples(st.integers(-2, 2), st.integers(0, 2), st.integers(0, 2)), min_size=1, max_size=12))
def test_rows_are_numbered_in_order(rows):
    ranks = {row: rank for rank, row in enumerate(sorted(set(rows)))}
    names = joint_names(*torch.tensor(rows).T)
    assert names.tolist() == [ranks[row] for row in rows]


def test_numbers_as_large_as_int64_are_told_apart():
    large = torch.tensor([2**62, 2**62 + 1, 2**62, -(2**62)])
    assert joint_names(large, large).tolist() == [1, 2, 1, 0]
    assert joint_names(large[:0]).numel() == 0
