import pytest
import torch
from torch_geometric import nn as pyg

from graphlab.directed import DirGCNConv
from tests.directed.layer_graphs import SHAPES, balanced, dense_adjacency, digraph, dir_normalized


@pytest.mark.parametrize("channels", [4, 8])
@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("kind", SHAPES)
def test_it_is_the_dense_formula(kind, weighted, channels):
    torch.manual_seed(0)
    edge_index, n = digraph(kind)
    weight = torch.rand(edge_index.size(1), dtype=torch.float64) if weighted else None
    x = torch.randn(n, 6, dtype=torch.float64)
    conv = DirGCNConv(6, channels, alpha=0.3, root_weight=True).double()
    a = dir_normalized(dense_adjacency(edge_index, n, weight))
    expected = 0.3 * a @ x @ conv.out.weight.t() + 0.7 * a.t() @ x @ conv.into.weight.t()
    expected = expected + x @ conv.root.weight.t() + conv.bias
    torch.testing.assert_close(conv(x, edge_index, weight), expected, rtol=0, atol=1e-10)


def test_values_of_a_sparse_adjacency_are_weights():
    edge_index = torch.unique(digraph("dense")[0], dim=1)
    weight = torch.rand(edge_index.size(1), dtype=torch.float64)
    adj_t = torch.sparse_coo_tensor(edge_index.flip(0), weight, (9, 9))
    conv, x = DirGCNConv(3, 2).double(), torch.rand(9, 3, dtype=torch.float64)
    torch.testing.assert_close(conv(x, adj_t), conv(x, edge_index, weight), rtol=0, atol=1e-10)


@pytest.mark.parametrize("alpha", [0.3, 1.0])
def test_with_copied_weights_it_is_pygs_where_degrees_balance(alpha):
    torch.manual_seed(0)
    edge_index, x = balanced(12, 3), torch.randn(12, 6)
    theirs, ours = pyg.DirGNNConv(pyg.GCNConv(6, 4), alpha=alpha), DirGCNConv(6, 4, alpha, root_weight=True)
    state = {"out.weight": theirs.conv_out.lin.weight, "root.weight": theirs.lin.weight}
    if alpha < 1:
        state["into.weight"] = theirs.conv_in.lin.weight
    state["bias"] = alpha * theirs.conv_out.bias + (1 - alpha) * theirs.conv_in.bias + theirs.lin.bias
    ours.load_state_dict(state)
    torch.testing.assert_close(ours(x, edge_index), theirs(x, edge_index), rtol=1e-5, atol=1e-5)
