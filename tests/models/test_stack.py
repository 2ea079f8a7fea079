import pytest
import torch

from graphlab.models import GinConfig, MlpConfig, Problem, SageConfig, build

NODES = Problem("node-classification", in_channels=5, out_channels=3)
GRAPHS = Problem("graph-classification", in_channels=5, out_channels=3)
SYMMETRIC = [
    SageConfig(hidden_channels=8),
    SageConfig(hidden_channels=8, aggr="mean,max"),
    GinConfig(hidden_channels=8),
    MlpConfig(hidden_channels=8, norm="layer"),
]
# A tree's shape depends on the order of its leaves.
CONFIGS = [*SYMMETRIC, SageConfig(hidden_channels=8, aggr="treelcm")]


def graph(seed: int, nodes: int = 12, edges: int = 40) -> tuple[torch.Tensor, torch.Tensor]:
    generator = torch.Generator().manual_seed(seed)
    x = torch.randn(nodes, 5, generator=generator)
    return x, torch.randint(nodes, (2, edges), generator=generator)


def network(config, problem):
    torch.manual_seed(0)
    return build(config, problem).eval()


@pytest.mark.parametrize("config", SYMMETRIC, ids=repr)
def test_renaming_the_nodes_renames_the_outputs(config):
    net, (x, edge_index) = network(config, NODES), graph(1)
    order = torch.randperm(12, generator=torch.Generator().manual_seed(2))
    place = torch.empty_like(order)
    place[order] = torch.arange(12)
    torch.testing.assert_close(net(x[order], place[edge_index]), net(x, edge_index)[order])


@pytest.mark.parametrize("config", CONFIGS, ids=repr)
def test_a_graph_is_read_the_same_alone_and_in_a_batch(config):
    net = network(config, GRAPHS)
    (x1, e1), (x2, e2) = graph(1), graph(2, nodes=7, edges=11)
    batch = torch.tensor([0] * 12 + [1] * 7)
    together = net(torch.cat([x1, x2]), torch.cat([e1, e2 + 12], dim=1), batch, 2)
    alone = torch.cat([net(x1, e1), net(x2, e2)])
    torch.testing.assert_close(together, alone, rtol=1e-5, atol=1e-6)


def test_the_perceptron_sees_no_edges_and_the_others_do():
    x, edge_index = graph(3)
    for config in CONFIGS:
        net = network(config, NODES)
        same = torch.equal(net(x, edge_index), net(x, edge_index.flip(0)))
        assert same == (type(config) is MlpConfig), config


def test_sage_layer_is_its_equation():
    config = SageConfig(hidden_channels=8, num_layers=1, aggr="sum")
    net, (x, edge_index) = network(config, NODES), graph(4)
    hidden = net.encoder(x).relu()
    received = torch.zeros_like(hidden).index_add(0, edge_index[1], hidden[edge_index[0]])
    layer = net.layers[0]
    expected = net.head((layer.lin_l(received) + layer.lin_r(hidden)).relu())
    torch.testing.assert_close(net(x, edge_index), expected)


def test_gin_layer_is_its_equation():
    config = GinConfig(hidden_channels=8, num_layers=1, norm="none")
    net, (x, edge_index) = network(config, NODES), graph(4)
    hidden = net.encoder(x).relu()
    received = hidden.index_add(0, edge_index[1], hidden[edge_index[0]])
    torch.testing.assert_close(net(x, edge_index), net.head(net.layers[0].nn(received).relu()))
