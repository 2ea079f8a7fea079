"""The disk that a store may take."""

import os
from dataclasses import dataclass
from pathlib import Path

from graphlab.disk.errors import DiskFullError


@dataclass(frozen=True)
class Space:
    """What a store takes, and what it may take.

    Args:
        path: The store.
        held: Bytes that it takes already.
        free: Bytes that it may take in all.
        limited: Whether that is the user's limit, not the disk's.
    """

    path: Path
    held: int
    free: int
    limited: bool

    @classmethod
    def of(cls, path: Path, disk_budget: int | None) -> "Space":
        """Look how much there is.

        Args:
            path: The store.
            disk_budget: The user's limit in bytes; ``None`` for what the disk has.
        """
        stat = os.statvfs(path)
        held = sum(file.stat().st_blocks * 512 for file in path.rglob("*") if file.is_file())
        free = held + stat.f_bavail * stat.f_frsize
        if disk_budget is not None and disk_budget < free:
            return cls(path, held, disk_budget, True)
        return cls(path, held, free, False)

    def check(self, needed: int, advice: str) -> None:
        """Refuse what does not fit.

        Args:
            needed: Bytes that the store is going to take in all.
            advice: What would make it smaller.

        Raises:
            DiskFullError: It does not fit.
        """
        if needed > self.free:
            more = "raise 'disk_budget'" if self.limited else "free some space, give another 'out'"
            raise DiskFullError(self.path, needed, self.free, f"{more}, or {advice}")
