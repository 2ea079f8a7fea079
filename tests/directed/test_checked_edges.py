"""Weights reach every network and operator alike, whether they come beside the edges or as values of an adjacency."""

import pytest
import torch

from graphlab import directed
from graphlab.directed import direction_gain
from tests.directed.graphs import random_graph

N = 12
EDGES = random_graph().unique(dim=1)
WEIGHT = torch.rand(EDGES.size(1), dtype=torch.float64, generator=torch.Generator().manual_seed(1)) + 0.5
ADJ_T = torch.sparse_coo_tensor(EDGES.flip(0), WEIGHT, (N, N))

WEIGHTED = {
    "A2DUG": {"num_nodes": N},
    "ClassicGNN": {},
    "DiGCN": {},
    "DiGCNInception": {},
    "DirGNN": {},
    "FAGCN": {},
    "FSGNN": {},
    "FaberNet": {},
    "GPRGNN": {},
    "GloGNN": {"num_nodes": N},
    "LINKX": {"num_nodes": N},
    "LightDiC": {},
    "MagNet": {},
    "ResidualGNN": {"layer": "gcn"},
}
UNWEIGHTED = {
    "ACMGCN": {},
    "ADPA": {},
    "ClassicGNN": {"conv": "sage"},
    "DirGNN": {"conv": "gat"},
    "H2GCN": {},
    "ResidualGNN": {"layer": "sage"},
}
OPERATORS = ("adjacency", "dir_norm", "gcn_norm", "magnetic_operator", "page_rank_operator", "second_order_operator")


def network(name, options):
    torch.manual_seed(0)
    return getattr(directed, name)(3, 8, 2, **options).double().eval()


@pytest.mark.parametrize("name", WEIGHTED)
def test_values_of_an_adjacency_are_the_weights_of_networks(name):
    net, x = network(name, WEIGHTED[name]), torch.randn(N, 3, dtype=torch.float64)
    expected = net(x, EDGES, WEIGHT)
    assert not torch.allclose(expected, net(x, EDGES))
    for adj_t in (ADJ_T, ADJ_T.to_sparse_csr()):
        torch.testing.assert_close(net(x, adj_t), expected)


@pytest.mark.parametrize("name", UNWEIGHTED)
def test_networks_without_weights_refuse_them_in_both_forms(name):
    net, x = network(name, UNWEIGHTED[name]), torch.randn(N, 3, dtype=torch.float64)
    for edges, weight in ((EDGES, WEIGHT), (ADJ_T, None)):
        with pytest.raises(
            ValueError, match=r"'edge_(weight|index)' (is not read by|must be None|must have no weights)"
        ):
            net(x, edges, weight)


@pytest.mark.parametrize("name", OPERATORS)
def test_values_of_an_adjacency_are_the_weights_of_operators(name):
    make = getattr(directed, name)
    expected = make(EDGES, WEIGHT, num_nodes=N).to_dense()
    assert not torch.allclose(expected, make(EDGES, num_nodes=N).to_dense())
    torch.testing.assert_close(make(ADJ_T, num_nodes=N).to_dense(), expected)


def test_proximities_read_the_values_of_an_adjacency():
    made, expected = directed.dgcn_operators(ADJ_T, num_nodes=N), directed.dgcn_operators(EDGES, WEIGHT, num_nodes=N)
    for operator, other in zip(made, expected, strict=True):
        torch.testing.assert_close(operator.to_dense(), other.to_dense())


def test_directions_are_judged_without_weights():
    y = torch.arange(N) % 2
    assert direction_gain(ADJ_T, y) == direction_gain(EDGES, y)


@pytest.mark.parametrize("name", OPERATORS)
def test_operators_refuse_weights_of_whole_numbers_and_graphs_of_another_size(name):
    make = getattr(directed, name)
    with pytest.raises(ValueError, match="'edge_weight' must hold one floating-point number for each"):
        make(EDGES, torch.ones(EDGES.size(1), dtype=torch.int64), num_nodes=N)
    graph = directed.checked_edges.Graph.from_edge_index(EDGES, (N, N))
    make(graph, num_nodes=N)
    with pytest.raises(ValueError, match="'edge_index' has 12 source nodes by its own account, but 15"):
        make(graph, num_nodes=N + 3)


@pytest.mark.parametrize("name", WEIGHTED)
def test_networks_refuse_weights_of_whole_numbers(name):
    weight = torch.ones(EDGES.size(1), dtype=torch.int64)
    with pytest.raises(ValueError, match="'edge_weight' must hold one floating-point number for each"):
        network(name, WEIGHTED[name])(torch.randn(N, 3, dtype=torch.float64), EDGES, weight)
