import torch

from graphlab.directed import DiGCN
from graphlab.models import Problem, build
from graphlab.models.directed_config import DiGcnConfig
from tests.directed.layer_graphs import digraph


def test_it_is_its_layers_one_after_another():
    edge_index, n = digraph("twice")
    net = DiGCN(6, 4, 3, teleport=0.2).double().eval()
    x = h = torch.randn(n, 6, dtype=torch.float64)
    for conv in net.convs:
        h = conv(h, edge_index).relu()
    torch.testing.assert_close(net(x, edge_index), net.head(h), rtol=0, atol=1e-10)


def test_a_configuration_builds_it():
    assert isinstance(build(DiGcnConfig(teleport=0.2), Problem("node-classification", 8, 3)), DiGCN)
