from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from sklearn.datasets import load_digits
from sklearn.neighbors import NearestNeighbors
from torch_geometric.utils import homophily, is_undirected

from graphlab.data.digits import Digits, nearest_neighbours


@pytest.fixture(scope="module")
def graph() -> Any:
    return Digits()[0]


def test_pixels_and_labels_are_scikit_learn_s(graph: Any) -> None:
    pixels, digits = load_digits(return_X_y=True)
    assert torch.equal(graph.x * 16, torch.from_numpy(np.asarray(pixels)).float())
    assert (graph.x.min(), graph.x.max()) == (0, 1)
    assert graph.y.tolist() == np.asarray(digits).tolist()


def test_the_graph_is_undirected_with_k_neighbours_at_least(graph: Any) -> None:
    assert is_undirected(graph.edge_index, num_nodes=graph.num_nodes)
    assert not (graph.edge_index[0] == graph.edge_index[1]).any()
    degree = graph.edge_index[1].bincount(minlength=graph.num_nodes)
    assert degree.min() == 8
    assert degree.max() > 16  # ragged, which is the point
    assert 1797 * 8 <= graph.num_edges <= 1797 * 8 * 2


def test_neighbours_share_their_digit(graph: Any) -> None:
    assert homophily(graph.edge_index, graph.y) > 0.95


def test_k_is_taken_and_checked() -> None:
    assert Digits(k=1)[0].num_edges < 1797 * 2
    for k in (0, 1797):
        with pytest.raises(ValueError, match=f"k must be at least 1 and below the 1797.*got {k}"):
            Digits(k=k)


def test_masks_are_stratified_and_fixed(graph: Any) -> None:
    shares = graph.y.bincount() / graph.num_nodes
    for mask, count in (("train_mask", 200), ("val_mask", 500), ("test_mask", 1097)):
        assert graph[mask].sum() == count
        assert (graph.y[graph[mask]].bincount() - shares * count).abs().max() < 1.5
    # Pinned: results on this set mean nothing if its split moves.
    assert graph.train_mask.nonzero().view(-1)[:5].tolist() == [13, 19, 43, 48, 55]


def test_neighbours_are_those_of_scikit_learn_up_to_ties() -> None:
    pixels = np.asarray(load_digits(return_X_y=True)[0])
    source, target = nearest_neighbours(pixels, 8).numpy()
    ours = np.sort(np.linalg.norm(pixels[source] - pixels[target], axis=1).reshape(-1, 8))
    theirs, _ = NearestNeighbors(n_neighbors=8).fit(pixels).kneighbors()
    np.testing.assert_allclose(ours, theirs)


points = arrays(np.int64, st.tuples(st.integers(2, 12), st.integers(1, 3)), elements=st.integers(0, 3))


@given(points, st.data())
def test_ties_go_to_the_first_points(points: np.ndarray, data: st.DataObject) -> None:
    n = len(points)
    k = data.draw(st.integers(1, n - 1))
    source, target = nearest_neighbours(points.astype(float), k).numpy()
    for i in range(n):
        by_distance = sorted(
            (j for j in range(n) if j != i),
            key=lambda j: (((points[i] - points[j]) ** 2).sum(), j),
        )
        assert source[target == i].tolist() == sorted(by_distance[:k])
