import numpy as np
import pytest
import torch

from graphlab.directed import direction_gain
from tests.directed.digraphs import simple


def some_graph(seed: int, n: int = 60) -> tuple[torch.Tensor, np.ndarray]:
    rng = np.random.default_rng(seed)
    return torch.from_numpy(rng.integers(0, n, (2, 4 * n))), rng.integers(0, 3, n)


def shares(pattern: np.ndarray, known: np.ndarray) -> np.ndarray:
    pattern = pattern - np.diag(np.diag(pattern))
    ends = pattern @ known
    total = ends.sum(1, keepdims=True)
    return np.divide(ends, total, out=np.zeros_like(ends), where=total > 0)


def r2(features: np.ndarray, y: np.ndarray, order: np.ndarray) -> float:
    """Ridge regression as least squares with extra rows."""
    x, half = np.hstack([features, np.ones((len(y), 1))]), len(y) // 2
    fit, test = order[:half], order[half:]
    penalty = np.sqrt(1e-3 * half) * np.eye(x.shape[1])
    targets = np.vstack([y[fit], np.zeros((x.shape[1], y.shape[1]))])
    weight = np.linalg.lstsq(np.vstack([x[fit], penalty]), targets, rcond=None)[0]
    return 1 - np.sum((y[test] - x[test] @ weight) ** 2) / np.sum((y[test] - y[test].mean(0)) ** 2)


@pytest.mark.parametrize("masked", [False, True])
@pytest.mark.parametrize("seed", range(5))
def test_it_is_the_dense_formula(seed, masked):
    edge_index, y = some_graph(seed)
    a = simple(edge_index, 60)
    u = np.maximum(a, a.T)
    mask = np.random.default_rng(seed).random(60) < 0.6 if masked else np.ones(60, dtype=bool)
    known = np.eye(3)[y] * mask[:, None]
    directed = np.hstack([shares(m, known) for m in (a, a.T, a @ a, a.T @ a.T, a @ a.T, a.T @ a)])[mask]
    undirected = np.hstack([shares(m, known) for m in (u, u @ u)])[mask]
    targets = np.eye(3)[y][mask]
    orders = [np.random.RandomState(k).permutation(mask.sum()) for k in range(10)]
    both = np.array([[r2(f, targets, order) for f in (directed, undirected)] for order in orders])
    found = direction_gain(edge_index, torch.from_numpy(y), torch.from_numpy(mask) if masked else None)
    gains = both[:, 0] - both[:, 1]
    assert (found.mean, found.std) == pytest.approx((gains.mean(), gains.std()), abs=1e-9)
    assert (found.directed, found.undirected) == pytest.approx(tuple(both.mean(0)), abs=1e-9)
    assert (found.num_labels, found.num_classes) == (mask.sum(), 3)


def test_turning_all_edges_changes_nothing():
    edge_index, y = some_graph(0)
    found = direction_gain(edge_index, torch.from_numpy(y))
    turned = direction_gain(edge_index.flip(0), torch.from_numpy(y))
    assert (found.mean, found.std) == pytest.approx((turned.mean, turned.std), abs=1e-9)


def test_labels_outside_the_mask_change_nothing():
    edge_index, y = some_graph(1)
    mask = torch.arange(60) < 40
    changed = torch.from_numpy(y).clone()
    changed[40:] = 0
    assert direction_gain(edge_index, torch.from_numpy(y), mask) == direction_gain(edge_index, changed, mask)


def test_halves_of_one_class_say_nothing():
    # The halves of seed 0 are [2, 3] and [1, 0].
    found = direction_gain(torch.tensor([[0, 1], [1, 2]]), torch.tensor([1, 1, 0, 2]), num_draws=1)
    assert np.isnan(found.mean)


def test_what_is_no_tensor_of_labels_is_refused():
    edges = torch.tensor([[0], [1]])
    with pytest.raises(ValueError, match="'y' must be a tensor of class numbers, got ndarray"):
        direction_gain(edges, np.array([0, 1]))
    with pytest.raises(ValueError, match=r"'y' must hold one class number per node, got torch.int64 of shape \(\)"):
        direction_gain(edges, torch.tensor(1))


def test_no_draw_is_refused():
    with pytest.raises(ValueError, match="'num_draws' must be at least 1, got 0"):
        direction_gain(torch.tensor([[0], [1]]), torch.tensor([0, 1]), num_draws=0)
