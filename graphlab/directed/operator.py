"""Linear maps on the rows of a graph's nodes, applied through edges and never made dense."""

from typing import Any

import torch
from torch import Tensor

from graphlab.directed.checked_edges import weighted_edges
from graphlab.ops import Graph, gather_reduce


class Operator:
    r"""A weighted adjacency as a linear map on node features.

    .. math::
        (M X)_i = \sum_{e = (i, j)} w_e \, x_j

    Entry :math:`(i, j)` of the matrix is an edge that brings the row of ``j`` to ``i``; entries that are stored twice
    add up. ``M @ x`` takes :math:`O(\text{nnz} \cdot f)` time and :math:`O(n f)` memory.

    Args:
        graph: The edges ``j -> i``: what ``i`` gathers.
        weight: One number per edge in the order that the graph's user keeps them; ``None`` for 1.

    Shapes:
        - **weight:** ``(num_edges,)``

    Example:
        >>> import torch
        >>> from graphlab.directed import adjacency
        >>> a = adjacency(torch.tensor([[0, 0], [1, 2]]), num_nodes=3)
        >>> (a @ torch.tensor([[1.0], [2.0], [4.0]])).flatten().tolist()
        [6.0, 0.0, 0.0]
        >>> (a.T @ torch.tensor([[1.0], [2.0], [4.0]])).flatten().tolist()
        [0.0, 1.0, 1.0]
    """

    def __init__(self, graph: Graph, weight: Tensor | None = None) -> None:
        self.graph, self.weight = graph, weight

    @property
    def num_nodes(self) -> int:
        """The number of rows."""
        return self.graph.num_targets

    @property
    def T(self) -> "Operator":
        """The transposed map."""
        return Operator(self.graph.reverse(), self.weight)

    def __matmul__(self, x: Tensor) -> Tensor:
        """Apply the map to node features."""
        weight = None if self.weight is None else self.weight.to(x.dtype)
        return gather_reduce(x, self.graph, weight)

    def entries(self) -> tuple[Tensor, Tensor]:
        """Rows and columns of the stored entries as ``(2, nnz)``, and their values (float64 where they are 1)."""
        col, row = self.graph.edge_index()
        ones = torch.ones(row.numel(), dtype=torch.float64, device=row.device)
        return torch.stack([row, col]), ones if self.weight is None else self.weight

    def to_dense(self) -> Tensor:
        """The matrix itself; for small graphs and tests."""
        index, value = self.entries()
        dense = value.new_zeros(self.num_nodes, self.graph.num_sources)
        return dense.index_put_((index[0], index[1]), value, accumulate=True)


def adjacency(edge_index: Any, edge_weight: Tensor | None = None, *, num_nodes: int) -> Operator:
    r"""The adjacency matrix of a directed graph, :math:`A_{ij} = w` for each edge :math:`i \to j`.

    :math:`A X` gathers from out-neighbours, :math:`A^\top X` from in-neighbours.

    Args:
        edge_index: Sources and targets, or what :meth:`graphlab.ops.Graph.from_edge_index` takes; the values of a
            sparse adjacency are the weights where ``edge_weight`` is ``None``.
        edge_weight: One number per edge; ``None`` for 1.
        num_nodes: The number of nodes.

    Shapes:
        - **edge_index:** ``(2, num_edges)``
        - **edge_weight:** ``(num_edges,)``

    Raises:
        ValueError: ``edge_index`` has a wrong shape or type or points outside the nodes, or weights are not one
            floating-point number per edge.

    Example:
        >>> import torch
        >>> from graphlab.directed import adjacency
        >>> adjacency(torch.tensor([[0, 0], [1, 2]]), torch.tensor([1.0, 3.0]), num_nodes=3).to_dense()[0].tolist()
        [0.0, 1.0, 3.0]
    """
    incoming, edge_weight = weighted_edges(edge_index, edge_weight, num_nodes)
    return Operator(incoming.reverse(), edge_weight)
