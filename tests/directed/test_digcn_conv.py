import pytest
import torch

from graphlab.directed import DiGCNConv
from tests.directed.layer_graphs import SHAPES, dense_adjacency, digraph, inverse_power


def page_rank(edge_index, n, teleport):
    """The symmetric operator by the eigenvector of the dense walk with its auxiliary node."""
    a = (dense_adjacency(edge_index, n) > 0).double().fill_diagonal_(1)
    p = inverse_power(a.sum(1), 1) @ a
    walk = torch.zeros(n + 1, n + 1, dtype=torch.float64)
    walk[:n, :n], walk[:n, n], walk[n, :n] = (1 - teleport) * p, teleport, 1 / n
    values, vectors = torch.linalg.eig(walk.t())
    pi = vectors[:n, values.real.argmax()].real.abs()
    root = torch.diag((pi / pi.sum()).sqrt())
    lap = (root @ p @ root.inverse() + root.inverse() @ p.t() @ root) / 2
    scale = inverse_power(lap.sum(1), 0.5)
    return scale @ lap @ scale


@pytest.mark.parametrize("channels", [4, 8])
@pytest.mark.parametrize("kind", [kind for kind in SHAPES if kind != "no nodes"])
def test_it_is_the_dense_formula(kind, channels):
    torch.manual_seed(0)
    edge_index, n = digraph(kind)
    x, conv = torch.randn(n, 6, dtype=torch.float64), DiGCNConv(6, channels, teleport=0.2).double()
    conv.bias.data.normal_()
    expected = page_rank(edge_index, n, 0.2) @ x @ conv.linear.weight.t() + conv.bias
    torch.testing.assert_close(conv(x, edge_index), expected, rtol=0, atol=1e-10)
    torch.testing.assert_close(conv(x.to_sparse_csr(), edge_index), expected, rtol=0, atol=1e-10)


def test_no_nodes_give_no_rows():
    assert DiGCNConv(6, 4)(torch.rand(0, 6), torch.empty(2, 0, dtype=torch.int64)).shape == (0, 4)


@pytest.mark.parametrize("teleport", [0.0, 1.0])
def test_a_teleport_out_of_range_is_refused(teleport):
    with pytest.raises(ValueError, match="'teleport' must lie between 0 and 1"):
        DiGCNConv(6, 4, teleport)
