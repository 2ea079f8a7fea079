"""Graphs of the Stanford collection without labels, for counting, timing and link tasks."""

import gzip
from pathlib import Path

import numpy as np
import torch
from torch_geometric.data import Data
from torch_geometric.utils import to_undirected

from graphlab.data.card import Card
from graphlab.data.one_graph import OneGraph
from graphlab.data.pyg import Transform
from graphlab.data.sources import read_files
from graphlab.directed.is_direction_genuine import is_direction_genuine


def read_snap(card: Card, root: Path, transform: Transform | None = None) -> OneGraph:
    """A graph of SNAP (Leskovec and Krevl 2014) in the format of SNAPDatasets.jl.

    The file is a gzipped table: its first line says ``nodes,edges,d|u,...`` (directed or undirected), every other one
    is an edge ``u,v`` between nodes counted from 1. Directed graphs come as they are, self-loops included; undirected
    ones with both directions. There are no features, labels or masks.

    Args:
        card: The card.
        root: The root folder.
        transform: Applied to the graph at every access.

    Shapes:
        - edge_index: ``[2, E]``

    Raises:
        FileNotFoundError: If the file is missing.
        ValueError: If the file of the mirror is corrupt, or the file does not hold what its first line says.
    """
    (path,) = read_files(card, root)
    with gzip.open(path, "rt") as file:
        num_nodes, num_edges, kind = file.readline().strip().split(",")[:3]
        edges = torch.from_numpy(np.loadtxt(file, np.int64, delimiter=",", ndmin=2)) - 1
    nodes = int(num_nodes)
    if len(edges) != int(num_edges) or int(edges.min()) < 0 or int(edges.max()) >= nodes:
        raise ValueError(f"{path} says {num_edges} edges of {nodes} nodes and does not hold them; fetch it again")
    edge_index = edges.t().contiguous()
    if kind == "u":
        edge_index = to_undirected(edge_index, num_nodes=nodes)
    genuine = is_direction_genuine(edge_index)
    return OneGraph(Data(edge_index=edge_index, num_nodes=nodes, is_direction_genuine=genuine), transform)
