"""The graph and the weights of what a user calls edges, in whichever form they come."""

from typing import Any

import torch
from torch import Tensor

from graphlab.ops import Graph


def checked_edges(edge_index: Any, edge_weight: Tensor | None, num_nodes: int) -> tuple[Graph, Tensor | None]:
    """Give the edges, sorted by target, and their weights, once these are found fit for roots of degrees.

    Args:
        edge_index: Edges as a tensor, an ``EdgeIndex``, a ``Graph`` or a transposed sparse adjacency, whose values
            are the weights where ``edge_weight`` is ``None``.
        edge_weight: One number per edge, 0 or more; ``None`` for 1.
        num_nodes: The number of nodes.

    Shapes:
        - **edge_weight:** ``(num_edges,)``

    Raises:
        ValueError: Edges point outside the nodes, or weights are negative, not finite, or not one per edge.
    """
    graph, edge_weight = weighted_edges(edge_index, edge_weight, num_nodes)
    if edge_weight is not None:
        _check_values(edge_weight)
    return graph, edge_weight


def weighted_edges(edge_index: Any, edge_weight: Tensor | None, num_nodes: int) -> tuple[Graph, Tensor | None]:
    """As :func:`checked_edges`, with weights of any sign.

    Args:
        edge_index: As there.
        edge_weight: One number per edge; ``None`` for 1.
        num_nodes: The number of nodes.

    Shapes:
        - **edge_weight:** ``(num_edges,)``

    Raises:
        ValueError: Edges point outside the nodes, or weights are not one floating-point number per edge.
    """
    graph = Graph.from_edge_index(edge_index, (num_nodes, num_nodes))
    if edge_weight is None:
        edge_weight = _stored_weight(edge_index)
    if edge_weight is None:
        return graph, None
    if edge_weight.numel() != graph.num_edges or not edge_weight.dtype.is_floating_point:
        raise ValueError(
            f"'edge_weight' must hold one floating-point number for each of the {graph.num_edges} edges, got "
            f"{edge_weight.dtype} of shape {tuple(edge_weight.shape)}; convert whole numbers with .float()"
        )
    return graph, edge_weight.reshape(-1)


def _stored_weight(edge_index: Any) -> Tensor | None:
    """Values of a sparse adjacency in the order that ``Graph.from_edge_index`` gives its edges."""
    if not isinstance(edge_index, Tensor) or edge_index.layout == torch.strided:
        return None
    values = edge_index.to_sparse_coo().coalesce().values()
    return None if bool((values == 1).all()) else values


def _check_values(edge_weight: Tensor) -> None:
    with torch.no_grad():
        if not bool(((edge_weight >= 0) & edge_weight.isfinite()).all()):
            raise ValueError(
                "'edge_weight' has negative or infinite numbers or NaN, expected 0 or more: "
                "a degree must have a root; drop these edges or take absolute values"
            )
