<<<<<<< HEAD
"""Whether the directions of a graph can mean anything, or are how a file was written."""

import torch
from torch import Tensor


def is_direction_genuine(edge_index: Tensor) -> bool:
    r"""Whether the directions of the edges may carry information.

    They do not where every edge is stored as :math:`i < j`, or every one as :math:`i > j`: an undirected graph was
    written once per edge, and "directions" are the numbering of its nodes. They do not either where each edge comes
    with its reverse. Self-loops and repeated edges change nothing; a graph without other edges has no directions.

    The test is of the file, not of the world: a genuinely directed graph without cycles whose nodes were numbered along
    its directions looks like an undirected one. Renumber its nodes at random if you know better.

    Args:
        edge_index: The edges :math:`i \to j`.

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
    _check(edge_index)
    row, col = edge_index[0].long(), edge_index[1].long()
    up, down = row < col, row > col
    if not (bool(up.any()) and bool(down.any())):
        return False
    # Each undirected pair as one number; symmetric graphs have the same pairs going up as going down.
    num_nodes = int(torch.maximum(row, col).max()) + 1
    rising = torch.unique(row[up] * num_nodes + col[up])
    falling = torch.unique(col[down] * num_nodes + row[down])
    return not torch.equal(rising, falling)


def _check(edge_index: Tensor) -> None:
    if edge_index.dim() != 2 or edge_index.size(0) != 2:
        raise ValueError(f"'edge_index' must have shape (2, num_edges), got {tuple(edge_index.shape)}")
    if edge_index.is_floating_point() or edge_index.is_complex() or edge_index.dtype == torch.bool:
        raise ValueError(f"'edge_index' must hold whole numbers, got {edge_index.dtype}; convert it with .long()")
    if edge_index.numel() and int(edge_index.min()) < 0:
        raise ValueError(f"'edge_index' must hold nodes of 0 or more, got {int(edge_index.min())}")
=======
"""Do the directions of a graph say something, or only how a file was written?"""

from typing import Any, Literal

from graphlab.directed.sparse import simple_adjacency
from graphlab.ops import Graph


def is_direction_genuine(edge_index: Any) -> bool:
    r"""Say whether edges have directions that are not visibly an artefact.

    They have none if each edge is stored in both directions, or if all go from the lower to the higher node number or
    all from the higher to the lower: so are undirected graphs written that store each edge once, and their "directions"
    are the numbering of the nodes. Loops do not count. A directed graph without cycles whose nodes are numbered in
    topological order (papers by date) looks the same and is called not genuine too; a graph with a few edges may by
    chance.

    Args:
        edge_index: Sources and targets, or what :meth:`graphlab.ops.Graph.from_edge_index` takes.

    Shapes:
        - **edge_index:** ``(2, num_edges)``

    Raises:
        ValueError: The edges are malformed.

    Example:
        >>> import torch
        >>> from graphlab.directed import is_direction_genuine
        >>> is_direction_genuine(torch.tensor([[0, 0, 1], [1, 2, 2]]))
        False
        >>> is_direction_genuine(torch.tensor([[0, 2, 1], [1, 0, 2]]))
        True
    """
    return directions_of(edge_index) == "genuine"


def directions_of(edge_index: Any) -> Literal["genuine", "both ways", "one way", "none"]:
    """Tell how the edges are stored: see :func:`is_direction_genuine`.

    Args:
        edge_index: Sources and targets, or what :meth:`graphlab.ops.Graph.from_edge_index` takes.
    """
    graph = Graph.from_edge_index(edge_index)
    edges = simple_adjacency(graph, num_nodes=max(graph.size))
    if edges.nnz == 0:
        return "none"
    source, target = edges.tocoo().coords
    if (source < target).all() or (source > target).all():
        return "one way"
    return "genuine" if (edges != edges.T).nnz else "both ways"
>>>>>>> decoupled
