import itertools

import pytest
import torch

from graphlab import nn
from graphlab.ops import Graph

from .twins import CHANNELS, NODES, compare, edges, make, rows, twins


@pytest.mark.parametrize("options", list(itertools.product([False, True], repeat=4)), ids=str)
def test_options(options):
    names = ("concat", "beta", "bias", "root_weight")
    build = make("TransformerConv", CHANNELS, 5, heads=3, **dict(zip(names, options, strict=True)))
    compare(build, rows(), edges())
    compare(build, (rows(), rows(7, seed=3)), edges(NODES, 7))


def test_edge_attributes_and_weights_are_left_to_pyg():
    edge_index = edges()
    edge_attr = rows(edge_index.size(1), 3)
    graph = Graph.from_edge_index(edge_index, (NODES, NODES))
    theirs, ours = twins(make("TransformerConv", CHANNELS, 5, heads=2, edge_dim=3))
    plain_theirs, plain_ours = twins(make("TransformerConv", CHANNELS, 5, heads=2))
    expected = theirs(rows(), edge_index, edge_attr)
    for form in (edge_index, graph):
        assert ours.fallback_reason(rows(), form, edge_attr) == "there are edge attributes"
        torch.testing.assert_close(ours(rows(), form, edge_attr), expected)
        _, (same, alpha) = plain_ours(rows(), form, return_attention_weights=True)
        _, (edge_index, expected_alpha) = plain_theirs(rows(), edge_index, return_attention_weights=True)
        assert torch.equal(same, edge_index)
        torch.testing.assert_close(alpha, expected_alpha)


def test_other_aggregation_is_left_to_pyg():
    compare(make("TransformerConv", CHANNELS, 5, aggr="max"), rows(), edges(), fused=False)


def test_dropout_drops_in_training_only_and_keeps_the_mean():
    torch.manual_seed(0)
    conv = nn.TransformerConv(CHANNELS, 4, heads=2, dropout=0.5)
    expected = conv.eval()(rows(), edges())
    assert torch.equal(conv(rows(), edges()), expected)
    conv.train()
    torch.manual_seed(1)
    first, second = conv(rows(), edges()), conv(rows(), edges())
    torch.manual_seed(1)
    assert torch.equal(conv(rows(), edges()), first) and not torch.equal(first, second)
    mean = torch.stack([conv(rows(), edges()).detach() for _ in range(1000)]).mean(0)
    torch.testing.assert_close(mean, expected.detach(), rtol=0, atol=0.2)
