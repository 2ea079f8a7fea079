"""SPEN starts from the adjacency off the diagonal and node features on it."""

import torch

from graphlab.subgraph import Bags, PairPlan
from graphlab.subgraph.pair_features import pair_features
from tests.subgraph.dense_spen import scattered
from tests.subgraph.graphs import random_graph


def test_are_adjacency_edge_features_and_node_features():
    edge_index = random_graph(9, 0.3, 0, directed=True)
    edge_index = torch.cat([edge_index, edge_index[:, :2], torch.tensor([[4], [4]])], dim=1)  # equal edges, a loop
    x, edge_attr = torch.rand(9, 3).double(), torch.rand(edge_index.size(1), 2).double()
    plan = PairPlan(Bags.from_edge_index(edge_index, 9), (1,))
    made = scattered(pair_features(x, edge_index, plan, edge_attr), plan)
    adjacency = torch.zeros(9, 9).double().index_put(tuple(edge_index), torch.ones(1).double(), accumulate=True)
    attributes = torch.zeros(9, 9, 2).double().index_put(tuple(edge_index), edge_attr, accumulate=True)
    degrees = adjacency.sum(1)[:, None] * adjacency.sum(0)[None]
    torch.testing.assert_close(made[..., 0], (adjacency / degrees.sqrt()).nan_to_num(0))
    torch.testing.assert_close(made[..., 1:3], attributes)
    torch.testing.assert_close(made[..., 3:], torch.eye(9).double()[..., None] * x)
    plain = scattered(pair_features(x, edge_index, plan, normalize=False), plan)
    torch.testing.assert_close(plain[..., 0], adjacency)
