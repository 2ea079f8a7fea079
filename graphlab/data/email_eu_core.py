"""Mail of a research institution: a small directed graph whose nodes have labels and no features."""

from pathlib import Path

import numpy as np
import torch
from torch_geometric.data import Data

from graphlab.data.card import Card
from graphlab.data.masks import proportional_masks
from graphlab.data.one_graph import OneGraph
from graphlab.data.pyg import Transform
from graphlab.data.sources import read_files
from graphlab.data.structural_features import Features, structural_features
from graphlab.directed.is_direction_genuine import is_direction_genuine


def read_email_eu_core(
    card: Card, root: Path, features: Features = "degree", transform: Transform | None = None
) -> OneGraph:
    """Who writes to whom (Yin et al. 2017, Local Higher-Order Graph Clustering), with departments to tell.

    Arcs are as stored, self-loops included: people write to themselves. The set has no features of its own; the
    default are degrees, see :func:`~graphlab.data.structural_features.structural_features`. Splits are those of the
    card, by :func:`~graphlab.data.masks.proportional_masks`.

    Args:
        card: The card; its ``num_splits`` says how many splits.
        root: The root folder.
        features: ``"degree"``, ``"random"`` or ``"onehot"``.
        transform: Applied to the graph at every access.

    Shapes:
        - x: ``[1005, 2 | 1 | 1005]``, edge_index: ``[2, 25571]``, y: ``[1005]``
        - train_mask, val_mask, test_mask: ``[1005, num_splits]``

    Raises:
        FileNotFoundError: If a file is missing.
        ValueError: If a file of the mirror is corrupt, or there are no such features.
    """
    arcs, labels = (torch.from_numpy(np.loadtxt(path, np.int64, skiprows=1)) for path in read_files(card, root))
    edge_index, y = arcs.t().contiguous(), labels[labels[:, 0].argsort(), 1]
    train, valid, test = proportional_masks(y, card.num_splits)
    graph = Data(
        x=structural_features(features, edge_index, y.numel()),
        edge_index=edge_index,
        y=y,
        train_mask=train,
        val_mask=valid,
        test_mask=test,
        is_direction_genuine=is_direction_genuine(edge_index),
    )
    return OneGraph(graph, transform)
