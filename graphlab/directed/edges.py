"""The edges that networks gather along, with weights and without."""

from typing import Any

from torch import Tensor

from graphlab.directed.checked_edges import checked_edges
from graphlab.directed.normalization import gcn_norm
from graphlab.directed.operator import Operator
from graphlab.ops import Graph


def edges_of_gcn(x: Tensor, edge_index: Any, edge_weight: Tensor | None = None) -> Operator:
    """The adjacency of GCN, which brings to each node what stands at the sources of its edges.

    Args:
        x: Features: one row per node.
        edge_index: Sources and targets, or what :meth:`graphlab.ops.Graph.from_edge_index` takes.
        edge_weight: One number of at least 0 per edge; ``None`` for 1.

    Raises:
        ValueError: The edges are malformed or of another number of nodes, or weights are negative or not finite.
    """
    graph, weight = checked_edges(edge_index, edge_weight, x.size(0))
    return gcn_norm(graph, weight, num_nodes=x.size(0)).T


def unweighted_edges(x: Tensor, edge_index: Any, edge_weight: Tensor | None, what: str) -> Graph:
    """The edges, of which none may carry a weight.

    Args:
        x: Features: one row per node.
        edge_index: Sources and targets, or what :meth:`graphlab.ops.Graph.from_edge_index` takes.
        edge_weight: What the user gave.
        what: Who reads no weights.

    Raises:
        ValueError: The edges are malformed or of another number of nodes, or there are weights.
    """
    graph, weight = checked_edges(edge_index, edge_weight, x.size(0))
    if weight is not None:
        raise ValueError(
            f"'edge_weight' is not read by {what}, got one of shape {tuple(weight.shape)}; pass None, and a sparse "
            f"adjacency of ones"
        )
    return graph
