"""Random directed graphs with every oddity, and dense helpers that know nothing of the code under test."""

from collections.abc import Iterator

import numpy as np
import torch


def digraphs(count: int) -> Iterator[tuple[torch.Tensor, int]]:
    """Edges and the number of nodes: empty ones, loops, sinks, sources, isolated nodes, edges stored twice."""
    for seed in range(count):
        rng = np.random.default_rng(seed)
        num_nodes = int(rng.integers(1, 13))
        num_edges = int(rng.integers(0, 3 * num_nodes)) if seed % 10 else 0
        edges = rng.integers(0, num_nodes, (2, num_edges))
        if seed % 3 == 0:  # node 0 sends only, the last one receives only
            edges = edges[:, (edges[1] != 0) & (edges[0] != num_nodes - 1)]
        if seed % 4 == 0:
            edges = np.concatenate([edges, edges[:, : num_edges // 2]], 1)
        yield torch.from_numpy(edges), num_nodes


def dense(edge_index: torch.Tensor, num_nodes: int, weight: np.ndarray | None = None) -> np.ndarray:
    """A_ij, edges that are stored twice adding up."""
    matrix = np.zeros((num_nodes, num_nodes))
    np.add.at(matrix, tuple(edge_index.numpy()), 1.0 if weight is None else weight)
    return matrix


def simple(edge_index: torch.Tensor, num_nodes: int) -> np.ndarray:
    """A in {0, 1} without loops."""
    matrix = (dense(edge_index, num_nodes) > 0).astype(float)
    np.fill_diagonal(matrix, 0)
    return matrix


def power(degree: np.ndarray, exponent: float) -> np.ndarray:
    """d^exponent as a diagonal matrix; infinite is 0."""
    with np.errstate(divide="ignore"):
        raised = degree.astype(float) ** exponent
    return np.diag(np.where(np.isinf(raised), 0, raised))
