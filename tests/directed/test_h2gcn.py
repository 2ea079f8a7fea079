import pytest
import torch

from graphlab.directed import H2GCN, h2gcn
from graphlab.ops import Graph
from tests.directed.graphs import GRAPHS, incoming, of, random_graph, symmetric
from tests.directed.laws import check_ignored_weights_are_refused, check_node_network


def dense_rings(edge_index, n):
    one = (incoming(edge_index, n) > 0).double()
    one.fill_diagonal_(0)
    two = ((one @ one > 0) & (one == 0)).double()
    two.fill_diagonal_(0)
    return symmetric(one), symmetric(two)


def dense_formula(net, x, edge_index):
    near, far = dense_rings(edge_index, len(x))
    rounds = [of(x, net.embed).relu()]
    for _ in range(net.num_hops):
        rounds.append(torch.cat([near @ rounds[-1], far @ rounds[-1]], 1))
    return of(torch.cat(rounds, 1), net.head)


@pytest.mark.parametrize("graph", GRAPHS)
@pytest.mark.parametrize("num_hops", [0, 1, 2])
def test_the_dense_formula(graph, num_hops):
    edge_index, n = GRAPHS[graph]
    torch.manual_seed(0)
    net = H2GCN(3, 4, 2, num_hops=num_hops).double().eval()
    x = torch.randn(n, 3, dtype=torch.float64)
    torch.testing.assert_close(net(x, edge_index), dense_formula(net, x, edge_index), rtol=1e-10, atol=1e-10)


def test_rings_are_disjoint_and_those_of_the_reversed_graph_are_the_transposed():
    edge_index = random_graph(20, 30)
    near, far = h2gcn.rings(Graph.from_edge_index(edge_index, (20, 20)))
    assert not bool(((near.to_dense() > 0) & (far.to_dense() > 0)).any()) and bool((far.to_dense() > 0).any())
    back = h2gcn.rings(Graph.from_edge_index(edge_index.flip(0), (20, 20)))
    for ring, turned in zip((near, far), back, strict=True):
        torch.testing.assert_close(ring.to_dense().T, turned.to_dense())


def test_rings_are_made_once_for_equal_edges():
    edge_index = random_graph()
    graph = Graph.from_edge_index(edge_index, (12, 12))
    assert h2gcn.rings(graph) is h2gcn.rings(Graph.from_edge_index(edge_index.clone(), (12, 12)))


def test_laws():
    check_node_network(H2GCN(5, 4, 3), 5, 3)
    check_ignored_weights_are_refused(H2GCN(5, 4, 3), 5)


@pytest.mark.parametrize("limit", ["_MOST_PRODUCTS", "_MOST_ENTRIES"])
def test_hubs_that_would_fill_the_memory_are_refused(limit, monkeypatch):
    monkeypatch.setattr(h2gcn, limit, 10)
    star = torch.stack([torch.zeros(9, dtype=torch.int64), torch.arange(1, 10)])
    both = torch.cat([star, star.flip(0)], 1)
    with pytest.raises(ValueError, match="'edge_index' has hubs: its second neighbours take 90 products"):
        H2GCN(2, 2, 2)(torch.zeros(10, 2), both)
