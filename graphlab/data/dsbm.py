"""Directed stochastic block model: clusters that only the directions of the edges tell apart."""

from itertools import product
from typing import Literal, get_args

import numpy as np
import torch
from numpy.random import Generator
from torch import Tensor
from torch_geometric.data import Data

from graphlab.data.masks import proportional_masks
from graphlab.data.one_graph import OneGraph
from graphlab.data.pyg import Transform
from graphlab.data.structural_features import Features, structural_features
from graphlab.data.synthetic import check_counts, check_seed
from graphlab.directed.is_direction_genuine import is_direction_genuine

MetaGraph = Literal["cycle", "path", "complete"]

_NUM_SPLITS = 10


class DSBM(OneGraph):
    r"""A random graph of clusters between which edges flow along a meta-graph.

    .. math::
        P(i \to j) = p \, F_{c_i c_j}, \qquad
        F_{kl} = \begin{cases}
            1 - \eta & k \to l \text{ in the meta-graph} \\
            \eta & l \to k \text{ in the meta-graph} \\
            1/2 & k = l \\
            0 & \text{else}
        \end{cases}

    Every ordered pair of nodes is drawn by itself, so both directions of a pair may be there; there are no self-loops.
    Where all clusters are linked (``"cycle"`` with three, ``"complete"``) any two nodes are linked equally often: the
    graph without its directions says next to nothing of the clusters; at :math:`\eta = 1/2` nothing does.

    The model is that of He, Reinert and Cucuringu (2022, DIGRAC: Digraph Clustering Based on Flow Imbalance,
    arXiv 2106.05194). Splits: ten, 60 % to train, 20 % each to validate and to test in every class, fixed by
    :func:`~graphlab.data.masks.proportional_masks`.

    Args:
        num_nodes: Nodes, at least as many as clusters.
        num_clusters: Clusters, which are the classes; 2 or more.
        meta_graph: ``"cycle"``: ``k -> k + 1``, and the last to the first where there are three or more;
            ``"path"``: ``k -> k + 1``; ``"complete"``: ``k -> l`` for all ``k < l``.
        p: Probability that an edge joins two nodes of linked clusters, in (0, 1].
        eta: Share of edges against the flow, in [0, 0.5].
        size_ratio: Size of the largest cluster over that of the smallest, 1 or more; sizes between them are
            geometric, and the first cluster is the smallest.
        features: ``"onehot"``, ``"degree"`` or ``"random"``; see
            :func:`~graphlab.data.structural_features.structural_features`.
        seed: Seed of all randomness but the splits, 0 or more.
        transform: Applied to the graph at every access.

    Shapes:
        - x: ``[num_nodes, num_nodes | 2 | 1]``, edge_index: ``[2, E]``, y: ``[num_nodes]``
        - train_mask, val_mask, test_mask: ``[num_nodes, 10]``

    Raises:
        ValueError: If an argument is out of range.

    Example:
        >>> from graphlab.data import DSBM
        >>> graph = DSBM(num_nodes=90, num_clusters=3, p=0.5, eta=0.0)[0]
        >>> source, target = graph.y[graph.edge_index]
        >>> sorted(set(((target - source) % 3).tolist()))  # within a cluster, or to the next
        [0, 1]
    """

    def __init__(
        self,
        num_nodes: int = 1_000,
        num_clusters: int = 3,
        meta_graph: MetaGraph = "cycle",
        p: float = 0.05,
        eta: float = 0.1,
        size_ratio: float = 1.0,
        features: Features = "onehot",
        seed: int = 0,
        transform: Transform | None = None,
    ) -> None:
        _check(num_nodes, num_clusters, p, eta, size_ratio)
        check_seed(seed)
        rng = np.random.default_rng(seed)
        flow = flow_matrix(meta_graph, num_clusters, eta)
        clusters = np.repeat(np.arange(num_clusters), cluster_sizes(num_nodes, num_clusters, size_ratio))
        y = torch.from_numpy(rng.permutation(clusters))
        edge_index = _draw(y, p * flow, rng)
        train, valid, test = proportional_masks(y, _NUM_SPLITS)
        graph = Data(
            x=structural_features(features, edge_index, num_nodes, seed=int(rng.integers(2**32))),
            edge_index=edge_index,
            y=y,
            train_mask=train,
            val_mask=valid,
            test_mask=test,
            is_direction_genuine=is_direction_genuine(edge_index),
        )
        super().__init__(graph, transform)


