"""A graph's mean is of its own nodes."""

import pytest
import torch

from graphlab.subgraph.graph_pool import graph_pool

X = torch.tensor([[1.0], [3.0], [5.0]])


def test_means():
    assert graph_pool(X, torch.tensor([0, 0, 2])).tolist() == [[2], [0], [5]]
    assert graph_pool(X, torch.tensor([0, 0, 0]), 2).tolist() == [[3], [0]]
    assert graph_pool(X, None).tolist() == [[3]]
    assert graph_pool(X[:0], None).tolist() == [[0]]
    assert graph_pool(X, torch.tensor([0, 0, 2]), reduce="sum").tolist() == [[4], [0], [5]]


@pytest.mark.parametrize(
    ("batch", "batch_size", "message"),
    [
        ([0, 0], None, "one int64 number for each of the 3 nodes"),
        ([1, 0, 0], None, "must be sorted"),
        ([0, 0, 3], 2, "'batch_size' is 2, but 'batch' names 4 graphs"),
    ],
)
def test_errors(batch, batch_size, message):
    with pytest.raises(ValueError, match=message):
        graph_pool(X, torch.tensor(batch), batch_size)
