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
