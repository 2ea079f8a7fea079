"""Training on graphs larger than memory: offline sampling, packed features, crash-safe stores."""

from graphlab.disk.array_source import RawFile, SafetensorsFile
from graphlab.disk.errors import CorruptStoreError, DiskError, DiskFullError, MemoryBudgetError, UnsealedStoreError
from graphlab.disk.graph_source import GraphFiles
from graphlab.disk.prepare import prepare

__all__ = [
    "CorruptStoreError",
    "DiskError",
    "DiskFullError",
    "GraphFiles",
    "MemoryBudgetError",
    "RawFile",
    "SafetensorsFile",
    "UnsealedStoreError",
    "prepare",
]
