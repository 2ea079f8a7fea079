"""Training on graphs larger than memory: offline sampling, packed features, crash-safe stores."""

from graphlab.disk.errors import CorruptStoreError, DiskError, DiskFullError, MemoryBudgetError, UnsealedStoreError

__all__ = ["CorruptStoreError", "DiskError", "DiskFullError", "MemoryBudgetError", "UnsealedStoreError"]
