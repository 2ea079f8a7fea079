import pytest
import torch

from graphlab.directed import is_direction_genuine


@pytest.mark.parametrize(
    ("edges", "genuine"),
    [
        ([(0, 1), (1, 2), (0, 2)], False),  # rows below columns
        ([(0, 1), (1, 2), (2, 2), (0, 1)], False),  # a loop and an edge twice do not make it directed
        ([(1, 0), (2, 1)], False),
        ([(0, 1), (1, 0), (2, 1), (1, 2)], False),  # undirected
        ([(0, 1), (1, 0), (2, 1), (1, 2), (1, 2)], False),
        ([(0, 1), (1, 0), (2, 1)], True),
        ([(0, 1), (2, 0)], True),
        ([(1, 1)], False),
    ],
)
def test_directions(edges, genuine):
    assert is_direction_genuine(torch.tensor(edges).T) == genuine


def test_no_edges_have_no_direction():
    assert not is_direction_genuine(torch.empty(2, 0, dtype=torch.long))


def test_a_sparse_adjacency_is_read_as_pyg_reads_it():
    adj_t = torch.sparse_coo_tensor(torch.tensor([[1, 0], [0, 2]]), torch.ones(2), (3, 3))
    assert is_direction_genuine(adj_t)
