"""A graph's mean is of its own nodes."""

import pytest
import torch

from graphlab.subgraph.graph_pool import graph_mean

X = torch.tensor([[1.0], [3.0], [5.0]])


def test_means():
    assert graph_mean(X, torch.tensor([0, 0, 2])).tolist() == [[2], [0], [5]]
    assert graph_mean(X, torch.tensor([0, 0, 0]), 2).tolist() == [[3], [0]]
    assert graph_mean(X, None).tolist() == [[3]]
    assert graph_mean(X[:0], None).tolist() == [[0]]


@pytest.mark.parametrize(
    ("batch", "batch_size", "message"),
    [([0, 0], None, "ascending"), ([1, 0, 0], None, "ascending"), ([0, 0, 3], 2, "expected less than batch_size=2")],
)
def test_errors(batch, batch_size, message):
    with pytest.raises(ValueError, match=message):
        graph_mean(X, torch.tensor(batch), batch_size)
