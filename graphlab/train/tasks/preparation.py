"""What is done to a graph before a network sees it: the scale of its features, the direction of its edges."""

import copy
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor
from torch_geometric.data import Data
from torch_geometric.transforms import NormalizeFeatures, ToUndirected

from graphlab.directed import AdaptiveDirection
from graphlab.directed.csr_tensor import to_csr
from graphlab.train.config import ConfigError, Direction, TrainConfig

DENSE_FROM = 0.05
"""Features with a smaller fraction of entries that are not zero are cheaper as a sparse matrix."""


def prepare(data: Data, splits: dict[str, Tensor], config: TrainConfig) -> Data:
    """Bring a graph into the form that a configuration asks for.

    The masks become those of the split, so that what looks at labels sees those of its training nodes alone.

    Args:
        data: the graph as its data set stores it; it is not changed.
        splits: node indices of each split.
        config: its ``features`` and ``direction`` say what to do.
    """
    data = copy.copy(data)
    for part, name in (("train", "train_mask"), ("valid", "val_mask"), ("test", "test_mask")):
        mask = torch.zeros(int(data.num_nodes or 0), dtype=torch.bool)
        mask[splits[part]] = True
        data[name] = mask
    if config.features == "row":
        data = NormalizeFeatures()(data)
    return _DIRECTIONS[config.direction](data)


def refuse_preparation(config: TrainConfig, what: str) -> None:
    """Refuse settings of :func:`prepare` for data that do not go through it.

    Args:
        config: the settings.
        what: the data, for the message.

    Raises:
        ConfigError: if features or directions are not to be left as they are stored, or a choice is made of the form
            of the features.
    """
    for name, default in (("features", "stored"), ("direction", "stored"), ("sparse", "auto")):
        value = getattr(config, name)
        if value != default:
            raise ConfigError(f"{name}: {what} are taken as they are stored; expected '{default}', got '{value}'")


def sparse_features(x: Tensor) -> Tensor | None:
    """The features as a sparse CSR matrix, if most of their entries are zero.

    Args:
        x: features of all nodes.

    Shapes:
        - x: ``[num_nodes, num_features]``
    """
    if x.layout != torch.strided or x.dim() != 2 or int(x.count_nonzero()) >= DENSE_FROM * x.numel():
        return None
    return to_csr(x)


def _reversed(data: Data) -> Data:
    edge_index: Any = data.edge_index
    data.edge_index = edge_index.flip(0)
    return data


_DIRECTIONS: dict[Direction, Callable[[Data], Data]] = {
    "stored": lambda data: data,
    "undirected": ToUndirected(),
    "reversed": _reversed,
    "adaptive": AdaptiveDirection(),
}
