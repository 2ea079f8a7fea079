"""The adjacency of GCN as a scaling of rows before and after an unweighted gather."""

from typing import Any

import torch
from torch import Tensor

from graphlab.directed.checks import square_graph
from graphlab.ops import Graph, gather_reduce


class SymmetricAdjacency:
    r"""The adjacency of GCN as a linear map: two scalings of rows around a gather without weights.

    .. math::
        \hat A = \tilde D^{-1/2} \tilde A \tilde D^{-1/2}, \qquad
        (\tilde A X)_i = x_i + \sum_{e = (j \to i),\, j \neq i} w_e \, x_j, \qquad \tilde d = \tilde A 1,
        \quad 0^{-1/2} := 0

    (Kipf & Welling, 2016, arXiv 1609.02907.) Messages go along the edges, :math:`d` counts what comes in. With
    ``self_loops`` each node has exactly one edge to itself, of weight 1, whatever the graph has; without, the graph's
    own loops count like other edges. On an undirected graph the map is symmetric. Unweighted, its matrix is never
    made: one number per node scales what goes out and what comes in.

    Args:
        edge_index: Sources and targets, or what :meth:`graphlab.ops.Graph.from_edge_index` takes.
        edge_weight: One number of at least 0 per edge; ``None`` for 1.
        num_nodes: The number of nodes.
        dtype: The type of the features; torch's default by default.
        self_loops: Whether every node has one edge to itself.

    Shapes:
        - **edge_weight:** ``(num_edges,)``

    Raises:
        ValueError: ``edge_index`` is malformed or of another number of nodes, or a weight is negative or not finite.

    Example:
        >>> import torch
        >>> from graphlab.directed import SymmetricAdjacency
        >>> a = SymmetricAdjacency(torch.tensor([[0, 1], [1, 0]]), num_nodes=2)
        >>> (a @ torch.tensor([[2.0], [4.0]])).round().flatten().tolist()
        [3.0, 3.0]
    """

    def __init__(
        self,
        edge_index: Any,
        edge_weight: Tensor | None = None,
        *,
        num_nodes: int,
        dtype: torch.dtype | None = None,
        self_loops: bool = True,
    ) -> None:
        graph = square_graph(edge_index, num_nodes)
        dtype = dtype or torch.get_default_dtype()
        self.adds_itself = edge_weight is not None and self_loops
        if edge_weight is None:
            self.graph, self.weight = graph.with_self_loops() if self_loops else graph, None
            degree = self.graph.degree.to(dtype)
        else:
            self.graph, self.weight = graph, _loopless(graph, edge_weight.to(dtype), self_loops)
            degree = gather_reduce(self.weight.new_ones(num_nodes, 1), graph, self.weight).flatten() + self_loops
        self.scale = torch.where(degree > 0, degree, torch.inf).rsqrt().unsqueeze(1)

    def __matmul__(self, x: Tensor) -> Tensor:
        """Apply the map to node features."""
        scaled = x * self.scale
        out = gather_reduce(scaled, self.graph, self.weight)
        return (out + scaled if self.adds_itself else out) * self.scale


def _loopless(graph: Graph, weight: Tensor, self_loops: bool) -> Tensor:
    """Check the weights; where every node gets a loop, those of the graph's own loops become 0."""
    if weight.shape not in ((graph.num_edges,), (graph.num_edges, 1)):
        raise ValueError(
            f"'edge_weight' must hold one number for each of the {graph.num_edges} edges, "
            f"got shape {tuple(weight.shape)}"
        )
    if not bool(((weight >= 0) & weight.isfinite()).all()):
        raise ValueError("'edge_weight' must be finite and at least 0 for degrees to be, got other numbers")
    weight = weight.reshape(-1)
    if not self_loops:
        return weight
    source, target = graph.edge_index()
    return torch.where(source == target, 0, weight)
