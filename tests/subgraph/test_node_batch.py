"""Batches are found fit, or refused by name."""

import pytest
import torch

from graphlab.subgraph.node_batch import checked_batch


def test_one_graph_by_default():
    batch, batch_size = checked_batch(None, 3, None)
    assert (batch.tolist(), batch_size) == ([0, 0, 0], 1)
    assert checked_batch(None, 3, 4)[1] == 4


def test_graphs_are_counted_up_to_the_last_that_has_a_node():
    batch = torch.tensor([0, 0, 2])
    assert checked_batch(batch, 3, None) == (batch, 3)
    assert checked_batch(batch, 3, 5) == (batch, 5)


@pytest.mark.parametrize("batch", [None, torch.zeros(0, dtype=torch.long)])
def test_no_nodes_are_of_as_many_graphs_as_are_given(batch):
    found = [checked_batch(batch, 0, batch_size) for batch_size in (0, 2)]
    assert [(numbers.numel(), batch_size) for numbers, batch_size in found] == [(0, 0), (0, 2)]


@pytest.mark.parametrize(
    ("batch", "batch_size", "message"),
    [
        (None, 0, "'batch_size' must be at least 1 for 2 nodes, got 0; leave it out"),
        (torch.tensor([0, 1]), 0, "'batch_size' is 0, but 'batch' names 2 graphs"),
        (torch.tensor([0, 1]), 1, "'batch_size' is 1, but 'batch' names 2 graphs"),
        (torch.tensor([0]), None, "'batch' must hold one int64 number for each of the 2 nodes"),
        (torch.tensor([0.0, 1.0]), None, "got torch.float32 of shape"),
        (torch.tensor([[0, 1]]), None, r"got torch.int64 of shape \(1, 2\)"),
        (torch.tensor([1, 0]), None, "'batch' must be sorted and not negative"),
        (torch.tensor([-1, 0]), None, "'batch' must be sorted and not negative"),
    ],
)
def test_errors(batch, batch_size, message):
    with pytest.raises(ValueError, match=message):
        checked_batch(batch, 2, batch_size)
