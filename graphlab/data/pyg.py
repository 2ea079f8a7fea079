"""Sets that PyG's own classes parse: citation graphs, TU's collections, the karate club."""

from collections.abc import Callable
from pathlib import Path

import torch
from torch_geometric.data import Data, Dataset
from torch_geometric.datasets import KarateClub, Planetoid, TUDataset

from graphlab.data.card import Card
from graphlab.data.degree_features import with_degree_features
from graphlab.data.masks import stratified_masks
from graphlab.data.sources import read_through

Transform = Callable[[Data], Data]


def read_planetoid(card: Card, root: Path, transform: Transform | None = None) -> Dataset:
    """A citation graph with the public split of Yang et al. (2016, arXiv 1603.08861).

    Args:
        card: The card.
        root: The root folder.
        transform: Applied to the graph at every access.

    Raises:
        FileNotFoundError: If raw files are missing.
        ValueError: If a file of the mirror is corrupt.
    """
    name = card.original_name
    return read_through(
        card,
        root,
        f"{name}/processed/data.pt",
        lambda folder: Planetoid(str(folder), name, transform=transform),
    )


def read_tu(card: Card, root: Path, transform: Transform | None = None) -> Dataset:
    """A graph collection of TU Dortmund (Morris et al. 2020, arXiv 2007.08663).

    Node labels become one-hot features, edge labels one-hot ``edge_attr``. In a set without node labels the features
    are one-hot degrees. An edge that the files list twice is one edge.

    Args:
        card: The card.
        root: The root folder.
        transform: Applied to a graph at every access.

    Raises:
        FileNotFoundError: If raw files are missing.
        ValueError: If a file of the mirror is corrupt.
    """
    name = card.original_name
    dataset = read_through(
        card,
        root,
        f"{name}/processed/data.pt",
        lambda folder: TUDataset(str(folder), name),
    )
    dataset = dataset if dataset.num_node_features else with_degree_features(dataset)
    dataset.transform = transform  # only now: it may ask for features
    return dataset


def read_karate(transform: Transform | None = None) -> Dataset:
    """Zachary's karate club (1977) with three masks.

    PyG's four labelled nodes train; of the others 10 validate and 20 test, always the same.

    Args:
        transform: Applied to the graph at every access.
    """
    dataset = KarateClub(transform)
    graph = dataset.get(0)
    assert isinstance(graph, Data) and isinstance(graph.y, torch.Tensor)  # what KarateClub builds
    rest = (~graph.train_mask).nonzero().view(-1)
    graph.val_mask, graph.test_mask = stratified_masks(graph.y, rest, [10])
    dataset.data, dataset.slices = dataset.collate([graph])
    return dataset
