from typing import Any

import pytest
import torch
from torch.nn import functional as F

from graphlab.directed import ClassicGNN
from tests.directed.graphs import GRAPHS, attention, incoming, looped, mean_of, symmetric, with_loops
from tests.directed.laws import check_ignored_weights_are_refused, check_node_network


def dense_conv(conv, kind, x, edge_index, n):
    if kind == "gcn":
        out = symmetric(with_loops(incoming(edge_index, n))) @ x @ conv.linear.weight.T
        return out if conv.bias is None else out + conv.bias
    if kind == "sage":
        out = x @ conv.own.weight.T + mean_of(incoming(edge_index, n)) @ x @ conv.neighbors.weight.T
        return out if conv.own.bias is None else out + conv.own.bias
    heads = []
    for head, value in enumerate((x @ conv.linear.weight.T).chunk(conv.heads, 1)):
        score = (value @ conv.att_dst[head])[:, None] + (value @ conv.att_src[head])[None, :]
        heads.append(attention(F.leaky_relu(score, 0.2), looped(edge_index, n)) @ value)
    return torch.cat(heads, 1) if conv.bias is None else torch.cat(heads, 1) + conv.bias


def dense_formula(net, x, edge_index):
    if net.pre_linear is not None:
        x = x @ net.pre_linear.weight.T + net.pre_linear.bias
    for k, conv in enumerate(net.convs):
        out = dense_conv(conv, net.conv, x, edge_index, len(x))
        if net.residuals is not None:
            out = out + x @ net.residuals[k].weight.T + net.residuals[k].bias
        x = net.norms[k](out).clamp(min=0)
    return x @ net.head.weight.T + net.head.bias


@pytest.mark.parametrize("graph", GRAPHS)
@pytest.mark.parametrize("conv", ["gcn", "sage", "gat"])
@pytest.mark.parametrize(
    "options",
    [{}, {"residual": True, "norm": "batch", "num_layers": 3}, {"pre_linear": True, "norm": "layer", "residual": True}],
    ids=["plain", "deep", "pre_linear"],
)
def test_the_dense_formula(conv, options, graph):
    edge_index, n = GRAPHS[graph]
    torch.manual_seed(0)
    net = ClassicGNN(3, 6, 2, conv=conv, heads=2, **options).double().eval()
    x = torch.randn(n, 3, dtype=torch.float64)
    torch.testing.assert_close(net(x, edge_index), dense_formula(net, x, edge_index), rtol=1e-10, atol=1e-10)


@pytest.mark.parametrize("conv", ["gcn", "sage", "gat"])
@pytest.mark.parametrize("norm", ["none", "batch"])
def test_laws(conv, norm):
    check_node_network(ClassicGNN(5, 6, 3, conv=conv, heads=3, norm=norm, residual=True, pre_linear=True), 5, 3)
    check_node_network(ClassicGNN(5, 4, 3, conv=conv, norm=norm), 5, 3)


def test_weights_scale_the_edges_of_gcn():
    edge_index, n = GRAPHS["plain"]
    weight = torch.rand(edge_index.size(1), dtype=torch.float64)
    net = ClassicGNN(3, 4, 2, num_layers=1).double().eval()
    x = torch.randn(n, 3, dtype=torch.float64)
    dense = symmetric(with_loops(incoming(edge_index, n, weight)))
    conv: Any = net.convs[0]
    hidden = (dense @ x @ conv.linear.weight.T + conv.bias).clamp(min=0)
    torch.testing.assert_close(net(x, edge_index, weight), net.head(hidden), rtol=1e-10, atol=1e-10)


@pytest.mark.parametrize("conv", ["sage", "gat"])
def test_weights_that_are_not_read_are_refused(conv):
    check_ignored_weights_are_refused(ClassicGNN(3, 4, 2, conv=conv), 3)


def test_wrong_arguments_are_named():
    with pytest.raises(ValueError, match="'conv' must be one of 'gcn', 'sage', 'gat', got 'gin'"):
        ClassicGNN(3, 4, 2, conv="gin")  # pyright: ignore[reportArgumentType]
    with pytest.raises(ValueError, match="'norm' must be one of 'none', 'batch', 'layer', got 'bn'"):
        ClassicGNN(3, 4, 2, norm="bn")  # pyright: ignore[reportArgumentType]
    with pytest.raises(ValueError, match="'heads' must divide the width of 4, got 3"):
        ClassicGNN(3, 4, 2, conv="gat", heads=3)
    with pytest.raises(ValueError, match="'num_layers' must be at least 1, got 0"):
        ClassicGNN(3, 4, 2, num_layers=0)
