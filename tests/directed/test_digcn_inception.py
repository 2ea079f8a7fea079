import pytest
import torch

from graphlab.directed import DiGCNInception
from graphlab.models import Problem, build
from graphlab.models.directed_config import DiGcnInceptionConfig
from tests.directed.layer_graphs import SHAPES, digraph


@pytest.mark.parametrize("kind", SHAPES)
def test_it_trains_on_every_graph(kind):
    edge_index, n = digraph(kind)
    net = DiGCNInception(6, 4, 3)
    net(torch.randn(n, 6), edge_index).sum().backward()
    assert all(bool(p.grad.isfinite().all()) for p in net.parameters())


def test_it_is_its_blocks_one_after_another():
    edge_index, n = digraph("dense")
    net = DiGCNInception(6, 4, 3).double().eval()
    x = torch.randn(n, 6, dtype=torch.float64)
    one, two, three = net.convs
    expected = three(two(one(x, edge_index).relu(), edge_index).relu(), edge_index)
    torch.testing.assert_close(net(x, edge_index), expected, rtol=0, atol=1e-10)


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"num_layers": 0}, "'num_layers' must be at least 1, got 0"),
        ({"dropout": 1.0}, r"'dropout' must be in \[0, 1\)"),
    ],
)
def test_bad_arguments_are_refused(given, message):
    with pytest.raises(ValueError, match=message):
        DiGCNInception(6, 4, 3, **given)


def test_a_configuration_builds_it():
    assert isinstance(build(DiGcnInceptionConfig(), Problem("node-classification", 8, 3)), DiGCNInception)
