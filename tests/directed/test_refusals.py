"""Arguments and features that no network of this room takes are named, in the constructor where it can be told."""

import math
from typing import Any

import pytest
import torch
from torch import nn

from graphlab import directed
from graphlab.models.base_config import NodeNetConfig
from graphlab.models.config import MODELS

NETWORKS = {
    config.network.partition(":")[2]: config
    for config in MODELS.values()
    if issubclass(config, NodeNetConfig) and config.network.startswith("graphlab.directed:")
}
EDGES = torch.tensor([[0, 1, 2], [1, 2, 3]])


def network(name: str, in_channels: int = 6, hidden_channels: int = 8, **options: Any) -> nn.Module:
    if name in ("A2DUG", "GloGNN", "LINKX"):
        options["num_nodes"] = 4
    return getattr(directed, name)(in_channels, hidden_channels, 3, **options)


@pytest.mark.parametrize("name", NETWORKS)
@pytest.mark.parametrize("hidden_channels", [0, -1])
def test_hidden_layers_have_a_width(name, hidden_channels):
    with pytest.raises(ValueError, match=f"'hidden_channels' must be at least 1, got {hidden_channels}"):
        network(name, hidden_channels=hidden_channels)


@pytest.mark.parametrize("name", [name for name, c in NETWORKS.items() if "dropout" in c.__dataclass_fields__])
@pytest.mark.parametrize("dropout", [1, -0.1, 2.0, math.nan])
def test_dropout_leaves_something(name, dropout):
    with pytest.raises(ValueError, match=r"'dropout' must be in \[0, 1\), got"):
        network(name, dropout=dropout)


@pytest.mark.parametrize("name", ["LightDiC", "MagNet"])
@pytest.mark.parametrize("q", [math.nan, math.inf])
def test_the_phase_is_finite(name, q):
    with pytest.raises(ValueError, match="'q' must be a finite number, got"):
        network(name, q=q)


@pytest.mark.parametrize("name", NETWORKS)
@pytest.mark.parametrize(
    ("x", "message"),
    [
        (torch.zeros(4, 5), r"'x' must .*\(num_nodes, 6\).*\(4, 5\)"),
        (torch.zeros(4), r"'x' must .*\(num_nodes, 6\).*\(4,\)"),
        (torch.zeros(4, 6, dtype=torch.int64), r"'x' must .*torch\.int64"),
        (torch.zeros(4, 6, dtype=torch.int64).to_sparse_csr(), r"'x' must .*torch\.int64"),
        (torch.zeros(4, 6, dtype=torch.float64), r"'(x|hops)' must .*torch\.float32.*torch\.float64"),
    ],
)
def test_features_of_another_kind_are_named(name, x, message):
    with pytest.raises(ValueError, match=message):
        network(name)(x, EDGES)


@pytest.mark.parametrize("name", NETWORKS)
def test_features_in_columns_serve(name):
    torch.manual_seed(0)
    net, x = network(name).eval(), torch.rand(4, 6)
    torch.testing.assert_close(net(x.to_sparse_csc(), EDGES), net(x, EDGES))


@pytest.mark.parametrize("name", NETWORKS)
def test_half_the_precision_comes_by_autocast(name):
    net, x = network(name).eval(), torch.rand(4, 6)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        assert net(x, EDGES).isfinite().all()


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("GPRGNN", "num_hops=10, alpha=0.1"),
        ("GloGNN", "gamma=0.3, beta1=1.0, beta2=1.0"),
        ("LightDiC", "num_hops=4, q=0.035"),
        ("ADPA", "order=2"),
        ("FSGNN", "num_hops=3"),
    ],
)
def test_what_a_network_does_shows(name, shown):
    assert shown in repr(network(name))
