"""Do the nodes that a pattern links have the same class more often than chance has it?"""

import math
from typing import Any

import numpy as np
from scipy.sparse import csr_array
from torch import Tensor

from graphlab.directed.known_labels import KnownLabels, known_labels
from graphlab.directed.sparse import products_per_row, row_blocks, simple_adjacency

# Blocks of rows bound the memory of products; fewer blocks would see more of a symmetric product twice.
_MAX_PRODUCTS = 4_000_000


def pattern_correlation(edge_index: Any, y: Tensor, mask: Tensor | None = None) -> dict[str, float]:
    r"""The correlation, over pairs of nodes, between being linked by a pattern and being of one class.

    .. math::
        r_p = \frac{M t - g s}{\sqrt{g (M - g)\, s (M - s)}}, \qquad M = n (n - 1), \quad
        g = |\{i \neq j : (M_p)_{ij} > 0\}|, \quad s = |\{i \neq j : y_i = y_j\}|, \quad
        t = |\{i \neq j : (M_p)_{ij} > 0, y_i = y_j\}|

    which is Pearson's correlation of two indicators over all ordered pairs of nodes. :math:`r_p^2` is the share of
    variance that one explains of the other. A pattern and its transposed have equal values, so ``"A"``, ``"AA"``,
    ``"AAT"`` and ``"ATA"`` say it all; ``"U"`` (an edge in whichever direction) and ``"UU"`` are those of the
    undirected graph. All counts are exact. Time is that of the sparse products, :math:`\sum_k d_k^2` for the square of
    the undirected graph; memory is bounded, as products are formed a block of rows at a time.

    Args:
        edge_index: Sources and targets, or what :meth:`graphlab.ops.Graph.from_edge_index` takes; loops and edges
            stored twice do not count.
        y: The class of each node; negative for unknown.
        mask: Which classes may be looked at; ``None`` for all. Pairs are those of known nodes; the walks between them
            may pass any node.

    Returns:
        :math:`r_p` by pattern; NaN where a pattern links no pair or all.

    Shapes:
        - **edge_index:** ``(2, num_edges)``
        - **y, mask:** ``(num_nodes,)``

    Raises:
        ValueError: The edges or labels are malformed, or fewer than two classes are known.

    Example:
        >>> import torch
        >>> from graphlab.directed import pattern_correlation
        >>> r = pattern_correlation(torch.tensor([[0, 1, 2, 3], [1, 0, 3, 0]]), torch.tensor([0, 0, 1, 1]))
        >>> round(r["A"], 6)
        0.625
    """
    labels = known_labels(y, mask)
    edges = csr_array(simple_adjacency(edge_index, num_nodes=labels.num_nodes), dtype=bool)
    turned = csr_array(edges.T)
    either = csr_array(edges + turned)
    counts = {
        "A": _linked(edges, labels),
        "AA": _joined(edges, edges, labels, False),
        "AAT": _joined(edges, turned, labels, True),
        "ATA": _joined(turned, edges, labels, True),
        "U": _linked(either, labels),
        "UU": _joined(either, either, labels, True),
    }
    return {name: _correlation(g, t, labels.classes) for name, (g, t) in counts.items()}


def _correlation(g: int, t: int, classes: np.ndarray) -> float:
    """Python's integers do not overflow, which M t does from some 10,000 nodes on."""
    m = classes.size * (classes.size - 1)
    s = sum(int(count) * (int(count) - 1) for count in np.bincount(classes))
    spread = g * (m - g) * s * (m - s)
    return (m * t - g * s) / math.sqrt(spread) if spread else math.nan


def _linked(matrix: csr_array, labels: KnownLabels) -> tuple[int, int]:
    return _counted(csr_array(matrix[labels.nodes][:, labels.nodes]), labels.classes, 0, 0, False)


def _joined(left: csr_array, right: csr_array, labels: KnownLabels, symmetric: bool) -> tuple[int, int]:
    """Count the pairs that a product links; of a symmetric product those above the diagonal, twice."""
    left, right = csr_array(left[labels.nodes]), csr_array(right[:, labels.nodes])
    g = t = 0
    for rows in row_blocks(products_per_row(left, right), max(_MAX_PRODUCTS, 2 * right.nnz)):
        first = rows.start if symmetric else 0
        block = csr_array(left[rows] @ right[:, first:])
        more = _counted(block, labels.classes, rows.start, first, symmetric)
        g, t = g + more[0], t + more[1]
    return g, t


def _counted(block: csr_array, classes: np.ndarray, row: int, column: int, symmetric: bool) -> tuple[int, int]:
    """Count off-diagonal entries of a block that starts at a row and column, and those within a class."""
    degree = np.diff(block.indptr)
    rows = np.repeat(np.arange(row, row + degree.size, dtype=block.indices.dtype), degree)
    columns = block.indices + column
    kept = columns > rows if symmetric else columns != rows
    alike = np.repeat(classes[row : row + degree.size], degree) == classes[columns]
    twice = 2 if symmetric else 1
    return twice * int(kept.sum()), twice * int((kept & alike).sum())
