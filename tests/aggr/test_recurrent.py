"""The laws that both recurrent aggregators share; each file of theirs is tested here for both."""

import pytest
import torch
from torch_geometric.nn import GRUAggregation, LSTMAggregation, SAGEConv

from graphlab.aggr import SegmentGRUAggregation, SegmentLSTMAggregation, penalty
from graphlab.testing import check_aggregation, check_layer
from tests.ops.ragged import elements, group_of, largest, pointer

F, D = 5, 4
CLASSES = {"gru": (SegmentGRUAggregation, GRUAggregation), "lstm": (SegmentLSTMAggregation, LSTMAggregation)}
kinds = pytest.mark.parametrize("kind", sorted(CLASSES))


def double(kind, **options):
    torch.manual_seed(0)
    aggr = CLASSES[kind][0](F, D, **options).double()
    for state in aggr.initial_states():
        torch.nn.init.normal_(state)
    return aggr


@kinds
@pytest.mark.parametrize("options", [{}, {"random_order": True}], ids=str)
def test_laws(kind, options):
    check_aggregation(lambda: CLASSES[kind][0](8, **options))


@kinds
def test_a_layer_built_on_it_obeys_the_laws(kind):
    check_layer(lambda: SAGEConv(8, 8, aggr=CLASSES[kind][0](8)), 8, permutation_bound=None)


@kinds
def test_checkpoints_of_pyg_load_and_give_the_same_result_on_equal_degrees(kind):
    theirs = CLASSES[kind][1](F, D).double()
    ours = CLASSES[kind][0]().double()
    missing = ours.load_state_dict(theirs.state_dict(), strict=False).missing_keys
    assert (ours.in_channels, ours.out_channels) == (F, D) and all("initial" in name for name in missing)
    x, index = elements([7, 7], F, 0), group_of([7, 7])
    assert largest(ours(x, index) - theirs(x, index)) <= 1e-12


@kinds
def test_an_empty_group_gives_the_learned_initial_state(kind):
    aggr = double(kind)
    out = aggr(elements([2, 0], F, 0), group_of([2, 0]), dim_size=2)
    assert out[1].equal(aggr.initial)
    out.sum().backward()
    assert all(state.grad.abs().max() > 0 for state in aggr.initial_states())


@kinds
def test_the_permutation_loss_of_a_pair_by_hand(kind):
    aggr = double(kind)
    x = elements([2, 1, 0], F, 0).requires_grad_()
    start = tuple(s.expand(1, D) for s in aggr.initial_states())
    one = aggr.step(x[1:2], aggr.step(x[0:1], start))[0]
    two = aggr.step(x[0:1], aggr.step(x[1:2], start))[0]
    loss = aggr.permutation_loss(x, ptr=pointer([2, 1, 0]))
    expected = (one - two).square().sum()
    assert abs(float(loss.detach()) - float(expected.detach())) <= 1e-13
    grads = [torch.autograd.grad(y, x)[0] for y in (loss, expected)]
    assert largest(grads[0] - grads[1]) <= 1e-12


@kinds
def test_the_permutation_loss_swaps_neighbours_after_a_prefix(kind):
    """Every value it takes is that of one of the n - 1 neighbouring pairs, and each pair is drawn."""
    aggr = double(kind)
    x = elements([5], F, 0)
    possible = []
    for t in range(4):
        order = [*range(t), t + 1, t, *range(t + 2, 5)][: t + 2]
        ends = [aggr(x[rows]) for rows in (list(range(t + 2)), order)]
        possible.append(float((ends[0] - ends[1]).detach().square().sum()))
    unsorted = torch.tensor([0, 0, 0, 0, 0])
    drawn = {min(range(4), key=lambda i: abs(possible[i] - v)): v for v in
             (float(aggr.permutation_loss(x, unsorted).detach()) for _ in range(60))}  # fmt: skip
    assert set(drawn) == {0, 1, 2, 3}
    assert all(abs(possible[i] - v) <= 1e-12 for i, v in drawn.items())


@kinds
def test_the_penalty_is_the_loss_on_the_order_that_was_read(kind):
    aggr = double(kind, permutation=0.5, random_order=True)
    x, index = elements([2, 2], F, 0), torch.tensor([1, 0, 0, 1])
    aggr(x, index)
    expected = 0.5 * aggr.permutation_loss(x, index)
    assert float(penalty(aggr).detach()) == pytest.approx(float(expected.detach()), abs=1e-13)


@kinds
def test_random_order_draws_in_training_only(kind):
    aggr = double(kind, random_order=True)
    x, index = elements([6, 3], F, 0), group_of([6, 3])
    torch.manual_seed(1)
    one, two = aggr(x, index), aggr(x, index)
    torch.manual_seed(1)
    assert aggr(x, index).equal(one) and largest(one - two) > 1e-6
    assert aggr.eval()(x, index).equal(double(kind)(x, index))


@kinds
def test_bad_arguments_are_named(kind):
    with pytest.raises(ValueError, match="'permutation' must be a weight >= 0, got -1"):
        CLASSES[kind][0](F, D, permutation=-1)
    with pytest.raises(ValueError, match="'in_channels' must be a positive integer"):
        CLASSES[kind][0](0, D)
