"""Between edges, SciPy's sparse matrices (whose products are formed here), and operators."""

from typing import Any

import numpy as np
import torch
from scipy.sparse import coo_array, csr_array

from graphlab.directed.operator import Operator
from graphlab.ops import Graph
from graphlab.ops.csr import rows_of


def simple_adjacency(edge_index: Any, num_nodes: int) -> csr_array:
    r"""The adjacency of a graph without loops and double edges, :math:`A_{ij} = 1` for :math:`i \to j, i \neq j`.

    Args:
        edge_index: Sources and targets, or what :meth:`graphlab.ops.Graph.from_edge_index` takes.
        num_nodes: The number of nodes.

    Raises:
        ValueError: The edges are malformed.
    """
    graph = Graph.from_edge_index(edge_index, (num_nodes, num_nodes))
    source, target = graph.col.cpu().numpy(), rows_of(graph.rowptr).cpu().numpy()
    keep = source != target
    # The constructor of a CSR matrix from pairs adds up what is stored twice.
    matrix = csr_array(coo_array((np.ones(keep.sum()), (source[keep], target[keep])), shape=(num_nodes, num_nodes)))
    matrix.data[:] = 1
    return matrix


def as_operator(matrix: csr_array, device: torch.device | str = "cpu") -> Operator:
    """The same matrix as an operator; one whose entries are all 1 carries no weights.

    Args:
        matrix: A square matrix in CSR form.
        device: Where the operator works.
    """
    rowptr, col = (torch.from_numpy(part).to(device) for part in (matrix.indptr, matrix.indices))
    weight = None if (matrix.data == 1).all() else torch.from_numpy(matrix.data).to(device)
    return Operator(Graph(rowptr, col, None, rowptr.numel() - 1), weight)


def num_products(left: csr_array, right: csr_array) -> int:
    """How many numbers are added up in a product of two matrices; no fewer than its entries.

    Args:
        left: The left factor.
        right: The right factor.
    """
    uses = np.bincount(left.indices, minlength=right.indptr.size - 1)
    return int(uses @ np.diff(right.indptr).astype(np.int64))
