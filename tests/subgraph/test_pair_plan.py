"""Pairs share a bag; bags and pairs find each other."""

import torch
from hypothesis import given
from hypothesis import strategies as st

from graphlab.ops import Graph
from graphlab.subgraph import Bags, PairPlan
from tests.subgraph.graphs import nets, random_graph

GRAPHS = {"num_nodes": st.integers(1, 15), "share": st.floats(0, 0.6), "num_hops": st.integers(0, 2)}


def planned(num_nodes, share, num_hops, seed=0, classes=(2, 3, 5)):
    edge_index = random_graph(num_nodes, share, seed)
    return edge_index, PairPlan(Bags.from_edge_index(edge_index, num_nodes, num_hops), classes)


@given(**GRAPHS, seed=st.integers(0, 99))
def test_pairs_are_those_that_share_a_bag(num_nodes, share, num_hops, seed):
    edge_index, plan = planned(num_nodes, share, num_hops, seed)
    wanted = {(i, j) for net in nets(edge_index, num_nodes, num_hops) for i in net for j in net}
    pairs = list(zip(plan.row.tolist(), plan.col.tolist(), strict=True))
    assert set(pairs) == wanted and len(pairs) == len(wanted)
    assert pairs[:num_nodes] == [(v, v) for v in range(num_nodes)]
    assert pairs[num_nodes:] == sorted(pairs[num_nodes:])
    assert [pairs[t] for t in plan.transposed.tolist()] == [(j, i) for i, j in pairs]


@given(**GRAPHS, seed=st.integers(0, 99))
def test_counts_and_shares_are_of_nodes_not_of_bags(num_nodes, share, num_hops, seed):
    edge_index, plan = planned(num_nodes, share, num_hops, seed)
    table = torch.zeros(num_nodes, num_nodes)
    for net in map(torch.tensor, nets(edge_index, num_nodes, num_hops)):
        table[net[:, None], net[None]] += 1
    assert plan.count.equal(table[plan.row, plan.col].double())
    torch.testing.assert_close(plan.inverse_count * plan.count, torch.ones_like(plan.count))
    by_kind = torch.zeros(plan.num_pairs, dtype=torch.double).index_add_(0, plan.kinds[0].col.long(), plan.kinds[2])
    torch.testing.assert_close(by_kind, torch.ones_like(by_kind))


def test_bags_of_a_class_lie_together():
    _, plan = planned(15, 0.3, 1)
    size = plan.bags.size
    for c, (least, most) in enumerate([(0, 3), (3, 5), (5, 99)]):
        own = size[plan.bag_ptr[c] : plan.bag_ptr[c + 1]]
        assert bool(((own >= least) & (own < most)).all())
    assert plan.place_ptr[-1] == int(size.sum())


@given(**GRAPHS, loops=st.booleans())
def test_edges_find_their_pairs(num_nodes, share, num_hops, loops):
    edge_index, plan = planned(num_nodes, share, max(num_hops, 1))
    if loops:
        edge_index = torch.cat([edge_index, torch.zeros(2, 1, dtype=torch.long)], dim=1)
    pair = plan.edge_pairs(edge_index)
    assert torch.stack([plan.row[pair], plan.col[pair]]).equal(edge_index)


@given(**GRAPHS)
def test_bytes_are_about_those_held(num_nodes, share, num_hops):
    """Once every part of the plan was asked for."""
    _, plan = planned(num_nodes, share, num_hops)
    for name in dir(plan):
        getattr(plan, name)
    held = sum(tensor.nbytes for tensor in tensors(vars(plan).values()))
    assert held / 4 <= plan.nbytes <= 4 * held


def tensors(values):
    """All tensors in what is nested, each storage once."""
    found = {}
    for value in values:
        if isinstance(value, torch.Tensor):
            found[value.data_ptr()] = value
        elif isinstance(value, (tuple, list)):
            found |= {part.data_ptr(): part for part in tensors(value)}
        elif isinstance(value, (Bags, Graph)):
            found |= {part.data_ptr(): part for part in tensors(vars(value).values())}
    return found.values()
