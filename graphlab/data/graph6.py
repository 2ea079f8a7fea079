"""Graphs without features in graph6, the format of McKay's lists of small graphs: a line of text for each."""

from collections.abc import Iterable
from pathlib import Path

import networkx as nx
import torch
from torch_geometric.data import Data
from torch_geometric.utils import to_undirected

from graphlab.data.card import Card
from graphlab.data.graph_list import GraphList
from graphlab.data.pyg import Transform
from graphlab.data.sources import read_files


def read_graph6(card: Card, root: Path, transform: Transform | None = None) -> GraphList:
    """The graphs of a card's graph6 files, one file after another; see :func:`parse_graph6`.

    Args:
        card: The card.
        root: The root folder.
        transform: Applied to a graph at every access.

    Shapes:
        - a graph's x: ``[n, 1]``, edge_index: ``[2, E]``

    Raises:
        FileNotFoundError: If a file is missing.
        ValueError: If a file of the mirror is corrupt, or a line is not graph6.
    """
    return GraphList(parse_graph6(read_files(card, root)), transform)


def parse_graph6(paths: Iterable[Path]) -> list[Data]:
    """The graphs of graph6 files, in order.

    The format holds edges and nothing else; since networks read features, each node gets the number 1. Edges have both
    directions, sorted.

    Args:
        paths: Files with one graph a line, with or without the header ``>>graph6<<``.

    Raises:
        ValueError: If a line is not graph6, naming it.
    """
    return [
        _graph(path, number, line)
        for path in paths
        for number, line in enumerate(path.read_bytes().splitlines(), 1)
        if line.strip()
    ]


def _graph(path: Path, number: int, line: bytes) -> Data:
    try:
        parsed = nx.from_graph6_bytes(line.strip())
    except (ValueError, IndexError, nx.NetworkXError) as error:
        raise ValueError(f"{path}, line {number}: expected a graph in graph6, got {line[:40]!r} ({error})") from error
    edges = torch.tensor([*parsed.edges], dtype=torch.long).view(-1, 2).t()
    nodes = len(parsed)
    return Data(x=torch.ones(nodes, 1), edge_index=to_undirected(edges, num_nodes=nodes))
