"""Bags are the ego nets of all nodes."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from graphlab.subgraph import Bags
from tests.subgraph.graphs import members, nets, random_graph

COMPLETE = torch.ones(6, 6).fill_diagonal_(0).nonzero().T


@given(st.integers(1, 20), st.floats(0, 0.5), st.integers(0, 3), st.booleans(), st.booleans(), st.integers(0, 99))
def test_bags_are_ego_nets(num_nodes, share, num_hops, merge, directed, seed):
    edge_index = random_graph(num_nodes, share, seed, directed)
    bags = Bags.from_edge_index(edge_index, num_nodes, num_hops, merge)
    assert members(bags) == [sorted(net) for net in nets(edge_index, num_nodes, num_hops)]


@given(st.integers(1, 20), st.floats(0, 0.5), st.integers(1, 2), st.booleans(), st.integers(0, 99))
def test_edges_are_those_among_a_bags_nodes(num_nodes, share, num_hops, merge, seed):
    edge_index = random_graph(num_nodes, share, seed, directed=True)
    bags = Bags.from_edge_index(edge_index, num_nodes, num_hops, merge)
    assert bags.node[bags.edge_index].equal(edge_index[:, bags.edge_id])
    for b in range(bags.num_bags):
        inside = bags.node[bags.node_ptr[b] : bags.node_ptr[b + 1]]
        among = torch.isin(edge_index, inside).all(0).nonzero().view(-1)
        assert bags.edge_id[bags.edge_ptr[b] : bags.edge_ptr[b + 1]].sort().values.equal(among)


@given(st.integers(1, 20), st.floats(0, 0.9), st.integers(0, 99))
def test_merging_keeps_one_bag_of_each_kind(num_nodes, share, seed):
    edge_index = random_graph(num_nodes, share, seed)
    bags = Bags.from_edge_index(edge_index, num_nodes)
    kinds = {tuple(net) for net in nets(edge_index, num_nodes, 1)}
    assert bags.num_bags == len(kinds)
    assert int(bags.weight.sum()) == num_nodes


def test_a_complete_graph_has_one_bag():
    bags = Bags.from_edge_index(COMPLETE, 6)
    assert (bags.num_bags, bags.weight.tolist(), bags.bag.tolist()) == (1, [6], [0] * 6)


def test_unmerged_bags_have_hops_from_their_root():
    path = torch.tensor([[0, 1, 1, 2, 2, 3], [1, 0, 2, 1, 3, 2]])
    bags = Bags.from_edge_index(path, 4, num_hops=2, merge=False)
    assert bags.node[bags.node_ptr[:-1]].equal(bags.root)
    assert bags.hop[: bags.node_ptr[1]].tolist() == [0, 1, 2]


def test_isolated_nodes_and_empty_graphs():
    none = torch.zeros(2, 0, dtype=torch.long)
    assert Bags.from_edge_index(none, 3).size.tolist() == [1, 1, 1]
    assert Bags.from_edge_index(none, 0).num_bags == 0


def test_take_orders_bags():
    bags = Bags.from_edge_index(random_graph(12, 0.2, 0), 12)
    order = torch.randperm(bags.num_bags)
    position = torch.empty_like(order).scatter_(0, order, torch.arange(order.numel()))
    turned = bags.take(order, position[bags.bag])
    assert members(turned) == members(bags)
    assert turned.weight.equal(bags.weight[order])
    assert turned.node[turned.edge_index].T.tolist() != bags.node[bags.edge_index].T.tolist()


@given(st.integers(1, 15), st.floats(0, 0.6), st.integers(0, 2), st.booleans(), st.integers(0, 99))
def test_bags_begin_with_their_root_and_tell_how_far_nodes_are(num_nodes, share, num_hops, merge, seed):
    """Of merged bags too, and of bags in another order."""
    edge_index = random_graph(num_nodes, share, seed)
    bags = Bags.from_edge_index(edge_index, num_nodes, num_hops, merge)
    order = torch.randperm(bags.num_bags, generator=torch.Generator().manual_seed(seed))
    at_most = [nets(edge_index, num_nodes, k) for k in range(num_hops + 1)]
    for found in (bags, bags.take(order, order.argsort()[bags.bag])):
        assert found.node[found.node_ptr[:-1]].equal(found.root)
        assert found.bag[found.root].equal(torch.arange(found.num_bags))
        root = found.root.repeat_interleave(found.size).tolist()
        hops = [next(k for k in range(9) if u in at_most[k][v]) for u, v in zip(found.node.tolist(), root, strict=True)]
        assert found.hop.tolist() == hops


def test_copies_to_a_device():
    bags = Bags.from_edge_index(random_graph(5, 0.5, 0), 5).to("meta")
    assert bags.node.is_meta and bags.num_hops == 1


def test_repr_counts():
    text = repr(Bags.from_edge_index(COMPLETE, 6))
    assert text == "Bags(num_hops=1, num_nodes=6, num_bags=1, num_places=6, num_bag_edges=30)"


@pytest.mark.parametrize(
    ("edge_index", "num_nodes", "num_hops", "message"),
    [
        (torch.tensor([[0], [9]]), 3, 1, "targets from 9 to 9"),
        (torch.tensor([[0.0], [1.0]]), 3, 1, "'edge_index' must be int64"),
        (torch.tensor([[0], [1]]), 3, -1, "'num_hops'"),
    ],
)
def test_errors(edge_index, num_nodes, num_hops, message):
    with pytest.raises(ValueError, match=message):
        Bags.from_edge_index(edge_index, num_nodes, num_hops)
