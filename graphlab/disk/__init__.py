"""Training on graphs larger than memory: offline sampling, packed features, crash-safe stores."""

from graphlab.disk.array_source import RawFile, SafetensorsFile
from graphlab.disk.disk_loader import DiskLoader
from graphlab.disk.errors import CorruptStoreError, DiskError, DiskFullError, MemoryBudgetError, UnsealedStoreError
from graphlab.disk.graph_source import GraphFiles
from graphlab.disk.prepare import prepare
from graphlab.disk.repair import Repair, repair
from graphlab.disk.store import Store
from graphlab.disk.summary import info
from graphlab.disk.verify import Damage, Report, verify

__all__ = [
    "CorruptStoreError",
    "Damage",
    "DiskError",
    "DiskFullError",
    "DiskLoader",
    "GraphFiles",
    "MemoryBudgetError",
    "RawFile",
    "Repair",
    "Report",
    "SafetensorsFile",
    "Store",
    "UnsealedStoreError",
    "info",
    "prepare",
    "repair",
    "verify",
]
