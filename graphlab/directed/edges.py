"""The edges that networks gather along."""

from typing import Any

from torch import Tensor

from graphlab.directed.normalization import gcn_norm
from graphlab.directed.operator import Operator
from graphlab.ops import Graph


def edges_of_gcn(x: Tensor, edge_index: Any, edge_weight: Tensor | None = None) -> Operator:
    """The adjacency of GCN, which brings to each node what stands at the sources of its edges.

    Args:
        x: Features: one row per node.
        edge_index: Sources and targets, or what :meth:`graphlab.ops.Graph.from_edge_index` takes.
        edge_weight: One number per edge; ``None`` for 1.

    Raises:
        ValueError: The edges are malformed or of another number of nodes, or weights make a degree negative.
    """
    return gcn_norm(square_graph(edge_index, x.size(0)), edge_weight, num_nodes=x.size(0)).T


def square_graph(edge_index: Any, num_nodes: int) -> Graph:
    """The graph of the edges among ``num_nodes`` nodes.

    Args:
        edge_index: Sources and targets, or what :meth:`graphlab.ops.Graph.from_edge_index` takes.
        num_nodes: The number of rows of ``x``.

    Raises:
        ValueError: ``edge_index`` is malformed, or of another number of nodes.
    """
    graph = Graph.from_edge_index(edge_index, (num_nodes, num_nodes))
    if graph.size != (num_nodes, num_nodes):
        raise ValueError(
            f"'edge_index' is a graph of {graph.num_sources} sources and {graph.num_targets} targets, but 'x' has "
            f"{num_nodes} rows; give one row for each node"
        )
    return graph
