"""How much better do directed neighbourhoods tell a node's class than undirected ones?"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.sparse import csr_array
from torch import Tensor

from graphlab.directed.known_labels import KnownLabels, known_labels
from graphlab.directed.sparse import simple_adjacency
from graphlab.ops import Graph

_RIDGE = 1e-3


@dataclass(frozen=True)
class DirectionGain:
    """What :func:`direction_gain` found."""

    mean: float
    """Mean over the draws of R² with directions less R² without."""

    std: float
    """Standard deviation over the draws, which share their nodes: not an error of the mean."""

    directed: float
    """Mean R² of directed neighbourhoods."""

    undirected: float
    """Mean R² of undirected neighbourhoods."""

    num_labels: int
    """How many labels were looked at."""

    num_classes: int
    """How many classes they show."""


def direction_gain(edge_index: Any, y: Tensor, mask: Tensor | None = None, num_draws: int = 10) -> DirectionGain:
    r"""How much more of the labels directed neighbourhoods explain than undirected ones do.

    .. math::
        \text{gain} = R^2(F_D) - R^2(F_U), \qquad
        F_D = [A, A^\top, AA, A^\top A^\top, AA^\top, A^\top A]^\circ Y, \qquad F_U = [U, UU]^\circ Y, \qquad
        U = \max(A, A^\top)

    where :math:`Y` holds the known labels as indicators and :math:`M^\circ Y` the share of each class among the walks
    of a pattern that end in a known node, those back to the start left out: a node's own label is never evidence for
    itself. In each draw a random half of the known nodes fits a ridge regression from these shares and a constant to
    :math:`Y` (penalty :math:`10^{-3}` times the nodes of that half), and :math:`R^2` is measured on the other half,
    over all classes together.

    :math:`F_D` has three times the columns of :math:`F_U`, each of which costs accuracy on unseen nodes: without any
    signal in the directions the gain is below 0, by about :math:`(1 - R^2) \cdot 4 C / n_\text{half}`. The patterns are
    applied factor by factor: :math:`O(E C)` time and :math:`O(n C)` memory.

    Args:
        edge_index: Sources and targets, or what :meth:`graphlab.ops.Graph.from_edge_index` takes; loops and edges
            stored twice do not count.
        y: The class of each node; negative for unknown.
        mask: Which labels may be looked at, as evidence and as target; ``None`` for all.
        num_draws: How many random halves; draw ``k`` is that of seed ``k``.

    Shapes:
        - **edge_index:** ``(2, num_edges)``
        - **y, mask:** ``(num_nodes,)``

    Raises:
        ValueError: The edges or labels are malformed, fewer than two classes are known, or no draw is asked for.

    Example:
        >>> import torch
        >>> from graphlab.directed import direction_gain
        >>> generator = torch.Generator().manual_seed(0)
        >>> y = torch.randint(2, (300,), generator=generator)
        >>> pairs = torch.randint(300, (2, 3000), generator=generator)
        >>> edge_index = torch.where(y[pairs[0]] <= y[pairs[1]], pairs, pairs.flip(0))  # none leads back to class 0
        >>> direction_gain(edge_index, y).mean > 0.5
        True
    """
    if num_draws < 1:
        raise ValueError(f"'num_draws' must be at least 1, got {num_draws}; 10 is usual")
    labels = known_labels(y, mask)
    # A graph knows no weights.
    graph = Graph.from_edge_index(edge_index, (labels.num_nodes, labels.num_nodes))
    directed, undirected = _features(simple_adjacency(graph, num_nodes=labels.num_nodes), labels)
    targets = np.eye(labels.num_classes)[labels.classes]
    scores = np.array([_scores(directed, undirected, targets, seed) for seed in range(num_draws)])
    # Halves of one class only, which chance may draw, say nothing.
    scores = scores[~np.isnan(scores).any(1)]
    if not len(scores):
        scores = np.full((1, 2), np.nan)
    gains = scores[:, 0] - scores[:, 1]
    mean, std, of_directed, of_undirected = map(float, (gains.mean(), gains.std(), *scores.mean(0)))
    return DirectionGain(mean, std, of_directed, of_undirected, labels.nodes.size, labels.num_classes)


def _features(edges: csr_array, labels: KnownLabels) -> tuple[np.ndarray, np.ndarray]:
    turned = csr_array(edges.T)
    either = csr_array(edges.maximum(turned))
    chains = ((edges,), (turned,), (edges, edges), (turned, turned), (edges, turned), (turned, edges))
    indicator = labels.indicator()
    directed = [_shares(chain, indicator)[labels.nodes] for chain in chains]
    undirected = [_shares(chain, indicator)[labels.nodes] for chain in ((either,), (either, either))]
    return np.concatenate(directed, 1), np.concatenate(undirected, 1)


def _shares(chain: tuple[csr_array, ...], indicator: np.ndarray) -> np.ndarray:
    """The share of each class among the known ends of a node's walks that end elsewhere."""
    ends: np.ndarray = chain[-1] @ indicator
    if len(chain) == 2:
        returns = chain[0].multiply(chain[1].T).sum(axis=1)
        ends = chain[0] @ ends - returns[:, None] * indicator
    return ends / np.maximum(ends.sum(1), 1)[:, None]


def _scores(directed: np.ndarray, undirected: np.ndarray, targets: np.ndarray, seed: int) -> tuple[float, float]:
    # RandomState draws the same halves in every version of NumPy.
    order = np.random.RandomState(seed).permutation(len(targets))
    fit, test = order[: len(order) // 2], order[len(order) // 2 :]
    return _r2(directed, targets, fit, test), _r2(undirected, targets, fit, test)


def _r2(features: np.ndarray, targets: np.ndarray, fit: np.ndarray, test: np.ndarray) -> float:
    """How much a ridge regression on some rows explains of others."""
    features = np.concatenate([features, np.ones((len(features), 1))], 1)
    gram = features[fit].T @ features[fit] + _RIDGE * len(fit) * np.eye(features.shape[1])
    predicted = features[test] @ np.linalg.solve(gram, features[fit].T @ targets[fit])
    spread = ((targets[test] - targets[test].mean(0)) ** 2).sum()
    return float(1 - ((targets[test] - predicted) ** 2).sum() / spread) if spread else np.nan
