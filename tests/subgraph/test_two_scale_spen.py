"""Two scales: products inside 1-hop nets beside 2-hop nets without."""

import pytest
import torch

from graphlab.subgraph import Bags, TwoScaleSPEN
from tests.subgraph.dense_networks import dense_encoder, dense_head, dense_norm, dense_pool, drawn
from tests.subgraph.graphs import nets, random_graph

SIZES = (7, 1, 5)
NUM_NODES = sum(SIZES)
BATCH = torch.arange(3).repeat_interleave(torch.tensor(SIZES))
EDGES = torch.cat([random_graph(n, 0.3, n) + first for n, first in zip(SIZES, (0, 7, 8), strict=True)], 1)
X, EDGE_ATTR = torch.rand(NUM_NODES, 3).double(), torch.rand(EDGES.size(1), 2).double()


def two_scales(**options):
    given = {"num_layers": 3, "size_classes": (2, 4), "large_size_classes": (2, 3, 6), "head_channels": (5,)}
    return drawn(TwoScaleSPEN(3, 4, 2, **given, **options)).eval()


def dense(net, pool="mean", edge_attr=None, **options):
    near, far = (
        dense_encoder(encoder, X, EDGES, nets(EDGES, NUM_NODES, num_hops), classes, BATCH, edge_attr, **options)
        for encoder, num_hops, classes in ((net.near, 1, (2, 4)), (net.far, 2, (2, 3, 6)))
    )
    pooled = dense_pool(torch.cat([near, far], 1), BATCH, 3, pool)
    return dense_head(net.head, dense_norm(net.pool.norm, pooled, torch.arange(3)))


@pytest.mark.parametrize(
    "options", [{}, {"norm": None}, {"norm": "graph_norm"}, {"pool": "sum"}, {"normalize": False}, {"jk": "cat"}]
)
def test_is_two_encoders_side_by_side(options):
    net = two_scales(**options)
    shared = {name: value for name, value in options.items() if name != "norm"}
    assert (net.near.convs[0].product, net.far.convs[0].product) == (True, False)
    torch.testing.assert_close(net(X, EDGES, BATCH, 3), dense(net, **shared), rtol=1e-11, atol=1e-11)


def test_edge_features_reach_both():
    net = two_scales(edge_dim=2)
    expected = dense(net, edge_attr=EDGE_ATTR)
    torch.testing.assert_close(net(X, EDGES, BATCH, 3, EDGE_ATTR), expected, rtol=1e-11, atol=1e-11)


def test_each_scale_gets_its_bags(monkeypatch):
    net = two_scales()
    expected = dense(net)
    bags = Bags.from_edge_index(EDGES, NUM_NODES, 1), Bags.from_edge_index(EDGES, NUM_NODES, 2)
    monkeypatch.setattr(Bags, "from_edge_index", None)
    torch.testing.assert_close(net(X, EDGES, BATCH, 3, bags=bags), expected, rtol=1e-11, atol=1e-11)


@pytest.mark.parametrize(("dropout", "repeats"), [(0.5, False), (0.0, True)])
def test_dropout_is_of_training_alone(dropout, repeats):
    net = two_scales(dropout=dropout, norm=None)
    assert net(X, EDGES, BATCH).equal(net(X, EDGES, BATCH))
    net.train()
    assert net(X, EDGES, BATCH).equal(net(X, EDGES, BATCH)) == repeats
