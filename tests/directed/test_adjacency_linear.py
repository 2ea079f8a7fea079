import pytest
import torch

from graphlab.directed.adjacency_linear import AdjacencyLinear
from tests.directed.graphs import GRAPHS, incoming


@pytest.mark.parametrize("graph", GRAPHS)
@pytest.mark.parametrize("weighted", [False, True])
def test_the_dense_formula(graph, weighted):
    edge_index, n = GRAPHS[graph]
    layer = AdjacencyLinear(n, 3).double()
    weight = torch.rand(edge_index.size(1), dtype=torch.float64) if weighted else None
    expected = incoming(edge_index, n, weight) @ layer.weight + layer.bias
    torch.testing.assert_close(layer(edge_index, weight), expected, rtol=1e-12, atol=1e-12)


def test_another_number_of_nodes_is_refused():
    layer = AdjacencyLinear(4, 3)
    assert repr(layer) == "AdjacencyLinear(4, 3)"
    with pytest.raises(ValueError, match=r"'x' has 5 rows, .*; build it with num_nodes=5"):
        layer.check_nodes(torch.zeros(5, 1))
    with pytest.raises(ValueError, match="'edge_index' has targets from 4 to 4"):
        layer(torch.tensor([[0], [4]]))
