import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from graphlab.ops.groups import make_groups
from graphlab.ops.tree_plan import tree_plan
from tests.ops.ragged import counts, group_of, pointer, seeds


def trees(plan):
    """The nested tuples of leaves that a plan builds, and the slots in which they stand."""
    leaves = range(plan.num_elements) if plan.leaves is None else plan.leaves.tolist()
    slots = dict(enumerate(leaves))
    for left, right, start in plan.levels:
        for j, (a, b) in enumerate(zip(left.tolist(), right.tolist(), strict=True)):
            slots[start + j] = (slots[a], slots[b])
    return [slots.get(r) for r in plan.root.tolist()], slots


def leaves_of(tree):
    return leaves_of(tree[0]) + leaves_of(tree[1]) if isinstance(tree, tuple) else [tree]


def depths_of(tree, depth=0):
    return depths_of(tree[0], depth + 1) + depths_of(tree[1], depth + 1) if isinstance(tree, tuple) else [depth]


def carried(items):
    """PyG's reduction, level by level: neighbours are paired, an odd last one is carried."""
    while len(items) > 1:
        odd = items[-1:] if len(items) % 2 else []
        items = [(items[i], items[i + 1]) for i in range(0, len(items) - 1, 2)] + odd
    return items[0] if items else None


def plan_for(sizes, **options):
    return tree_plan(make_groups(None, pointer(sizes), len(sizes), sum(sizes)), **options)


@given(counts)
def test_carry_is_pyg_s_tree(sizes):
    made, _ = trees(plan_for(sizes))
    start = pointer(sizes).tolist()
    assert made == [carried(list(range(start[i], start[i + 1]))) for i in range(len(sizes))]


@given(counts)
def test_halving_keeps_leaf_depths_within_one(sizes):
    for tree in trees(plan_for(sizes, tree="halving"))[0]:
        if tree is not None:
            n = len(leaves_of(tree))
            assert set(depths_of(tree)) <= {math.floor(math.log2(n)), math.ceil(math.log2(n))}


@given(counts, st.sampled_from(["carry", "halving"]))
def test_work_is_elements_minus_groups_in_logarithmic_depth(sizes, tree):
    plan = plan_for(sizes, tree=tree)
    full = [n for n in sizes if n]
    assert plan.num_combines == sum(full) - len(full)
    assert len(plan.levels) == (math.ceil(math.log2(max(full))) if full else 0)
    read = torch.cat(plan.pairs).tolist()
    assert len(read) == len(set(read)), "a slot is read twice"


@given(counts, seeds)
def test_a_random_tree_holds_each_element_once_one_level_deeper_at_most(sizes, seed):
    plan = plan_for(sizes, seed=seed)
    start = pointer(sizes).tolist()
    for i, tree in enumerate(trees(plan)[0]):
        if tree is not None:
            assert sorted(leaves_of(tree)) == list(range(start[i], start[i + 1]))
            assert max(depths_of(tree)) <= math.ceil(math.log2(sizes[i])) + 1


def test_random_trees_differ_by_seed_and_repeat_by_seed():
    sizes = [12, 12, 12]
    assert trees(plan_for(sizes, seed=1))[0] == trees(plan_for(sizes, seed=1))[0]
    assert trees(plan_for(sizes, seed=1))[0] != trees(plan_for(sizes, seed=2))[0]


def test_the_same_seed_with_other_groups_is_another_plan():
    index = torch.tensor([1, 0, 1, 0])
    one = tree_plan(make_groups(index, None, 2, 4), seed=3)
    other = tree_plan(make_groups(index, None, 3, 4), seed=3)
    assert one.root.numel() == 2 and other.root.numel() == 3


def literal_triples(tree):
    """Appendix E of the paper, read aloud."""
    if not isinstance(tree, tuple):
        return []
    left, right = tree
    below = literal_triples(left) + literal_triples(right)
    match left, right:
        case ((a, b), (c, d)):
            return [(a, b, c), (b, c, d), *below]
        case ((a, b), c):
            return [(a, b, c), *below]
    return below


@given(counts, st.sampled_from(["carry", "halving"]), st.none() | seeds)
def test_triples_are_those_of_the_paper(sizes, tree, seed):
    plan = plan_for(sizes, tree=tree, seed=seed)
    made, slots = trees(plan)
    found = [tuple(slots[s] for s in triple) for triple in zip(*(t.tolist() for t in plan.triples), strict=True)]
    expected = [triple for t in made for triple in literal_triples(t)]
    assert sorted(map(repr, found)) == sorted(map(repr, expected))


def test_leaves_of_an_unsorted_index_are_the_elements_of_each_group():
    index = torch.tensor([1, 0, 1, 0, 1])
    plan = tree_plan(make_groups(index, None, 2, 5))
    assert trees(plan)[0] == [(1, 3), ((0, 2), 4)]
    assert group_of([2, 3]).tolist() == index[plan.leaves].tolist()


def test_an_unknown_tree_is_refused():
    with pytest.raises(ValueError, match="'tree' must be one of 'carry', 'halving', got 'oak'"):
        plan_for([3], tree="oak")
