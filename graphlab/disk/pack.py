"""Packing rows: one sequential scan of a large array fills many small, contiguous stretches of other files.

The ids of a pack ascend. So the rows that a partition of the array holds are one contiguous slice of each pack, whose
place is known before anything is read: slices can be written in any order, by any number of threads, and twice.
"""

import os
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from graphlab.disk.array_file import ArrayFile
from graphlab.disk.errors import CorruptStoreError, DiskError, MemoryBudgetError
from graphlab.disk.files import BLOCK, aligned_bytes, forget, write_fully
from graphlab.ops import assemble_rows, crc32c, crc32c_combine
from graphlab.ops.worker_pool import worker_pool

#: Bytes that are read, converted or written at once by a thread.
STEP = 4 << 20
# Ids that are read at least for a slice: a block.
_IDS = 1024


@dataclass(frozen=True)
class Pack:
    """A stretch of a file that rows are to be copied to.

    Args:
        fd: The file.
        offset: Where the first row goes, in bytes.
        count: Number of rows.
    """

    fd: int
    offset: int
    count: int


@dataclass
class PackState:
    """How far a scan has come: all rows before ``row`` are where they belong.

    Args:
        row: The next row to read.
        source_crc: CRC-32C of the rows read, as they were stored.
        placed: For each pack the number of its rows that are written.
        crc: For each pack the CRC-32C of those rows.
    """

    row: int
    source_crc: int
    placed: np.ndarray
    crc: np.ndarray

    @classmethod
    def start(cls, packs: int) -> "PackState":
        """Return the state before anything was read.

        Args:
            packs: Number of packs.
        """
        return cls(0, 0, np.zeros(packs, np.int64), np.zeros(packs, np.uint32))

    def to_bytes(self) -> bytes:
        """Write the state down."""
        head = np.array([self.row, self.source_crc, len(self.placed)], np.int64)
        return head.tobytes() + self.placed.tobytes() + self.crc.tobytes()

    @classmethod
    def from_bytes(cls, content: bytes) -> "PackState":
        """Read what :meth:`to_bytes` wrote.

        Args:
            content: What it wrote.
        """
        row, source_crc, packs = np.frombuffer(content, np.int64, 3).tolist()
        placed = np.frombuffer(content, np.int64, packs, offset=24)
        return cls(
            row, source_crc, placed.copy(), np.frombuffer(content, np.uint32, packs, offset=24 + 8 * packs).copy()
        )


def partition_rows(room: int, source: ArrayFile, dtype: torch.dtype, threads: int) -> int:
    """Return how many rows of an array fit in memory at once while they are packed.

    Args:
        room: Bytes that may be taken.
        source: The array.
        dtype: The dtype of the rows in the packs.
        threads: Number of threads.

    Raises:
        MemoryBudgetError: Not even one row fits.
    """
    row_bytes = _row_bytes(source, dtype)
    rows = (room - _overhead(source, row_bytes, threads)) // max(row_bytes, 1)
    if rows < 1:
        needed = _overhead(source, row_bytes, threads) + row_bytes
        raise MemoryBudgetError(
            f"packing takes {needed:,} bytes at least, {room:,} are left; "
            f"raise 'memory_budget' by {needed - room:,} bytes, or lower 'workers' from {threads}"
        )
    return min(rows, max(len(source), 1), 2**31 - 1)