def flow_matrix(meta_graph: MetaGraph, num_clusters: int, eta: float) -> Tensor:
    """The matrix F of :class:`DSBM`.

    Args:
        meta_graph: As in :class:`DSBM`.
        num_clusters: Number of clusters.
        eta: Share of edges against the flow.

    Shapes:
        - returned: ``[num_clusters, num_clusters]`` (float64)

    Raises:
        ValueError: If there is no such meta-graph.
    """
    if meta_graph not in get_args(MetaGraph):
        raise ValueError(f"meta_graph must be one of {', '.join(map(repr, get_args(MetaGraph)))}, got {meta_graph!r}")
    ones = torch.ones(num_clusters, num_clusters, dtype=torch.float64)
    ahead = ones.triu(1) if meta_graph == "complete" else ones.triu(1).tril(1)
    if meta_graph == "cycle" and num_clusters > 2:
        ahead[-1, 0] = 1
    return (1 - eta) * ahead + eta * ahead.T + torch.eye(num_clusters) / 2


def cluster_sizes(num_nodes: int, num_clusters: int, size_ratio: float) -> list[int]:
    """Sizes of the clusters of :class:`DSBM`, the smallest first.

    Args:
        num_nodes: Their sum.
        num_clusters: Their number.
        size_ratio: The largest over the smallest, before rounding.

    Raises:
        ValueError: If a cluster gets no node.
    """
    shares = size_ratio ** np.linspace(0, 1, num_clusters)
    ends = np.rint(shares.cumsum() / shares.sum() * num_nodes).astype(int)
    sizes = np.diff(ends, prepend=0).tolist()
    if min(sizes) < 1:
        raise ValueError(
            f"num_nodes must give every cluster a node, got {num_nodes} nodes for {num_clusters} clusters "
            f"with size_ratio={size_ratio}"
        )
    return sizes


def _draw(y: Tensor, probability: Tensor, rng: Generator) -> Tensor:
    """Edges between all pairs of clusters; time and memory are those of the edges, not of the pairs."""
    members = [(y == label).nonzero().view(-1).numpy() for label in range(len(probability))]
    blocks = []
    for k, m in product(range(len(members)), repeat=2):
        # A node has no edge to itself: within a cluster each has one partner fewer, and columns beyond it move up.
        rows, cols = len(members[k]), len(members[m]) - (k == m)
        count = rng.binomial(rows * cols, float(probability[k, m]))
        cells = np.sort(rng.choice(rows * cols, count, replace=False, shuffle=False))
        row, col = cells // max(cols, 1), cells % max(cols, 1)
        if k == m:
            col = col + (col >= row)
        blocks.append(np.stack([members[k][row], members[m][col]]))
    return torch.from_numpy(np.concatenate(blocks, axis=1))


def _check(num_nodes: int, num_clusters: int, p: float, eta: float, size_ratio: float) -> None:
    check_counts(num_nodes=num_nodes, num_clusters=num_clusters)
    if num_clusters < 2:
        raise ValueError(f"num_clusters must be 2 or more, got {num_clusters}")
    for name, value, allowed, fits in [
        ("p", p, "above 0 and at most 1", 0 < p <= 1),
        ("eta", eta, "in [0, 0.5]", 0 <= eta <= 0.5),
        ("size_ratio", size_ratio, "a finite number of 1 or more", 1 <= size_ratio < float("inf")),
    ]:
        if not fits:
            raise ValueError(f"{name} must be {allowed}, got {value!r}")
