import pytest
import torch

from graphlab.directed import MagNet
from graphlab.models import Problem, build
from graphlab.models.directed_config import MagNetConfig
from tests.directed.layer_graphs import SHAPES, digraph


def test_it_is_its_layers_between_complex_relus():
    torch.manual_seed(0)
    edge_index, n = digraph("dense")
    net = MagNet(6, 4, 3, num_layers=3, order=2, q=0.1).double().eval()
    x = torch.randn(n, 6, dtype=torch.float64)
    z = torch.complex(x, x)
    for conv in net.convs:
        z = torch.complex(*conv((z.real, z.imag), edge_index))
        z = torch.where(z.real >= 0, z, 0)
    expected = net.head(torch.cat([z.real, z.imag], 1))
    torch.testing.assert_close(net(x, edge_index), expected, rtol=0, atol=1e-10)
    torch.testing.assert_close(net(x.to_sparse_csr(), edge_index), expected, rtol=0, atol=1e-10)


@pytest.mark.parametrize("kind", SHAPES)
def test_it_trains_on_every_graph(kind):
    edge_index, n = digraph(kind)
    net = MagNet(6, 4, 3)
    net(torch.randn(n, 6), edge_index).sum().backward()
    assert all(bool(p.grad.isfinite().all()) for p in net.parameters())


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"num_layers": 0}, "'num_layers' must be at least 1, got 0"),
        ({"dropout": 1.0}, r"'dropout' must be in \[0, 1\)"),
    ],
)
def test_bad_arguments_are_refused(given, message):
    with pytest.raises(ValueError, match=message):
        MagNet(6, 4, 3, **given)


def test_a_configuration_builds_it():
    assert isinstance(build(MagNetConfig(q=0.1), Problem("node-classification", 8, 3)), MagNet)
