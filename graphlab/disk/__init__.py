"""Training on graphs larger than memory: offline sampling, packed features, crash-safe stores."""

from typing import TYPE_CHECKING, Any

from graphlab.disk.array_file import ArrayFile
from graphlab.disk.array_source import RawFile, SafetensorsFile
from graphlab.disk.errors import (
    CorruptStoreError,
    DiskError,
    DiskFullError,
    FeaturesError,
    MemoryBudgetError,
    UnsealedStoreError,
)
from graphlab.disk.graph_source import GraphFiles
from graphlab.disk.layer_wise import Neighbors, Rows, Stage, layer_wise
from graphlab.disk.prepare import prepare
from graphlab.disk.repair import Repair, repair
from graphlab.disk.store import Store
from graphlab.disk.summary import info
from graphlab.disk.verify import Damage, Report, verify

if TYPE_CHECKING:
    from graphlab.disk.disk_loader import DiskLoader

__all__ = [
    "ArrayFile",
    "CorruptStoreError",
    "Damage",
    "DiskError",
    "DiskFullError",
    "DiskLoader",
    "FeaturesError",
    "GraphFiles",
    "MemoryBudgetError",
    "Neighbors",
    "RawFile",
    "Repair",
    "Report",
    "Rows",
    "SafetensorsFile",
    "Stage",
    "Store",
    "UnsealedStoreError",
    "info",
    "layer_wise",
    "prepare",
    "repair",
    "verify",
]


def __getattr__(name: str) -> Any:
    # Only batches need PyG, whose import takes more memory than many a batch: preparing goes without.
    if name == "DiskLoader":
        from graphlab.disk.disk_loader import DiskLoader

        return DiskLoader
    raise AttributeError(f"module 'graphlab.disk' has no attribute '{name}'; it has {', '.join(__all__)}")
