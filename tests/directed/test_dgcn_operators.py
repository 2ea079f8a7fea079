import numpy as np
import torch

from graphlab.directed import dgcn_operators
from tests.directed.digraphs import dense, digraphs, power, simple


def normalized(m: np.ndarray) -> np.ndarray:
    looped = m + np.eye(len(m))
    return power(looped.sum(1), -0.5) @ looped @ power(looped.sum(1), -0.5)


def test_they_are_the_dense_formulas_and_turning_the_edges_swaps_the_proximities():
    for edge_index, n in digraphs(200):
        a = simple(edge_index, n)
        made = dgcn_operators(edge_index, num_nodes=n)
        np.testing.assert_allclose(made.undirected.to_dense(), normalized(np.maximum(a, a.T)), atol=1e-12)
        in_proximity, out_proximity = a.T @ power(a.sum(1), -1) @ a, a @ power(a.sum(0), -1) @ a.T
        np.testing.assert_allclose(made.in_proximity.to_dense(), normalized(in_proximity), atol=1e-12)
        np.testing.assert_allclose(made.out_proximity.to_dense(), normalized(out_proximity), atol=1e-12)
        turned = dgcn_operators(edge_index.flip(0), num_nodes=n)
        np.testing.assert_allclose(turned.in_proximity.to_dense(), made.out_proximity.to_dense(), atol=1e-12)
        np.testing.assert_allclose(turned.out_proximity.to_dense(), made.in_proximity.to_dense(), atol=1e-12)


def test_entries_are_the_sums_of_the_paper():
    edge_index = torch.tensor([[0, 0, 1, 3, 3, 3], [1, 2, 2, 0, 1, 2]])
    a, n = simple(edge_index, 4), 4
    d_out, d_in = a.sum(1), a.sum(0)
    in_proximity, out_proximity = np.zeros((n, n)), np.zeros((n, n))
    for i in range(n):
        for j in range(n):
            in_proximity[i, j] = sum(a[k, i] * a[k, j] / d_out[k] for k in range(n) if d_out[k])
            out_proximity[i, j] = sum(a[i, k] * a[j, k] / d_in[k] for k in range(n) if d_in[k])
    made = dgcn_operators(edge_index, num_nodes=n)
    np.testing.assert_allclose(made.in_proximity.to_dense(), normalized(in_proximity), atol=1e-12)
    np.testing.assert_allclose(made.out_proximity.to_dense(), normalized(out_proximity), atol=1e-12)


def test_weights_enter_both_degrees():
    for edge_index, n in digraphs(50):
        weight = np.random.default_rng(n).random(edge_index.shape[1])
        a = dense(edge_index, n, weight)
        np.fill_diagonal(a, 0)
        made = dgcn_operators(edge_index, torch.from_numpy(weight), num_nodes=n)
        expected = normalized(a.T @ power(a.sum(1), -1) @ a)
        np.testing.assert_allclose(made.in_proximity.to_dense(), expected, atol=1e-12)


def test_a_hub_costs_its_edges_not_their_square():
    star = torch.stack([torch.zeros(5000, dtype=torch.long), torch.arange(1, 5001)])
    made = dgcn_operators(star, num_nodes=5001)
    assert sum(factor.graph.num_edges for factor in made.in_proximity.factors) == 2 * (5000 + 5001)
