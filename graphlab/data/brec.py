"""BREC: pairs of graphs that are not isomorphic, hard to tell apart."""

from pathlib import Path

import torch

from graphlab.data.card import Card
from graphlab.data.graph6 import parse_graph6
from graphlab.data.graph_list import GraphList
from graphlab.data.pyg import Transform
from graphlab.data.sources import read_files


def read_brec(card: Card, root: Path, transform: Transform | None = None) -> GraphList:
    """The 400 pairs of Wang and Zhang (2023, arXiv 2304.07702): graphs ``2 i`` and ``2 i + 1`` are pair ``i``.

    The graphs have no features; each node gets the number 1, since networks read some.

    Args:
        card: The card.
        root: The root folder.
        transform: Applied to a graph at every access.

    Shapes:
        - a graph's x: ``[n, 1]``, edge_index: ``[2, E]``, pair: ``[1]``

    Raises:
        FileNotFoundError: If a file is missing.
        ValueError: If a file of the mirror is corrupt, or a line is not graph6.
    """
    graphs = parse_graph6(read_files(card, root))
    for number, graph in enumerate(graphs):
        graph.pair = torch.tensor([number // 2])
    return GraphList(graphs, transform)
