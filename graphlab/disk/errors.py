"""What can be wrong with a store."""

import errno


class DiskError(RuntimeError):
    """A store can not be used; the message says why and what to do."""


class UnsealedStoreError(DiskError):
    """The preparation of a store has not ended."""


class CorruptStoreError(DiskError):
    """Bytes of a store are not those that were written.

    Args:
        message: What is wrong, and the way out.
        batches: The batches that are hit, as (epoch, batch); empty where it is not one batch.
    """

    def __init__(self, message: str, batches: tuple[tuple[int, int], ...] = ()) -> None:
        super().__init__(message)
        self.batches = batches


class FeaturesError(CorruptStoreError):
    """The features that a store refers to changed, or can not be read: it is not the store that is to be mended."""


class MemoryBudgetError(DiskError):
    """The memory budget is too small for the work."""


class DiskFullError(OSError):
    """The disk has no room for what is to be written.

    Args:
        path: Where it was to be written.
        needed: Bytes needed.
        free: Bytes free, or allowed.
        hint: The way out.
    """

    def __init__(self, path: object, needed: int, free: int, hint: str = "") -> None:
        advice = hint or "free some space, or give another 'out'"
        super().__init__(errno.ENOSPC, f"{path} needs {needed:,} bytes, {free:,} bytes are free; {advice}")
        self.needed, self.free = needed, free
