import numpy as np
import pytest
import torch

from graphlab.directed import digcn_operators, page_rank_operator, second_order_operator
from graphlab.ops import clear_cache
from tests.directed.digraphs import digraphs, power, simple


def walk(a: np.ndarray) -> np.ndarray:
    looped = a + np.eye(len(a))
    return looped / looped.sum(1, keepdims=True)


def perron(a: np.ndarray, alpha: float) -> np.ndarray:
    """The left eigenvector of the matrix with the auxiliary node, by a dense eigenvalue solver."""
    n = len(a)
    chain = np.block([[(1 - alpha) * walk(a), np.full((n, 1), alpha)], [np.full((1, n), 1 / n), np.zeros((1, 1))]])
    value, vector = np.linalg.eig(chain.T)
    pi = np.abs(vector[:n, np.argmin(np.abs(value - 1))].real)
    return pi / pi.sum()


@pytest.mark.parametrize("alpha", [0.1, 0.6])
def test_page_rank_operator_is_the_dense_formula(alpha):
    for edge_index, n in digraphs(200):
        a = simple(edge_index, n)
        p, root = walk(a), np.sqrt(perron(a, alpha))
        half = np.diag(root) @ p @ np.diag(1 / root)
        expected = (half + half.T) / 2
        expected = power(expected.sum(1), -0.5) @ expected @ power(expected.sum(1), -0.5)
        made = page_rank_operator(edge_index, num_nodes=n, teleport=alpha)
        np.testing.assert_allclose(made.to_dense(), expected, atol=1e-12)


@pytest.mark.parametrize("max_products", [1, 20, 10_000])
def test_second_order_operator_is_the_dense_formula_whatever_the_blocks(max_products, monkeypatch):
    monkeypatch.setattr(digcn_operators, "_MAX_PRODUCTS", max_products)
    clear_cache()  # equal edges would be remembered from other blocks
    for edge_index, n in digraphs(200):
        p = walk(simple(edge_index, n))
        out, into = p @ p.T, p.T @ p
        expected = np.where((out > 0) & (into > 0), (out + into) / 2, 0)
        expected = power(expected.sum(1), -0.5) @ expected @ power(expected.sum(1), -0.5)
        made = second_order_operator(edge_index, num_nodes=n)
        np.testing.assert_allclose(made.to_dense(), expected, atol=1e-12)


def test_weights_are_probabilities():
    edge_index, weight = torch.tensor([[0, 0, 1], [1, 2, 0]]), torch.tensor([1.0, 3.0, 2.0])
    made = page_rank_operator(edge_index, weight, num_nodes=3)
    repeated = edge_index[:, [0, 1, 1, 1, 2, 2]]  # a weight of 3 is an edge three times, weights of 1 adding up
    expected = page_rank_operator(repeated, torch.ones(6), num_nodes=3)
    torch.testing.assert_close(made.to_dense(), expected.to_dense())


@pytest.mark.parametrize("alpha", [0, 1, float("nan")])
def test_teleport_outside_its_range_is_refused(alpha):
    with pytest.raises(ValueError, match="'teleport' must lie between 0 and 1"):
        page_rank_operator(torch.tensor([[0], [1]]), num_nodes=2, teleport=alpha)


def test_no_nodes_and_no_edges():
    for operator in (page_rank_operator, second_order_operator):
        assert operator(torch.empty(2, 0, dtype=torch.long), num_nodes=0).to_dense().shape == (0, 0)
        torch.testing.assert_close(
            operator(torch.empty(2, 0, dtype=torch.long), num_nodes=2).to_dense(), torch.eye(2, dtype=torch.float64)
        )
