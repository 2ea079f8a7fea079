"""All connected graphs of a few nodes."""

from pathlib import Path

from graphlab.data.card import Card
from graphlab.data.graph6 import parse_graph6
from graphlab.data.graph_list import GraphList
from graphlab.data.pyg import Transform
from graphlab.data.sources import read_files

_SIZES = range(2, 9)


def read_graph8c(card: Card, root: Path, num_nodes: int = 8, transform: Transform | None = None) -> GraphList:
    """Every connected graph of ``num_nodes`` nodes, once up to isomorphism.

    There are 1, 2, 6, 21, 112, 853 and 11,117 of 2 to 8 nodes. They have no features; each node gets the number 1,
    since networks read some.

    Args:
        card: The card.
        root: The root folder.
        num_nodes: 2 to 8.
        transform: Applied to a graph at every access.

    Shapes:
        - a graph's x: ``[num_nodes, 1]``, edge_index: ``[2, E]``

    Raises:
        FileNotFoundError: If a file is missing.
        ValueError: If a file of the mirror is corrupt, or there is no list of graphs of so many nodes.
    """
    if num_nodes not in _SIZES:
        raise ValueError(f"num_nodes must be one of {', '.join(map(str, _SIZES))}, got {num_nodes}")
    path = read_files(card, root)[_SIZES.index(num_nodes)]
    return GraphList(parse_graph6([path]), transform)
