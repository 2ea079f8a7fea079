import itertools

import pytest
import torch

from graphlab.ops import Graph

from .twins import AGGREGATORS, CHANNELS, DEGREES, NODES, SCALERS, compare, edges, make, rows, twins


def pna(aggregators=("mean", "max"), scalers=("identity", "attenuation"), **kwargs):
    return make("PNAConv", CHANNELS, 12, list(aggregators), list(scalers), DEGREES, **kwargs)


@pytest.mark.parametrize("aggregator", AGGREGATORS)
def test_aggregators(aggregator):
    # What a spread does not feel would have no gradient at all instead of zeros.
    compare(pna([aggregator]), rows(), edges(), fused=aggregator not in ("std", "var"))
    compare(pna(["mean", aggregator]), rows(), edges())


@pytest.mark.parametrize("scaler", SCALERS)
def test_scalers(scaler):
    compare(pna(AGGREGATORS, [scaler]), rows(), edges())


@pytest.mark.parametrize(
    ("towers", "divide_input", "post_layers"), list(itertools.product([1, 4], [False, True], [1, 3]))
)
def test_towers(towers, divide_input, post_layers):
    compare(pna(towers=towers, divide_input=divide_input, post_layers=post_layers), rows(), edges())


def test_repeated_aggregators():
    compare(pna(["max", "mean", "max"]), rows(), edges())


def test_more_layers_before_the_aggregation_are_left_to_pyg():
    compare(pna(pre_layers=2), rows(), edges(), fused=False)


def test_edge_attributes_are_left_to_pyg():
    edge_index = edges()
    edge_attr = rows(edge_index.size(1), 3)
    theirs, ours = twins(pna(edge_dim=3))
    graph = Graph.from_edge_index(edge_index, (NODES, NODES))
    assert ours.fallback_reason(rows(), edge_index, edge_attr) == "there are edge attributes"
    expected = theirs(rows(), edge_index, edge_attr)
    torch.testing.assert_close(ours(rows(), edge_index, edge_attr), expected)
    torch.testing.assert_close(ours(rows(), graph, edge_attr), expected)


def test_changed_network_before_the_aggregation_is_left_to_pyg():
    theirs, ours = twins(pna())
    for layer in (theirs, ours):
        layer.pre_nns[0].append(torch.nn.ReLU())
    assert ours.fallback_reason(rows(), edges()) == "there is more than one layer before the aggregation"
    torch.testing.assert_close(ours(rows(), edges()), theirs(rows(), edges()))


@pytest.mark.parametrize("place", ["pre_nns", "post_nns"])
def test_hook_of_a_linear_map_runs(place):
    theirs, ours = twins(pna(post_layers=2))
    for layer in (theirs, ours):
        getattr(layer, place)[0][0].register_forward_hook(lambda layer, inputs, out: 2 * out)
    assert ours.fallback_reason(rows(), edges()) == "a linear map next to the aggregation was changed"
    torch.testing.assert_close(ours(rows(), edges()), theirs(rows(), edges()))
