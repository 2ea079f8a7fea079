"""Attributed graphs kept as two CSR matrices in an npz file, with labels and no masks."""

from pathlib import Path

import numpy as np
import torch
from scipy.sparse import csr_array
from torch_geometric.data import Data

from graphlab.data.card import Card
from graphlab.data.masks import class_balanced_masks
from graphlab.data.one_graph import OneGraph
from graphlab.data.pyg import Transform
from graphlab.data.sources import read_files
from graphlab.directed.is_direction_genuine import is_direction_genuine

_PER_CLASS, _NUM_VALID = 20, 500


def read_csr_npz(card: Card, root: Path, transform: Transform | None = None) -> OneGraph:
    """A directed citation graph in the format of Shchur et al. (2018, arXiv 1811.05868).

    Nothing is added or left out: one arc a citation, from the citing paper to the cited one, self-loops included.
    Masks: of each class 20 nodes train, 500 of the others validate, all else tests; one column for each seed.

    Args:
        card: The card; its ``num_splits`` says how many seeds.
        root: The root folder.
        transform: Applied to the graph at every access.

    Shapes:
        - x: ``[n, num_features]`` (float32), edge_index: ``[2, E]``, y: ``[n]``
        - train_mask, val_mask, test_mask: ``[n, num_splits]``

    Raises:
        FileNotFoundError: If the file is missing.
        ValueError: If the file of the mirror is corrupt.
    """
    (path,) = read_files(card, root)
    with np.load(path, allow_pickle=False) as file:
        adj, attr = (_matrix(file, name) for name in ("adj", "attr"))
        y = torch.from_numpy(file["labels"]).long()
    arcs = adj.tocoo()
    edge_index = torch.from_numpy(np.stack([arcs.row, arcs.col])).long()
    train, valid, test = class_balanced_masks(y, _PER_CLASS, _NUM_VALID, card.num_splits)
    graph = Data(
        x=torch.from_numpy(attr.toarray()).float(),
        edge_index=edge_index,
        y=y,
        train_mask=train,
        val_mask=valid,
        test_mask=test,
        is_direction_genuine=is_direction_genuine(edge_index),
    )
    return OneGraph(graph, transform)


def _matrix(file: np.lib.npyio.NpzFile, name: str) -> csr_array:
    data, indices, indptr, shape = (file[f"{name}_{part}"] for part in ("data", "indices", "indptr", "shape"))
    return csr_array((data, indices, indptr), shape=tuple(shape))
