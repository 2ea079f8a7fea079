import torch
from hypothesis import given
from hypothesis import strategies as st

from graphlab.testing.groups import draw, ragged, seeded, shuffled

LIKE = torch.empty(0, 3, dtype=torch.float64)
SIZES = st.lists(st.integers(0, 4), max_size=6).map(tuple)


@given(SIZES)
def test_index_and_ptr_tell_the_same_groups(sizes):
    groups = ragged(LIKE, sizes, seed=0)
    assert groups.ptr.diff().tolist() == list(sizes)
    assert groups.index.bincount(minlength=len(sizes)).tolist() == list(sizes)
    assert torch.equal(groups.index, groups.index.sort().values)


@given(SIZES.filter(len), st.data())
def test_grow_leaves_the_other_groups(sizes, data):
    groups = ragged(LIKE, sizes, seed=0)
    group = data.draw(st.integers(0, len(sizes) - 1))
    before, after = groups.x.split(groups.sizes), groups.grow(group, by=2)
    for i, part in enumerate(after.x.split(after.sizes)):
        assert torch.equal(part[: sizes[i]], before[i])
    assert after.sizes[group] == sizes[group] + 2


@given(SIZES, st.data())
def test_reorder_moves_whole_groups(sizes, data):
    groups = ragged(LIKE, sizes, seed=0)
    order = data.draw(st.permutations(range(len(sizes))))
    moved = groups.reorder(order).x.split([sizes[i] for i in order]) if order else ()
    for part, i in zip(moved, order, strict=True):
        assert torch.equal(part, groups.x.split(groups.sizes)[i])


def test_numbers_are_the_same_in_every_precision():
    double = draw(LIKE, (5, 3), seed=1)
    assert torch.equal(draw(LIKE.float(), (5, 3), seed=1), double.float())
    assert not torch.equal(draw(LIKE, (5, 3), seed=2), double)


def test_shuffled_is_a_permutation():
    assert shuffled(50, seed=0).sort().values.tolist() == list(range(50))


def test_seeded_restores_the_generator():
    state = torch.get_rng_state()
    with seeded(3):
        first = torch.rand(2)
    with seeded(3):
        assert torch.equal(torch.rand(2), first)
    assert torch.equal(torch.get_rng_state(), state)
