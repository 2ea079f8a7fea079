"""Between edges, SciPy's sparse matrices (whose products are formed here), and operators."""

from itertools import pairwise
from typing import Any

import numpy as np
import torch
from scipy.sparse import coo_array, csr_array
from torch import Tensor

from graphlab.directed.checked_edges import checked_edges
from graphlab.directed.operator import Operator
from graphlab.ops import Graph
from graphlab.ops.csr import rows_of


def simple_adjacency(edge_index: Any, edge_weight: Tensor | None = None, *, num_nodes: int) -> csr_array:
    r"""The adjacency of a graph without its loops, :math:`A_{ij} > 0` for an edge :math:`i \to j, i \neq j`.

    Without weights all entries are 1, also those of edges that are stored twice; weights of such edges add up.

    Args:
        edge_index: Sources and targets, or what :meth:`graphlab.ops.Graph.from_edge_index` takes; the values of a
            sparse adjacency are the weights where ``edge_weight`` is ``None``.
        edge_weight: One number per edge; 0 for no edge.
        num_nodes: The number of nodes.

    Raises:
        ValueError: The edges are malformed, or a weight is negative or not finite.
    """
    graph, edge_weight = checked_edges(edge_index, edge_weight, num_nodes)
    source, target = graph.col.cpu().numpy(), rows_of(graph.rowptr).cpu().numpy()
    value = np.ones(graph.num_edges) if edge_weight is None else _in_edge_order(graph, edge_weight)
    keep = (source != target) & (value != 0)
    # Making it from pairs adds up what is stored twice.
    matrix = csr_array(coo_array((value[keep], (source[keep], target[keep])), shape=(num_nodes, num_nodes)))
    if edge_weight is None:
        matrix.data[:] = 1
    return matrix


def _in_edge_order(graph: Graph, weight: Tensor) -> np.ndarray:
    value = weight.detach().double()
    return (value if graph.perm is None else value[graph.perm.long()]).cpu().numpy()


def as_graph(matrix: csr_array, device: torch.device | str = "cpu") -> Graph:
    """The places of the entries: row ``i`` gathers from the columns that it has entries in.

    Args:
        matrix: A matrix in CSR form.
        device: Where to.
    """
    rowptr, col = (torch.from_numpy(part).to(device) for part in (matrix.indptr, matrix.indices))
    return Graph(rowptr, col, None, _size(matrix)[1])


def _size(matrix: csr_array) -> tuple[int, int]:
    rows, columns = matrix.shape  # pyright: ignore
    return rows, columns


def as_operator(matrix: csr_array, device: torch.device | str = "cpu") -> Operator:
    """The same matrix as an operator; one whose entries are all 1 carries no weights.

    Args:
        matrix: A matrix in CSR form.
        device: Where the operator works.
    """
    weight = None if (matrix.data == 1).all() else torch.from_numpy(matrix.data).to(device)
    return Operator(as_graph(matrix, device), weight)


def scaled(matrix: csr_array, left: np.ndarray, right: np.ndarray) -> csr_array:
    r"""Multiply with diagonal matrices from both sides, :math:`\operatorname{diag}(l) M \operatorname{diag}(r)`.

    Args:
        matrix: A matrix in CSR form.
        left: One number per row.
        right: One number per column.
    """
    data = matrix.data * np.repeat(left, np.diff(matrix.indptr)) * right[matrix.indices]
    return csr_array((data, matrix.indices, matrix.indptr), shape=matrix.shape)


def symmetrically_normalized(matrix: csr_array) -> csr_array:
    r"""Scale a symmetric matrix by its row sums, :math:`D^{-1/2} M D^{-1/2}` with :math:`0^{-1/2} := 0`.

    Args:
        matrix: A matrix in CSR form without negative entries.
    """
    scale = inverse_degree(matrix.sum(axis=1), 0.5)
    return scaled(matrix, scale, scale)


def inverse_degree(degree: np.ndarray, exponent: float = 1.0) -> np.ndarray:
    r"""Raise degrees to a negative power, with :math:`0^{-e} := 0`.

    Args:
        degree: Numbers that are not negative.
        exponent: The :math:`e` of :math:`d^{-e}`; 0 gives ones, also at 0.
    """
    raised = np.ones_like(degree)
    if exponent:
        np.power(degree, -exponent, out=raised, where=degree > 0)
        raised[degree <= 0] = 0
    return raised


def products_per_row(left: csr_array, right: csr_array) -> np.ndarray:
    """How many numbers are added up in each row of a product of two matrices; no fewer than the row's entries.

    Args:
        left: The left factor.
        right: The right factor.
    """
    ones = csr_array((np.ones(left.nnz, dtype=np.int64), left.indices, left.indptr), left.shape)
    return ones @ np.diff(right.indptr).astype(np.int64)


def row_blocks(cost: np.ndarray, limit: int) -> list[slice]:
    """Cut rows into blocks whose cost stays below a limit, as far as single rows do.

    Args:
        cost: What each row costs.
        limit: What a block may cost.
    """
    passed = np.concatenate([[0], np.cumsum(cost)])
    cuts = [0]
    while cuts[-1] < cost.size:
        last = int(np.searchsorted(passed, passed[cuts[-1]] + limit, side="right")) - 1
        cuts.append(max(last, cuts[-1] + 1))
    return [slice(*pair) for pair in pairwise(cuts)]
