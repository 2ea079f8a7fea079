"""Graphs of the critical look at heterophily: one npz file each, with ten masks."""

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


def read_heterophilous(card: Card, root: Path, as_stored: bool = False, transform: Transform | None = None) -> OneGraph:
    """A graph of Platonov et al. (2023, arXiv 2302.11640), with its ten fixed masks.

    Undirected graphs are stored once an edge, ``i < j``; as in PyG they come with both directions. Directed graphs
    come as they are, self-loops included. The graph's ``is_direction_genuine`` says which it is.

    Cornell is not what PyG's ``WebKB("Cornell")`` loads: that class downloads a file of features and labels which is,
    byte by byte, the one of Texas (classes of 33, 1, 18, 101 and 30 nodes). Here its classes have 38, 16, 30, 82 and
    17 nodes; accuracies on the two are not comparable.

    Args:
        card: The card.
        root: The root folder.
        as_stored: Leave the edges of an undirected graph as the file has them.
        transform: Applied to the graph at every access.

    Shapes:
        - x: ``[n, num_features]`` (float32), edge_index: ``[2, E]``, y: ``[n]``
        - train_mask, val_mask, test_mask: ``[n, 10]``, one column a split

    Raises:
        FileNotFoundError: If the file is missing.
        ValueError: If the file of the mirror is corrupt.
    """
    (path,) = read_files(card, root)
    with np.load(path, allow_pickle=False) as file:
        arrays = {name: torch.from_numpy(file[name]) for name in file.files}
    edge_index = arrays["edges"].t().contiguous()
    genuine = is_direction_genuine(edge_index)
    if not genuine and not as_stored:
        edge_index = to_undirected(edge_index, num_nodes=len(arrays["node_labels"]))
    graph = Data(x=arrays["node_features"].float(), edge_index=edge_index, y=arrays["node_labels"].long())
    for part in ("train", "val", "test"):
        graph[f"{part}_mask"] = arrays[f"{part}_masks"].t().contiguous()
    graph.is_direction_genuine = genuine
    return OneGraph(graph, transform)
