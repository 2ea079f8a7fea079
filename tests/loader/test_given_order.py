"""The order of the nodes may be given by a sampler of torch."""

from itertools import cycle, islice

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch_geometric.loader import ImbalancedSampler

from .graphs import load, random_graph


def test_a_torch_sampler_may_give_the_order():
    data = random_graph()
    order = ImbalancedSampler((data.y == 0).long(), num_samples=40)
    torch.manual_seed(0)
    expected = list(order)
    torch.manual_seed(0)
    loader = load(data, sampler=order)
    batches = list(loader)
    assert torch.cat([batch.input_id for batch in batches]).tolist() == expected
    assert len(loader) == len(batches) == 3
    fixed = load(data, batch_size=1, batch_sampler=[[3, 1], [2]], num_workers=1)
    assert [batch.input_id.tolist() for batch in fixed] == [[3, 1], [2]]
    with pytest.raises(ValueError, match="'batch' needs the loader's own order"):
        fixed.batch(0, 0)
    with pytest.raises(ValueError, match="'shuffle' must be False beside 'sampler'"):
        load(data, sampler=order, shuffle=True)


@pytest.mark.parametrize("threads", [0, 2])
@pytest.mark.parametrize("rank", [0, 1])
def test_an_order_may_be_endless(rank, threads):
    ranks = {"rank": rank, "world_size": 2, "num_workers": threads}
    batches = load(batch_size=1, batch_sampler=Endless([[3], [4]]), **ranks)
    assert [batch.input_id.tolist() for batch in islice(batches, 3)] == [[3 + rank]] * 3
    nodes = load(batch_size=2, sampler=Endless([1, 2, 3, 4]), **ranks)
    assert [batch.input_id.tolist() for batch in islice(nodes, 3)] == [[1 + 2 * rank, 2 + 2 * rank]] * 3


class Endless:
    def __init__(self, turn: list) -> None:
        self.turn = turn

    def __iter__(self):
        return cycle(self.turn)


@settings(max_examples=20)
@given(number=st.integers(0, 9), world_size=st.integers(1, 4))
def test_ranks_share_a_given_order(number, world_size):
    order = [[3 * i, 3 * i + 1] for i in range(number)]
    parts = [list(load(batch_size=1, batch_sampler=order, rank=r, world_size=world_size)) for r in range(world_size)]
    rounds = [batch.input_id.tolist() for turn in zip(*parts, strict=True) for batch in turn]
    assert rounds == [order[i % number] for i in range(-(-number // world_size) * world_size)]