def fitting_threads(room: int, source: ArrayFile, dtype: torch.dtype, threads: int) -> int:
    """Return how many threads can pack such that half of the memory at least is left to rows.

    Args:
        room: Bytes that may be taken.
        source: The array.
        dtype: The dtype of the rows in the packs.
        threads: Most threads.
    """
    return max(1, min(threads, room // (2 * _overhead(source, _row_bytes(source, dtype), 1))))


def pack_rows(
    source: ArrayFile,
    packs: Sequence[Pack],
    ids: Callable[[int, int, int], Tensor],
    *,
    partition_rows: int,
    dtype: torch.dtype | None = None,
    state: PackState | None = None,
    threads: int = 1,
    done: Callable[[PackState], None] = lambda state: None,
) -> PackState:
    """Copy rows of an array to packs, in one sequential scan.

    After each partition all that was written is durable and ``done`` is called; from the state it was given last, the
    scan can go on, with partitions of another size, too.

    Args:
        source: The array.
        packs: Where the rows go.
        ids: Called with the number of a pack and a range of its rows; returns their ids in ``source``, ascending.
        partition_rows: Rows that are held in memory at once, see :func:`partition_rows`.
        dtype: The dtype of the rows in the packs. (default: that of ``source``)
        state: Where to go on. (default: at the start)
        threads: Number of threads; the result does not depend on it.
        done: Called after each partition with a state that stays as it is.

    Returns:
        The state at the end.

    Raises:
        DiskError: A finite value of ``source`` is none in ``dtype``.
        CorruptStoreError: The ids of a pack do not ascend within the rows of ``source``.
        DiskFullError: There is no room for a pack.

    Example:
        >>> import os, tempfile, torch
        >>> from pathlib import Path
        >>> from graphlab.disk.array_file import ArrayFile, write_array
        >>> from graphlab.disk.pack import Pack, pack_rows
        >>> root = Path(tempfile.mkdtemp())
        >>> source = ArrayFile(write_array(root, "x.bin", torch.arange(6.0).view(3, 2)), root)
        >>> ids = [torch.tensor([0, 2]), torch.tensor([1])]
        >>> fd = os.open(root / "packs.bin", os.O_RDWR | os.O_CREAT)
        >>> packs = [Pack(fd, 0, 2), Pack(fd, 16, 1)]
        >>> state = pack_rows(source, packs, lambda pack, i, j: ids[pack][i:j], partition_rows=2)
        >>> torch.frombuffer(bytearray(os.pread(fd, 24, 0)), dtype=torch.float32).tolist()
        [0.0, 1.0, 4.0, 5.0, 2.0, 3.0]
    """
    state = state or PackState.start(len(packs))
    scan = _Scan(source, packs, ids, dtype or source.dtype, threads)
    with worker_pool(threads) as pool:
        while state.row < len(source):
            stop = min(state.row + partition_rows, len(source))
            state = scan.partition(state, stop, pool)
            done(state)
    for number, pack in enumerate(packs):
        if state.placed[number] != pack.count:
            raise CorruptStoreError(f"pack {number} has {pack.count} rows, of which {state.placed[number]} were found")
    return state


class _Scan:
    """What the partitions of a scan have in common."""

    def __init__(
        self,
        source: ArrayFile,
        packs: Sequence[Pack],
        ids: Callable[[int, int, int], Tensor],
        dtype: torch.dtype,
        threads: int,
    ) -> None:
        self.source, self.packs, self.ids, self.dtype, self.threads = source, packs, ids, dtype, threads
        self.row_bytes = _row_bytes(source, dtype)
        self.room: Tensor | None = None

    def partition(self, state: PackState, stop: int, pool: ThreadPoolExecutor) -> PackState:
        """Read the rows up to ``stop`` and write them wherever they are wanted."""
        rows, source_crc = self._load(state, stop, pool)
        placed, crc = state.placed.copy(), state.crc.copy()
        waiting = np.flatnonzero(placed < np.array([p.count for p in self.packs], np.int64))

        def write(numbers: np.ndarray) -> None:
            buffer = aligned_bytes(max(STEP, self.row_bytes))
            for number in numbers.tolist():
                placed[number], crc[number] = self._write_slice(
                    number, rows, state.row, stop, int(placed[number]), int(crc[number]), buffer
                )

        list(pool.map(write, np.array_split(waiting, min(len(waiting), 4 * self.threads) or 1)))
        for fd in {pack.fd for pack in self.packs}:
            os.fdatasync(fd)
            forget(fd)
        return PackState(stop, source_crc, placed, crc)

    def _load(self, state: PackState, stop: int, pool: ThreadPoolExecutor) -> tuple[Tensor, int]:
        """Read rows in pieces, converted to the packs' dtype; return them as bytes, and the CRC up to here."""
        start, source = state.row, self.source
        if self.room is None or self.room.numel() < (stop - start) * self.row_bytes + BLOCK:
            self.room = None
            self.room = aligned_bytes((stop - start) * self.row_bytes + BLOCK)
        # Rows that lie in memory as in their block of the file need no further copy.
        lead = source.info.offset + start * source.row_bytes
        lead = lead % BLOCK if self.dtype == source.dtype and lead % source.dtype.itemsize == 0 else 0
        rows = self.room[lead : lead + (stop - start) * self.row_bytes]
        typed = rows.view(self.dtype).view(stop - start, *source.row_shape)
        step = max(1, STEP // max(source.row_bytes, self.row_bytes, 1))

        def read(begin: int) -> tuple[int, int]:
            end = min(begin + step, stop)
            out = typed[begin - start : end - start]
            piece = source.read(begin, end, out if self.dtype == source.dtype else None)
            if self.dtype != source.dtype:
                out.copy_(piece)
                _check_range(piece, out, begin)
            return _crc(piece), (end - begin) * source.row_bytes

        crc = state.source_crc
        for piece_crc, length in pool.map(read, range(start, stop, step)):
            crc = crc32c_combine(crc, piece_crc, length)
        return rows, crc

    def _write_slice(
        self, number: int, rows: Tensor, start: int, stop: int, placed: int, crc: int, buffer: Tensor
    ) -> tuple[int, int]:
        """Write the slice of a pack that lies in a partition; return the pack's new state."""
        pack, share = self.packs[number], (stop - start) / (len(self.source) - start)
        while placed < pack.count:
            # The expected number, and some more.
            end = min(pack.count, placed + int(1.2 * share * (pack.count - placed)) + _IDS)
            local = self.ids(number, placed, end).to(torch.int64) - start
            found = int(torch.searchsorted(local, stop - start))
            self._check_ids(number, local[:found])
            crc = self._write_rows(rows, local[:found].to(torch.int32), pack, placed, crc, buffer)
            placed += found
            if found < len(local):
                break
        return placed, crc

    def _write_rows(self, rows: Tensor, local: Tensor, pack: Pack, placed: int, crc: int, buffer: Tensor) -> int:
        if not self.row_bytes:
            return crc
        empty = torch.empty(0, dtype=torch.uint8)
        for part in local.split(max(1, STEP // self.row_bytes)):
            if not len(part):
                continue
            out = buffer[: len(part) * self.row_bytes]
            assemble_rows(rows, empty, part, self.row_bytes, out)
            crc = crc32c_combine(crc, crc32c(out), out.numel())
            write_fully(pack.fd, out.numpy().data, pack.offset + placed * self.row_bytes)
            placed += len(part)
        return crc

    def _check_ids(self, number: int, local: Tensor) -> None:
        if len(local) and (int(local[0]) < 0 or not bool((local[1:] > local[:-1]).all())):
            raise CorruptStoreError(f"the ids of pack {number} do not ascend; prepare the store anew")


def _row_bytes(source: ArrayFile, dtype: torch.dtype) -> int:
    return source.row_bytes // source.dtype.itemsize * dtype.itemsize


def _overhead(source: ArrayFile, row_bytes: int, threads: int) -> int:
    """Return the bytes that packing takes besides the partition: each thread's piece and bounce buffer, or ids."""
    return threads * (2 * max(STEP, source.row_bytes, row_bytes) + (1 << 20)) + BLOCK


def _crc(rows: Tensor) -> int:
    return crc32c(rows.reshape(-1).view(torch.uint8)) if rows.numel() else 0


def _check_range(piece: Tensor, converted: Tensor, first_row: int) -> None:
    """Refuse finite values that became infinite."""
    lost = torch.isinf(converted) & torch.isfinite(piece)
    if bool(lost.any()):
        place = tuple(torch.nonzero(lost)[0].tolist())
        row = first_row + (place[0] if place else 0)
        raise DiskError(
            f"'dtype' {str(converted.dtype).removeprefix('torch.')} can not hold {float(piece[place])} of row "
            f"{row:,} of the features; take torch.bfloat16, or leave 'dtype' out"
        )
