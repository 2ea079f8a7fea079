import pytest
import torch
from torch_geometric.nn import GCNConv

from graphlab.directed import SymmetricAdjacency
from tests.directed.graphs import GRAPHS, incoming, random_graph, symmetric, with_loops


@pytest.mark.parametrize("graph", GRAPHS)
@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("loops", [False, True])
def test_the_dense_formula(graph, weighted, loops):
    edge_index, n = GRAPHS[graph]
    weight = torch.rand(edge_index.size(1), dtype=torch.float64) if weighted else None
    dense = incoming(edge_index, n, weight)
    dense = symmetric(with_loops(dense) if loops else dense)
    a = SymmetricAdjacency(edge_index, weight, num_nodes=n, dtype=torch.float64, self_loops=loops)
    torch.testing.assert_close(a @ torch.eye(n, dtype=torch.float64), dense, rtol=1e-12, atol=1e-12)


def test_gcn_of_pyg_propagates_the_same():
    edge_index = random_graph()
    edge_index = edge_index[:, edge_index[0] != edge_index[1]]
    weight, x = torch.rand(edge_index.size(1)), torch.randn(12, 4)
    conv = GCNConv(4, 4, bias=False)
    torch.nn.init.eye_(conv.lin.weight)
    for w in (None, weight):
        torch.testing.assert_close(SymmetricAdjacency(edge_index, w, num_nodes=12) @ x, conv(x, edge_index, w))


def test_gradients_reach_features_and_weights():
    edge_index = random_graph(6, 12)
    weight = torch.rand(12, dtype=torch.float64, requires_grad=True)
    x = torch.randn(6, 2, dtype=torch.float64, requires_grad=True)

    def apply(x, weight):
        return SymmetricAdjacency(edge_index, weight, num_nodes=6, dtype=x.dtype) @ x

    assert torch.autograd.gradcheck(apply, (x, weight))


@pytest.mark.parametrize("bad", [-1.0, float("nan"), float("inf")])
def test_weights_without_a_degree_are_refused(bad):
    with pytest.raises(ValueError, match="'edge_weight' must be finite and at least 0"):
        SymmetricAdjacency(torch.tensor([[0], [1]]), torch.tensor([bad]), num_nodes=2)


def test_wrong_sizes_are_refused():
    with pytest.raises(ValueError, match="'edge_weight' must hold one number for each of the 1 edges"):
        SymmetricAdjacency(torch.tensor([[0], [1]]), torch.ones(2), num_nodes=2)
    with pytest.raises(ValueError, match="'edge_index' is a graph of 2 sources and 2 targets, but 'x' has 3 rows"):
        from graphlab.ops import Graph

        SymmetricAdjacency(Graph.from_edge_index(torch.tensor([[0], [1]]), (2, 2)), num_nodes=3)
