import pytest
import torch
from torch.nn import functional as F

from graphlab.directed import ResidualGNN
from tests.directed.graphs import GRAPHS, attention, incoming, looped, mean_of, symmetric, with_loops
from tests.directed.laws import check_ignored_weights_are_refused, check_node_network

LAYERS = ["none", "gcn", "sage", "gat", "gat-sep", "gt", "gt-sep"]


def dense_perceptron(block, x):
    first, _, _, second, _ = block.feed_forward
    return F.gelu(x @ first.weight.T + first.bias) @ second.weight.T + second.bias


def dense_gat(block, x, edge_index, separate):
    x = block.value(x)
    score = block.score_dst(x).T[:, :, None] + block.score_src(x).T[:, None, :]
    chunks = zip(score, x.chunk(block.heads, 1), strict=True)
    message = torch.cat([attention(F.leaky_relu(s, 0.2), edge_index) @ v for s, v in chunks], 1)
    return dense_perceptron(block, torch.cat([x, message], 1) if separate else message)


def dense_transformer(block, x, edge_index, separate):
    parts = (part(x).chunk(block.heads, 1) for part in (block.query, block.key, block.value))
    message = torch.cat(
        [attention(q @ k.T / q.size(1) ** 0.5, edge_index) @ v for q, k, v in zip(*parts, strict=True)], 1
    )
    return block.out(torch.cat([x, message], 1) if separate else message)


def dense_formula(net, x, edge_index):
    n, kind = len(x), net.layer.removesuffix("-sep")
    separate = net.layer.endswith("-sep")
    edges = edge_index if separate else looped(edge_index, n)
    x = F.gelu(x @ net.encoder.weight.T + net.encoder.bias)
    for k, (norm, block) in enumerate(zip(net.norms, net.blocks, strict=True)):
        h = norm(x)
        if kind == "gat":
            h = dense_gat(block, h, edges, separate)
        elif kind == "gt" and k % 2 == 0:
            h = dense_transformer(block, h, edges, separate)
        elif kind == "gcn":
            h = dense_perceptron(block, symmetric(with_loops(incoming(edge_index, n))) @ h)
        elif kind == "sage":
            h = dense_perceptron(block, torch.cat([h, mean_of(incoming(edge_index, n)) @ h], 1))
        else:
            h = dense_perceptron(block, h)
        x = x + h
    return net.norm(x) @ net.head.weight.T + net.head.bias


@pytest.mark.parametrize("graph", GRAPHS)
@pytest.mark.parametrize("layer", LAYERS)
def test_the_dense_formula(layer, graph):
    edge_index, n = GRAPHS[graph]
    torch.manual_seed(0)
    net = ResidualGNN(3, 6, 2, num_layers=2, layer=layer, heads=2, hidden_mult=1.5).double().eval()
    x = torch.randn(n, 3, dtype=torch.float64)
    torch.testing.assert_close(net(x, edge_index), dense_formula(net, x, edge_index), rtol=1e-10, atol=1e-10)


@pytest.mark.parametrize("layer", LAYERS)
def test_laws(layer):
    check_node_network(ResidualGNN(5, 6, 3, layer=layer, heads=3), 5, 3)


@pytest.mark.parametrize("layer", [layer for layer in LAYERS if layer != "gcn"])
def test_weights_that_are_not_read_are_refused(layer):
    check_ignored_weights_are_refused(ResidualGNN(3, 8, 2, layer=layer), 3)


def test_a_network_without_edges_reads_each_node_alone():
    net = ResidualGNN(5, 8, 2, layer="none").eval()
    x = torch.randn(6, 5)
    alone = torch.cat([net(row[None], torch.zeros(2, 0, dtype=torch.int64)) for row in x])
    torch.testing.assert_close(net(x, torch.tensor([[0, 1, 2], [3, 4, 5]])), alone)


def test_wrong_arguments_are_named():
    with pytest.raises(ValueError, match=r"'layer' must be one of 'none', .*, got 'mlp'"):
        ResidualGNN(3, 8, 2, layer="mlp")  # pyright: ignore[reportArgumentType]
    with pytest.raises(ValueError, match="'heads' must divide the width of 12, got 8"):
        ResidualGNN(3, 12, 2, layer="gt")
