"""Whether the directions of a graph can mean anything, or are how a file was written."""

from typing import Any, Literal

import torch
from torch import Tensor

from graphlab.ops import Graph


def is_direction_genuine(edge_index: Any) -> bool:
    r"""Whether the directions of the edges may carry information.

    They do not where every edge is stored as :math:`i < j`, or every one as :math:`i > j`: an undirected graph was
    written once per edge, and "directions" are the numbering of its nodes. They do not either where each edge comes
    with its reverse. Self-loops and repeated edges change nothing; a graph without other edges has no directions.

    The test is of the file, not of the world: a genuinely directed graph without cycles whose nodes were numbered along
    its directions looks like an undirected one. Renumber its nodes at random if you know better.

    Args:
        edge_index: The edges :math:`i \to j`, or what :meth:`graphlab.ops.Graph.from_edge_index` takes.

    Shapes:
        - **edge_index:** ``(2, num_edges)``, whole numbers of 0 or more

    Raises:
        ValueError: The edges are of another shape or type, or a node is negative.

    Example:
        >>> import torch
        >>> from graphlab.directed.is_direction_genuine import is_direction_genuine
        >>> is_direction_genuine(torch.tensor([[0, 1, 2], [1, 2, 0]]))  # a cycle
        True
        >>> is_direction_genuine(torch.tensor([[0, 1, 0], [1, 2, 2]]))  # each edge once, i < j
        False
    """
    if not isinstance(edge_index, Tensor) or edge_index.layout != torch.strided:
        edge_index = Graph.from_edge_index(edge_index).edge_index()
    return directions_of(edge_index) == "genuine"


def directions_of(edge_index: Tensor) -> Literal["genuine", "both ways", "one way", "none"]:
    r"""How the edges are stored: :func:`is_direction_genuine` with the reason why not.

    Args:
        edge_index: The edges :math:`i \to j`.

    Shapes:
        - **edge_index:** ``(2, num_edges)``, whole numbers of 0 or more

    Raises:
        ValueError: The edges are of another shape or type, or a node is negative.
    """
    _check(edge_index)
    row, col = edge_index[0].long(), edge_index[1].long()
    up, down = row < col, row > col
    rises, falls = bool(up.any()), bool(down.any())
    if not (rises and falls):
        return "one way" if rises or falls else "none"
    # Each undirected pair as one number; symmetric graphs have the same pairs going up as going down.
    num_nodes = int(torch.maximum(row, col).max()) + 1
    rising = torch.unique(row[up] * num_nodes + col[up])
    falling = torch.unique(col[down] * num_nodes + row[down])
    return "both ways" if torch.equal(rising, falling) else "genuine"


def _check(edge_index: Tensor) -> None:
    if edge_index.dim() != 2 or edge_index.size(0) != 2:
        raise ValueError(f"'edge_index' must have shape (2, num_edges), got {tuple(edge_index.shape)}")
    if edge_index.is_floating_point() or edge_index.is_complex() or edge_index.dtype == torch.bool:
        raise ValueError(f"'edge_index' must hold whole numbers, got {edge_index.dtype}; convert it with .long()")
    if edge_index.numel() and int(edge_index.min()) < 0:
        raise ValueError(f"'edge_index' must hold nodes of 0 or more, got {int(edge_index.min())}")
