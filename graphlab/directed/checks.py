"""Refusals that several networks of this room share."""

from collections.abc import Iterable
from typing import Any

from torch import Tensor

from graphlab.ops import Graph


def one_of(name: str, value: str, choices: Iterable[str]) -> str:
    """Return ``value`` if it is one of ``choices``.

    Args:
        name: The argument that it came as.
        value: What came.
        choices: The strings that are allowed.

    Raises:
        ValueError: It is not.
    """
    allowed = tuple(choices)
    if value not in allowed:
        raise ValueError(f"'{name}' must be one of {', '.join(map(repr, allowed))}, got {value!r}")
    return value


def at_least(name: str, value: int, least: int) -> int:
    """Return ``value`` if it is no smaller than ``least``.

    Args:
        name: The argument that it came as.
        value: What came.
        least: The smallest value allowed.

    Raises:
        ValueError: It is smaller.
    """
    if value < least:
        raise ValueError(f"'{name}' must be at least {least}, got {value}")
    return value


def check_heads(channels: int, heads: int) -> None:
    """Refuse a number of heads that does not divide the width.

    Args:
        channels: The width of all heads together.
        heads: How many there are.

    Raises:
        ValueError: The width cannot be shared out.
    """
    if heads < 1 or channels % heads:
        raise ValueError(f"'heads' must divide the width of {channels}, got {heads}; take another 'hidden_channels'")


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


def refuse_edge_weight(edge_weight: Tensor | None, what: str) -> None:
    """Refuse weights where nothing would read them.

    Args:
        edge_weight: What the user gave.
        what: Who reads no weights.

    Raises:
        ValueError: There are weights.
    """
    if edge_weight is not None:
        raise ValueError(f"'edge_weight' is not read by {what}, got one of shape {tuple(edge_weight.shape)}; pass None")
