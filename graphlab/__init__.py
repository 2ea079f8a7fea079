"""graphlab: graph learning on PyTorch and PyTorch Geometric.

Importing the package is cheap: rooms (``graphlab.aggr``, ``graphlab.data``, ...) load on first use (PEP 562), and
``import graphlab`` alone does not even import torch.
"""

import importlib
from typing import TYPE_CHECKING, Any

from graphlab.version import __version__

if TYPE_CHECKING:
    from graphlab import aggr, data, directed, disk, loader, models, nn, ops, subgraph, testing, train
    from graphlab.aggr import register_aggregations

_ROOMS = ("aggr", "data", "directed", "disk", "loader", "models", "nn", "ops", "subgraph", "testing", "train")
_NAMES = {"register_aggregations": "graphlab.aggr"}

__all__ = [
    "__version__",
    "aggr",
    "data",
    "directed",
    "disk",
    "loader",
    "models",
    "nn",
    "ops",
    "register_aggregations",
    "subgraph",
    "testing",
    "train",
]


def __getattr__(name: str) -> Any:
    if name in _ROOMS:
        return importlib.import_module(f"graphlab.{name}")
    if name in _NAMES:
        return getattr(importlib.import_module(_NAMES[name]), name)
    raise AttributeError(f"module 'graphlab' has no attribute '{name}'; it has {', '.join(__all__)}")


def __dir__() -> list[str]:
    return sorted(__all__)
