"""Normalisations take rows and the graph of each."""

import pytest
import torch

from graphlab.subgraph.pair_norm import pair_norm
from tests.subgraph.dense_networks import dense_norm, drawn

GRAPH = torch.tensor([0, 0, 0, 2, 2, 2, 2])


@pytest.mark.parametrize("training", [False, True])
@pytest.mark.parametrize("norm", ["batch_norm", "graph_norm", None])
def test_is_the_formula_written_down(norm, training):
    module = drawn(pair_norm(norm, 4)).train(training)
    x = torch.randn(7, 4).double()
    expected = dense_norm(module, x, GRAPH)
    torch.testing.assert_close(module(x, GRAPH, 4), expected, rtol=1e-12, atol=1e-12)


def test_one_row_is_held_against_what_was_seen_before():
    module, x = drawn(pair_norm("batch_norm", 3)).eval(), torch.randn(1, 3).double()
    expected, seen = dense_norm(module, x, GRAPH[:1]), module.running_mean.clone()
    torch.testing.assert_close(module.train()(x, GRAPH[:1], 1), expected, rtol=1e-12, atol=1e-12)
    assert module.running_mean.equal(seen)


@pytest.mark.parametrize("norm", ["batch_norm", "graph_norm", None])
def test_no_rows(norm):
    module = drawn(pair_norm(norm, 3)).eval()
    assert module(torch.zeros(0, 3).double(), GRAPH[:0], 2).shape == (0, 3)


def test_parameters_are_drawn_anew():
    for norm in ("batch_norm", "graph_norm"):
        module = drawn(pair_norm(norm, 3))
        module.reset_parameters()
        assert module.weight.tolist() == [1, 1, 1] and not module.bias.any()
    pair_norm(None, 3).reset_parameters()


def test_errors():
    with pytest.raises(ValueError, match="'norm' must be one of 'batch_norm', 'graph_norm', None, got 'layer'"):
        pair_norm("layer", 3)
