import pytest
import torch
from torch_geometric import nn as pyg

from graphlab.directed import DirSAGEConv
from tests.directed.layer_graphs import SHAPES, dense_adjacency, digraph, inverse_power


@pytest.mark.parametrize("channels", [4, 8])
@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("kind", SHAPES)
def test_it_is_the_dense_formula(kind, weighted, channels):
    torch.manual_seed(0)
    edge_index, n = digraph(kind)
    weight = torch.rand(edge_index.size(1), dtype=torch.float64) if weighted else None
    x = torch.randn(n, 6, dtype=torch.float64)
    conv = DirSAGEConv(6, channels, alpha=0.3).double()
    a = dense_adjacency(edge_index, n, weight)
    out, into = (inverse_power(m.sum(1), 1) @ m for m in (a, a.t()))
    expected = 0.3 * out @ x @ conv.out.weight.t() + 0.7 * into @ x @ conv.into.weight.t()
    expected = expected + x @ conv.root.weight.t() + conv.bias
    torch.testing.assert_close(conv(x, edge_index, weight), expected, rtol=0, atol=1e-10)


@pytest.mark.parametrize("alpha", [0.0, 0.3, 1.0])
def test_with_copied_weights_it_is_pygs_gradients_too(alpha):
    torch.manual_seed(0)
    edge_index, n = digraph("twice")
    x, theirs = torch.randn(n, 6), pyg.DirGNNConv(pyg.SAGEConv(6, 4), alpha=alpha)
    ours = DirSAGEConv(6, 4, alpha)
    pairs = {"root": theirs.lin.weight, "out": theirs.conv_out.lin_l.weight, "into": theirs.conv_in.lin_l.weight}
    pairs = {f"{name}.weight": weight for name, weight in pairs.items() if getattr(ours, name) is not None}
    bias = theirs.lin.bias + alpha * theirs.conv_out.lin_l.bias + (1 - alpha) * theirs.conv_in.lin_l.bias
    ours.load_state_dict({**pairs, "bias": bias})
    torch.testing.assert_close(ours(x, edge_index), theirs(x, edge_index), rtol=1e-5, atol=1e-5)
    ours(x, edge_index).square().sum().backward()
    theirs(x, edge_index).square().sum().backward()
    parameters = dict(ours.named_parameters())
    for name, weight in pairs.items():
        torch.testing.assert_close(parameters[name].grad, weight.grad, rtol=1e-5, atol=1e-4)
