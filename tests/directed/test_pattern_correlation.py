import sys

import numpy as np
import pytest
import torch

from graphlab.directed import pattern_correlation
from tests.directed.digraphs import digraphs, simple

# The package shows the function under the module's name.
module = sys.modules["graphlab.directed.pattern_correlation"]


def formula(pattern: np.ndarray, y: np.ndarray) -> float:
    """Pearson's correlation of two indicators over the ordered pairs of nodes."""
    pairs = ~np.eye(len(y), dtype=bool)
    linked, alike = (pattern > 0)[pairs].astype(float), (y[:, None] == y)[pairs].astype(float)
    if linked.std() == 0 or alike.std() == 0:
        return np.nan
    return ((linked - linked.mean()) * (alike - alike.mean())).mean() / (linked.std() * alike.std())


def patterns(a: np.ndarray) -> dict[str, np.ndarray]:
    u = np.maximum(a, a.T)
    return {"A": a, "AA": a @ a, "AAT": a @ a.T, "ATA": a.T @ a, "U": u, "UU": u @ u}


@pytest.mark.parametrize("max_products", [1, 1_000_000])
def test_it_is_pearsons_correlation_over_pairs_whatever_the_blocks(max_products, monkeypatch):
    monkeypatch.setattr(module, "_MAX_PRODUCTS", max_products)
    for edge_index, n in digraphs(200):
        y = np.random.default_rng(n).integers(0, 3, n)
        if len(np.unique(y)) < 2:
            continue
        found = pattern_correlation(edge_index, torch.from_numpy(y))
        for name, pattern in patterns(simple(edge_index, n)).items():
            np.testing.assert_allclose(found[name], formula(pattern, y), atol=1e-12, err_msg=name)


def test_only_labels_in_the_mask_count_and_walks_pass_all_nodes():
    for edge_index, n in digraphs(200):
        rng = np.random.default_rng(n)
        y, mask = rng.integers(0, 3, n), rng.random(n) < 0.7
        if len(np.unique(y[mask])) < 2:
            continue
        found = pattern_correlation(edge_index, torch.from_numpy(y), torch.from_numpy(mask))
        hidden = np.where(mask, y, -1)
        assert found == pytest.approx(pattern_correlation(edge_index, torch.from_numpy(hidden)), nan_ok=True)
        for name, pattern in patterns(simple(edge_index, n)).items():
            expected = formula(pattern[np.ix_(mask, mask)], y[mask])
            np.testing.assert_allclose(found[name], expected, atol=1e-12, err_msg=name)


def test_turning_all_edges_swaps_aat_and_ata():
    for edge_index, n in digraphs(100):
        y = torch.arange(n) % 2
        if n < 2:
            continue
        found, turned = pattern_correlation(edge_index, y), pattern_correlation(edge_index.flip(0), y)
        swapped = turned | {"AAT": turned["ATA"], "ATA": turned["AAT"]}
        assert found == pytest.approx(swapped, nan_ok=True)


@pytest.mark.parametrize(
    ("y", "mask", "said"),
    [
        (torch.tensor([0.0, 1, 1]), None, "'y' must hold one class number per node, got torch.float32"),
        (torch.eye(3, dtype=torch.long), None, r"got torch.int64 of shape \(3, 3\)"),
        (torch.tensor([1, 1, -1]), None, "'y' must show at least 2 classes, got 1 among 2 known labels"),
        (torch.tensor([0, 1, 1]), torch.tensor([0, 2]), "'mask' must be one bool for each of the 3 nodes"),
        (torch.tensor([0, 1, 1]), torch.zeros(3, dtype=torch.bool), "got 0 among 0 known labels"),
    ],
)
def test_labels_that_cannot_be_used_are_refused(y, mask, said):
    with pytest.raises(ValueError, match=said):
        pattern_correlation(torch.tensor([[0], [1]]), y, mask)
