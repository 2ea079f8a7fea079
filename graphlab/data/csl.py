"""Circular skip links: regular graphs that differ in one number."""

from pathlib import Path

import numpy as np
import torch

from graphlab.data.card import Card
from graphlab.data.graph6 import parse_graph6
from graphlab.data.graph_list import GraphList
from graphlab.data.pyg import Transform
from graphlab.data.sources import read_files


def read_csl(card: Card, root: Path, transform: Transform | None = None) -> GraphList:
    """The 150 graphs of Murphy et al. (2019, Relational Pooling, arXiv 1903.02541), in ten classes.

    A graph is a cycle of 41 nodes and links from each node to the one ``R`` steps on, its nodes renumbered; the class
    is which ``R`` of 2, 3, 4, 5, 6, 9, 11, 12, 13 and 16. There are no features; each node gets the number 1, since
    networks read some.

    Args:
        card: The card; its first file holds the graphs and its second the labels.
        root: The root folder.
        transform: Applied to a graph at every access.

    Shapes:
        - a graph's x: ``[41, 1]``, edge_index: ``[2, 164]``, y: ``[1]``

    Raises:
        FileNotFoundError: If a file is missing.
        ValueError: If a file of the mirror is corrupt, or the files do not belong together.
    """
    path, labels = read_files(card, root)
    graphs = parse_graph6([path])
    classes = torch.from_numpy(np.loadtxt(labels, np.int64, ndmin=1))
    if len(graphs) != len(classes):
        raise ValueError(f"{path} has {len(graphs)} graphs, but {labels} has {len(classes)} labels; fetch them again")
    for graph, label in zip(graphs, classes, strict=True):
        graph.y = label.view(1)
    return GraphList(graphs, transform)
