import pytest
import torch
import torch.nn.functional as F

from graphlab.directed import FaberNet
from graphlab.models import Problem, build
from graphlab.models.directed_config import FaberNetConfig
from tests.directed.layer_graphs import SHAPES, digraph


@pytest.mark.parametrize("complex_weights", [True, False])
@pytest.mark.parametrize("kind", SHAPES)
def test_it_trains_on_every_graph(kind, complex_weights):
    edge_index, n = digraph(kind)
    net = FaberNet(5, 4, 3, order=2, complex_weights=complex_weights, learn_alpha=True, dropout=0.5, jk="cat")
    net(torch.randn(n, 5), edge_index).sum().backward()
    assert all(bool(p.grad.isfinite().all()) for p in net.parameters())


@pytest.mark.parametrize("complex_weights", [True, False])
def test_it_is_its_layers_one_after_another(complex_weights):
    edge_index, n = digraph("twice")
    net = FaberNet(6, 4, 3, 2, order=2, complex_weights=complex_weights, negative_slope=0.1, normalize=True).double()
    x = h = torch.randn(n, 6, dtype=torch.float64)
    found = []
    for conv in net.convs:
        h = F.normalize(F.leaky_relu(conv(h, edge_index), 0.1))
        found.append(h)
    expected = net.head(torch.maximum(*found))
    torch.testing.assert_close(net(x, edge_index), expected, rtol=0, atol=1e-10)
    torch.testing.assert_close(net(x.to_sparse_csr(), edge_index), expected, rtol=0, atol=1e-10)


def test_imaginary_weights_are_told_by_their_names():
    net = FaberNet(5, 4, 3, 2, complex_weights=True)
    real, imag = ([p for name, p in net.named_parameters() if part in name] for part in ("real", "imag"))
    assert [p.shape for p in real] == [p.shape for p in imag] and len(real) == 4


def test_a_configuration_builds_it():
    net = build(FaberNetConfig(complex_weights=True, hidden_channels=5), Problem("node-classification", 8, 3))
    assert isinstance(net, FaberNet) and net.head.in_features == 10
