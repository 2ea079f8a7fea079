import pytest
import torch

from graphlab.subgraph.size_groups import SizeGroups


def test_pairs_stand_in_dense_batches_of_one_size():
    sizes = torch.tensor([3, 1, 0, 3, 2])
    batch = torch.arange(5).repeat_interleave(sizes)
    groups = SizeGroups(batch, 5)
    assert groups.num_pairs == 9 + 1 + 9 + 4 and groups.groups == [(0, 1), (1, 1), (2, 1), (3, 2)]
    row, col = ((batch[:, None] == batch).nonzero()).T
    values = torch.full((groups.num_pairs, 2), -1)
    values[groups.places(row, col)] = torch.stack([row, col], 1)
    assert batch[values[:, 0]].equal(groups.pair_graph)
    order = iter(groups.order.tolist())
    for dense in groups.dense(values):
        for graph in dense:
            nodes = (batch == next(order)).nonzero()[:, 0]
            assert graph[..., 0].equal(nodes[:, None].expand(-1, len(nodes)))
            assert graph[..., 1].equal(nodes.expand(len(nodes), -1))


def test_no_graphs():
    groups = SizeGroups(torch.zeros(0, dtype=torch.long), 0)
    assert groups.num_pairs == 0 and [d.shape for d in groups.dense(torch.zeros(0, 4))] == [(0, 0, 0, 4)]


def test_a_pair_of_two_graphs_is_refused():
    with pytest.raises(
        ValueError, match="'edge_index' must lie within graphs, but leads from node 0 of graph 0 to node 1"
    ):
        SizeGroups(torch.tensor([0, 1]), 2).places(torch.tensor([0]), torch.tensor([1]))
