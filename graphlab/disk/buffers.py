"""Buffers that are used again and again: fresh memory costs a page fault for every page that is written."""

import contextlib
import mmap
import weakref
from collections import deque

import numpy as np
import torch
from torch import Tensor

from graphlab.disk.files import BLOCK, align

_HUGE_PAGE = 2 << 20


class BufferPool:
    """Equal, page-aligned buffers, each of which comes back when the last tensor that uses it is gone.

    Args:
        size: Bytes of a buffer, rounded up to whole blocks.
        keep: How many buffers that nobody uses are kept; others go back to the system.

    Example:
        >>> from graphlab.disk.buffers import BufferPool
        >>> pool = BufferPool(4096, keep=1)
        >>> rows = pool.take()[:16].view(2, 8)
        >>> pool.out_bytes, pool.kept_bytes
        (4096, 0)
        >>> del rows
        >>> pool.out_bytes, pool.kept_bytes
        (0, 4096)
    """

    def __init__(self, size: int, keep: int) -> None:
        self.size = max(align(size), BLOCK)
        # Buffers come back in any thread, at any moment, even inside `take`: no lock, only operations that are atomic.
        self._kept: deque[mmap.mmap] = deque(maxlen=keep)
        self._out: set[int] = set()

    def __reduce__(self) -> tuple[type["BufferPool"], tuple[int, int]]:
        # A copy has buffers of its own.
        return type(self), (self.size, self._kept.maxlen or 0)

    @property
    def out_bytes(self) -> int:
        """Bytes of the buffers in use."""
        return len(self._out) * self.size

    @property
    def kept_bytes(self) -> int:
        """Bytes of the buffers that wait for use."""
        return len(self._kept) * self.size

    def take(self) -> Tensor:
        """Return a buffer; what it holds is left from its last use.

        Shapes:
            - **output:** ``(size,)``, bytes
        """
        try:
            room = self._kept.pop()
        except IndexError:
            room = _map(self.size)
        array = np.frombuffer(room, np.uint8)
        self._out.add(id(room))
        weakref.finalize(array, _come_back, self._kept, self._out, room).atexit = False
        return torch.from_numpy(array)


def _come_back(kept: deque[mmap.mmap], out: set[int], room: mmap.mmap) -> None:
    out.discard(id(room))
    kept.append(room)


def _map(size: int) -> mmap.mmap:
    # Private, so that it counts as memory of this process and may lie on huge pages.
    room = mmap.mmap(-1, size, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
    if size >= _HUGE_PAGE:
        with contextlib.suppress(OSError):  # kernels may be built without huge pages
            room.madvise(mmap.MADV_HUGEPAGE)
    return room
