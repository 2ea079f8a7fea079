"""EXP and CEXP: graphs of formulas that can or cannot be satisfied, in pairs."""

from collections.abc import Iterator
from pathlib import Path

import torch
from torch.nn.functional import one_hot
from torch_geometric.data import Data

from graphlab.data.card import Card
from graphlab.data.graph_list import GraphList
from graphlab.data.pyg import Transform
from graphlab.data.sources import read_files


def read_sat_pairs(card: Card, root: Path, transform: Transform | None = None) -> GraphList:
    """The 600 pairs of Abboud et al. (2021, arXiv 2010.01179): graphs ``2 i`` and ``2 i + 1`` are pair ``i``.

    Two graphs of a pair have different labels, 1 where the formula can be satisfied. A node is a literal or a clause,
    which is its feature, one-hot. The file says how many graphs there are, and of each graph how many nodes and its
    label; then of each node its kind, its degree and its neighbours.

    Args:
        card: The card.
        root: The root folder.
        transform: Applied to a graph at every access.

    Shapes:
        - a graph's x: ``[n, 2]``, edge_index: ``[2, E]``, y: ``[1]``, pair: ``[1]``

    Raises:
        FileNotFoundError: If the file is missing.
        ValueError: If the file of the mirror is corrupt, or does not hold what it says.
    """
    (path,) = read_files(card, root)
    try:
        return GraphList(_graphs(path), transform)
    except (ValueError, StopIteration) as error:
        why = str(error) or "it ends early"
        raise ValueError(f"{path} does not hold the graphs that it says ({why}); fetch it again") from error


def _graphs(path: Path) -> list[Data]:
    lines = iter([[int(word) for word in line.split()] for line in path.read_text().splitlines()])
    (count,) = next(lines)
    return [_graph(lines, number) for number in range(count)]


def _graph(lines: Iterator[list[int]], number: int) -> Data:
    nodes, label = next(lines)
    kinds, edges = [], []
    for node in range(nodes):
        kind, degree, *neighbours = next(lines)
        if degree != len(neighbours) or not all(0 <= other < nodes for other in neighbours):
            raise ValueError(f"node {node} of graph {number}: {degree} neighbours of {nodes} nodes, got {neighbours}")
        if kind not in (0, 1):
            raise ValueError(f"node {node} of graph {number}: expected kind 0 or 1, got {kind}")
        kinds.append(kind)
        edges += [(node, other) for other in sorted(neighbours)]
    return Data(
        x=one_hot(torch.tensor(kinds), 2).float(),
        edge_index=torch.tensor(edges, dtype=torch.long).view(-1, 2).t().contiguous(),
        y=torch.tensor([label]),
        pair=torch.tensor([number // 2]),
    )
