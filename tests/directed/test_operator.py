import torch

from graphlab.directed import adjacency


def test_rows_gather_from_out_neighbours_and_the_transposed_from_in_neighbours():
    edge_index = torch.tensor([[0, 0, 2, 1, 0], [1, 2, 2, 0, 1]])  # a loop, and an edge twice
    weight = torch.tensor([1.0, 2.0, 3.0, 4.0, 5.0], dtype=torch.float64)
    dense = torch.tensor([[0, 6, 2], [4, 0, 0], [0, 0, 3]], dtype=torch.float64)
    x = torch.rand(3, 4, dtype=torch.float64)
    operator = adjacency(edge_index, weight, num_nodes=3)
    assert operator.to_dense().equal(dense) and operator.T.to_dense().equal(dense.T)
    torch.testing.assert_close(operator @ x, dense @ x)
    torch.testing.assert_close(operator.T @ x, dense.T @ x)
    torch.testing.assert_close(operator.T.T @ x, dense @ x)
