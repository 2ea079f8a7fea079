"""Sets are equal where their members are."""

import torch
from hypothesis import given
from hypothesis import strategies as st

from graphlab.subgraph import equal_sets as module
from graphlab.subgraph.equal_sets import equal_sets

SETS = st.lists(st.sets(st.integers(0, 4), max_size=4), max_size=12)


def compressed(sets):
    member = torch.tensor([m for one in sets for m in one], dtype=torch.long)
    return member, torch.tensor([0, *[len(one) for one in sets]]).cumsum(0)


@given(SETS)
def test_kinds_are_sets(sets):
    first, kind = equal_sets(*compressed(sets))
    seen = list(dict.fromkeys(map(frozenset, sets)))
    assert [frozenset(sets[i]) for i in first.tolist()] == seen
    assert kind.tolist() == [seen.index(frozenset(one)) for one in sets]


@given(SETS)
def test_sets_of_equal_sums_are_told_apart(sets):
    original, module._mixed = module._mixed, torch.zeros_like
    try:
        test_kinds_are_sets.hypothesis.inner_test(sets)
    finally:
        module._mixed = original
