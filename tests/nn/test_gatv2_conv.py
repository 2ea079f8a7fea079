import pytest
import torch

from graphlab import nn
from graphlab.ops import Graph

from .twins import CHANNELS, NODES, compare, edges, make, rows, twins

OPTIONS = {
    "averaged": {"concat": False},
    "slope": {"negative_slope": 0.01},
    "residual": {"residual": True},
    "averaged residual": {"residual": True, "concat": False},
    "no bias": {"bias": False},
    "shared": {"share_weights": True},
    "no loops": {"add_self_loops": False},
    "unused edge_dim": {"edge_dim": 3},
}


@pytest.mark.parametrize("options", OPTIONS.values(), ids=OPTIONS.keys())
@pytest.mark.parametrize("heads", [1, 3])
def test_options(options, heads):
    build = make("GATv2Conv", CHANNELS, 5, heads=heads, **options)
    compare(build, rows(), edges())
    compare(build, (rows(), rows(7, seed=3)), edges(NODES, 7))
    compare(build, (rows(7, seed=3), rows()), edges(7, NODES))


def test_edge_attributes_and_weights_are_left_to_pyg():
    edge_index = edges()
    edge_attr = rows(edge_index.size(1), 3)
    theirs, ours = twins(make("GATv2Conv", CHANNELS, 5, heads=2, edge_dim=3))
    graph = Graph.from_edge_index(edge_index, (NODES, NODES))
    expected = theirs(rows(), edge_index, edge_attr)
    for form in (edge_index, graph):
        assert ours.fallback_reason(rows(), form, edge_attr) == "there are edge attributes"
        torch.testing.assert_close(ours(rows(), form, edge_attr), expected)
        out, (looped, alpha) = ours(rows(), form, return_attention_weights=True)
        expected_out, (expected_looped, expected_alpha) = theirs(rows(), edge_index, return_attention_weights=True)
        assert torch.equal(looped, expected_looped)
        torch.testing.assert_close((out, alpha), (expected_out, expected_alpha))


def test_other_aggregation_is_left_to_pyg():
    compare(make("GATv2Conv", CHANNELS, 5, aggr="mean"), rows(), edges(), fused=False)


def test_targets_without_features_are_refused_as_by_pyg():
    _, ours = twins(make("GATv2Conv", CHANNELS, 5))
    with pytest.raises(AssertionError):
        ours((rows(), None), edges())


def test_dropout_drops_in_training_only_and_keeps_the_mean():
    torch.manual_seed(0)
    conv = nn.GATv2Conv(CHANNELS, 4, heads=2, dropout=0.5)
    expected = conv.eval()(rows(), edges())
    assert torch.equal(conv(rows(), edges()), expected)
    conv.train()
    torch.manual_seed(1)
    first, second = conv(rows(), edges()), conv(rows(), edges())
    torch.manual_seed(1)
    assert torch.equal(conv(rows(), edges()), first) and not torch.equal(first, second)
    mean = torch.stack([conv(rows(), edges()).detach() for _ in range(1000)]).mean(0)
    torch.testing.assert_close(mean, expected.detach(), rtol=0, atol=0.2)
