"""Row-major arrays in files: read and written piece by piece, past the page cache."""

import errno
import math
import os
from dataclasses import replace
from pathlib import Path
from types import TracebackType

import torch
from torch import Tensor

from graphlab.disk.errors import CorruptStoreError, DiskError
from graphlab.disk.files import (
    BLOCK,
    Writeback,
    align,
    aligned_bytes,
    allocate,
    forget,
    open_direct,
    sync_directory,
    write_fully,
)
from graphlab.disk.store_info import ArrayInfo
from graphlab.ops import crc32c, crc32c_combine, read_rows

#: The checksum of an array that nobody has read yet.
UNKNOWN_CRC = -1

_STEP = 4 << 20
# Drives answer fastest with this many questions open.
_READS = 32


class ArrayFile:
    """A row-major array in a file, read past the page cache.

    Reads go through no cache where the file system allows that, and drop what they brought into it elsewhere. Threads
    may share one.

    Args:
        info: Where the array lies and what it is.
        root: The folder that a relative path starts at.

    Raises:
        DiskError: There is no such file, or it is too short for the array.

    Example:
        >>> import tempfile, torch
        >>> root = Path(tempfile.mkdtemp())
        >>> array = ArrayFile(write_array(root, "x.bin", torch.arange(6.0).view(3, 2)), root)
        >>> array.gather(torch.tensor([2, 0]))
        tensor([[4., 5.],
                [0., 1.]])
    """

    def __init__(self, info: ArrayInfo, root: Path) -> None:
        self.info = info
        self.root = Path(root).absolute()
        self.path = self.root / info.path
        self.dtype = info.torch_dtype
        self.row_shape = tuple(info.shape[1:])
        self.row_bytes = math.prod(self.row_shape) * self.dtype.itemsize
        try:
            self._fd, self._direct = open_direct(self.path)
        except OSError as error:
            raise DiskError(
                f"{self.path} can not be read: {error.strerror}; put the file back, or prepare anew"
            ) from error
        if not self._direct:
            self._read_nothing_ahead()
        size = os.fstat(self._fd).st_size
        if size < info.offset + self.num_bytes:
            self.close()
            raise DiskError(
                f"{self.path} has {size:,} bytes, expected at least {info.offset + self.num_bytes:,} for an array of "
                f"{info.dtype} of shape {tuple(info.shape)}; put the whole file back, or prepare anew"
            )

    def __len__(self) -> int:
        return self.info.shape[0]

    def __enter__(self) -> "ArrayFile":
        return self

    def __exit__(self, kind: type | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.close()

    def __del__(self) -> None:
        if getattr(self, "_fd", -1) >= 0:
            self.close()

    def __reduce__(self) -> tuple[type["ArrayFile"], tuple[ArrayInfo, Path]]:
        # The number of a descriptor means another file, or none, to whoever gets the copy.
        return type(self), (self.info, self.root)

    @property
    def num_bytes(self) -> int:
        """Bytes of all rows."""
        return len(self) * self.row_bytes

    def close(self) -> None:
        """Close the file."""
        fd, self._fd = self._fd, -1
        if fd >= 0:
            os.close(fd)

    def read(self, start: int = 0, stop: int | None = None, out: Tensor | None = None) -> Tensor:
        """Read rows that follow each other.

        Args:
            start: The first row.
            stop: One after the last row. (default: all)
            out: Where to put them; from a buffer of :func:`~graphlab.disk.files.aligned_bytes` whose place in its page
                is that of the rows in their block, nothing is copied. (default: a new tensor)

        Shapes:
            - **out, output:** ``(stop - start, *row_shape)``

        Raises:
            IndexError: Rows lie outside the array.
            ValueError: ``out`` does not fit.
            DiskError: The file was cut short.
        """
        stop = len(self) if stop is None else stop
        if not 0 <= start <= stop <= len(self):
            raise IndexError(f"'start' and 'stop' got {start} and {stop}, expected 0 <= start <= stop <= {len(self)}")
        shape = (stop - start, *self.row_shape)
        offset = self.info.offset + start * self.row_bytes
        rows = self._buffer((stop - start) * self.row_bytes, offset).view(shape) if out is None else out
        if rows.shape != shape or rows.dtype != self.dtype or not rows.is_contiguous() or rows.device.type != "cpu":
            raise ValueError(
                f"'out' got {rows.dtype} of shape {tuple(rows.shape)} on {rows.device}, "
                f"expected contiguous {self.dtype} of shape {shape} on cpu"
            )
        self._fill(rows.view(-1).view(torch.uint8), offset)
        return rows

    def read_checked(self) -> Tensor:
        """Read all rows and compare them with their checksum.

        Shapes:
            - **output:** ``(num_rows, *row_shape)``

        Raises:
            CorruptStoreError: They are others than those that were described.
            DiskError: The file was cut short.
        """
        rows = self.read()
        self._compare(crc32c(rows.view(-1).view(torch.uint8)))
        return rows

    def gather(self, ids: Tensor) -> Tensor:
        """Read rows in any order; each distinct row is read once.

        Args:
            ids: The rows, int32 or int64.

        Shapes:
            - **ids:** ``(num_rows,)``
            - **output:** ``(num_rows, *row_shape)``

        Raises:
            IndexError: Rows lie outside the array.
        """
        if ids.ndim != 1 or ids.dtype not in (torch.int32, torch.int64):
            raise ValueError(
                f"'ids' got {ids.dtype} of shape {tuple(ids.shape)}, expected int32 or int64 of one dimension"
            )
        if not ids.numel():
            return torch.empty((0, *self.row_shape), dtype=self.dtype)
        low, high = int(ids.min()), int(ids.max())
        if low < 0 or high >= len(self):
            raise IndexError(f"'ids' must lie in [0, {len(self)}), got {low} to {high}")
        if bool((ids[1:] > ids[:-1]).all()):
            return self._rows(ids)
        distinct, places = torch.unique(ids, return_inverse=True)
        return self._rows(distinct)[places]

    def checksum(self, start: int = 0, stop: int | None = None) -> int:
        """Return the CRC-32C of rows, read in pieces of a few MiB.

        Args:
            start: The first row.
            stop: One after the last row. (default: all)
        """
        first = self.info.offset + start * self.row_bytes
        end = self.info.offset + (len(self) if stop is None else stop) * self.row_bytes
        room = aligned_bytes(min(end - first, _STEP) + BLOCK)
        total, offset = 0, first
        while offset < end:
            # Pieces end at whole blocks, so that only the ends are copied.
            length = min(align(offset + 1, _STEP), end) - offset
            piece = room[offset % BLOCK :][:length]
            self._fill(piece, offset)
            total = crc32c(piece, total)
            offset += length
        return total

    def check(self) -> None:
        """Check that the file is as it was described: its length, then its time; where that differs, its content.

        Raises:
            CorruptStoreError: The file changed.
        """
        try:
            stat = self.path.stat()
        except OSError as error:
            raise CorruptStoreError(f"{self.path} is gone: {error.strerror}; put it back, or prepare anew") from error
        if stat.st_size != self.info.size:
            raise CorruptStoreError(
                f"{self.path} has {stat.st_size:,} bytes, {self.info.size:,} when it was described; "
                "put the old file back, or prepare anew"
            )
        if stat.st_mtime_ns != self.info.mtime_ns:
            self.check_content()

    def check_content(self) -> None:
        """Check the rows against their checksum.

        Raises:
            CorruptStoreError: They changed.
        """
        if self.info.crc32c == UNKNOWN_CRC:
            raise CorruptStoreError(f"{self.path} was written to since it was described; prepare anew")
        self._compare(self.checksum())

    def _compare(self, found: int) -> None:
        if found != self.info.crc32c:
            raise CorruptStoreError(
                f"{self.path} has other rows than when it was described: CRC-32C {found:08x}, "
                f"{self.info.crc32c:08x} then; put the old file back, or prepare anew"
            )

    def _rows(self, ids: Tensor) -> Tensor:
        """Read distinct rows in ascending order."""
        out = torch.empty((len(ids), *self.row_shape), dtype=self.dtype)
        if not self.row_bytes:
            return out
        data, ids = out.view(len(ids), -1).view(torch.uint8), ids.long()
        direct = self._direct
        try:
            block = BLOCK if direct else 0
            read_rows(self._fd, self.info.offset, self.row_bytes, ids, data, threads=_READS, direct_block=block)
        except RuntimeError as error:
            if not direct or f"errno {errno.EINVAL}" not in str(error):
                raise DiskError(f"{self.path} can not be read: {error}") from error
            self._give_up_direct()
            return self._rows(ids)
        if not direct:
            forget(self._fd)
        return out

    def _buffer(self, size: int, offset: int) -> Tensor:
        """Make flat room for bytes, its place in its page that of ``offset`` in its block where that can be."""
        lead = offset % BLOCK
        if size < 4 * BLOCK or lead % self.dtype.itemsize:
            return torch.empty(size, dtype=torch.uint8).view(self.dtype)
        return aligned_bytes(size + lead)[lead : lead + size].view(self.dtype)

    def _fill(self, out: Tensor, offset: int) -> None:
        """Read bytes; directly where file and memory are both aligned, else through a bounce buffer."""
        size, address, done = out.numel(), out.data_ptr(), 0
        view = out.numpy().data
        in_phase = (offset - address) % BLOCK == 0
        bounce = None
        while done < size:
            at = offset + done
            lead = at % BLOCK
            whole = (size - done) // BLOCK * BLOCK
            if in_phase and not lead and whole:
                length = min(whole, _STEP)
                self._pread(view[done : done + length], at)
            else:
                length = min(size - done, _STEP - lead)
                if in_phase and whole:
                    length = BLOCK - lead
                if bounce is None:
                    bounce = aligned_bytes(lead + length).numpy().data
                self._pread(bounce[: align(lead + length)], at - lead, lead + length)
                view[done : done + length] = bounce[lead : lead + length]
            done += length

    def _pread(self, buffer: memoryview, offset: int, needed: int | None = None) -> None:
        """Read at least ``needed`` bytes into an aligned buffer."""
        needed, done = len(buffer) if needed is None else needed, 0
        while done < needed:
            direct = self._direct
            try:
                got = os.preadv(self._fd, [buffer[done:]], offset + done)
            except OSError as error:
                if error.errno != errno.EINVAL or not direct:
                    raise
                self._give_up_direct()
                continue
            if not got:
                raise DiskError(f"{self.path} ends at byte {offset + done:,}; it was cut short while it was read")
            done += got
        if not self._direct:
            forget(self._fd, offset, done)

    def _give_up_direct(self) -> None:
        # Some file systems take the flag and refuse the reads.
        fd = os.open(self.path, os.O_RDONLY | os.O_CLOEXEC)
        os.dup2(fd, self._fd, inheritable=False)
        os.close(fd)
        self._direct = False
        self._read_nothing_ahead()

    def _read_nothing_ahead(self) -> None:
        # Long reads need no help, and scattered ones would bring in megabytes each.
        os.posix_fadvise(self._fd, 0, 0, os.POSIX_FADV_RANDOM)


class ArrayWriter:
    """Writes an array whose shape is known into a file, in slices and in any order; threads may share one.

    The blocks of the file are reserved first, and what is written leaves the page cache soon. Until :meth:`finish` the
    file is not to be relied on; whoever begins anew writes all rows again.

    Args:
        root: The folder.
        name: The file's name in it.
        dtype: The dtype of the entries.
        shape: The shape, rows first.

    Raises:
        DiskFullError: There is no room for the file.
    """

    def __init__(self, root: Path, name: str, dtype: torch.dtype, shape: tuple[int, ...]) -> None:
        self.path, self.name, self.dtype, self.shape = Path(root) / name, name, dtype, tuple(shape)
        self.row_bytes = math.prod(self.shape[1:]) * dtype.itemsize
        self._slices: list[tuple[int, int, int]] = []
        self._next = 0
        self._fd = allocate(self.path, self.shape[0] * self.row_bytes)
        self._writeback = Writeback(self._fd)

    def __enter__(self) -> "ArrayWriter":
        return self

    def __exit__(self, kind: type | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.close()

    def close(self) -> None:
        """Close the file as it is."""
        fd, self._fd = self._fd, -1
        if fd >= 0:
            os.close(fd)

    def append(self, rows: Tensor) -> None:
        """Write the rows that follow those of the last call.

        Args:
            rows: The rows.

        Shapes:
            - **rows:** ``(any, *shape[1:])``
        """
        start = self._next
        self._next += len(rows)
        self.write(start, rows)

    def write(self, start: int, rows: Tensor) -> None:
        """Write some rows.

        Args:
            start: The place of the first.
            rows: The rows.

        Shapes:
            - **rows:** ``(any, *shape[1:])``

        Raises:
            ValueError: The rows do not fit the array.
        """
        if rows.dtype != self.dtype or rows.shape[1:] != self.shape[1:] or not 0 <= start <= self.shape[0] - len(rows):
            raise ValueError(
                f"'rows' got {rows.dtype} of shape {tuple(rows.shape)} from row {start} on, "
                f"expected rows of {self.dtype} of shape {self.shape}"
            )
        data = rows.detach().cpu().contiguous().view(-1).view(torch.uint8)
        write_fully(self._fd, data.numpy().data, start * self.row_bytes)
        if len(rows):
            self._slices.append((start, len(rows), crc32c(data)))
        self._writeback.wrote(data.numel())

    def finish(self) -> ArrayInfo:
        """Make the rows durable, close the file and describe it.

        Returns:
            Where the array lies, its path relative to the folder.

        Raises:
            ValueError: Rows were not written, or more than once.
        """
        total = end = 0
        for start, count, crc in sorted(self._slices):
            if start != end:
                wrong = "not at all" if start > end else "twice"
                raise ValueError(f"row {min(start, end)} of {self.path} was written {wrong}, expected every row once")
            total, end = crc32c_combine(total, crc, count * self.row_bytes), start + count
        if end != self.shape[0]:
            raise ValueError(f"row {end} of {self.path} was written not at all, expected every row once")
        os.fsync(self._fd)
        forget(self._fd)
        self.close()
        sync_directory(self.path.parent)
        return replace(describe(self.path, self.dtype, self.shape), path=self.name, crc32c=total)


def write_array(root: Path, name: str, rows: Tensor) -> ArrayInfo:
    """Write an array from memory into a file.

    Args:
        root: The folder.
        name: The file's name in it.
        rows: The array.

    Raises:
        DiskFullError: There is no room for the file.
    """
    step = max(1, _STEP * max(len(rows), 1) // max(rows.nbytes, 1))
    with ArrayWriter(root, name, rows.dtype, tuple(rows.shape)) as writer:
        for start in range(0, len(rows), step):
            writer.append(rows[start : start + step])
        return writer.finish()


def describe(path: Path, dtype: torch.dtype, shape: tuple[int, ...], offset: int = 0) -> ArrayInfo:
    """Describe an array that a file holds already; its checksum is left open (:data:`UNKNOWN_CRC`).

    Args:
        path: The file.
        dtype: The dtype of the entries.
        shape: The shape, rows first.
        offset: Where the first row starts, in bytes.
    """
    path = Path(path).absolute()
    stat = path.stat()
    return ArrayInfo(
        path=str(path),
        offset=offset,
        dtype=str(dtype).removeprefix("torch."),
        shape=tuple(shape),
        size=stat.st_size,
        mtime_ns=stat.st_mtime_ns,
        crc32c=UNKNOWN_CRC,
    )


def with_checksum(info: ArrayInfo, root: Path) -> ArrayInfo:
    """Fill in a checksum that was left open, by reading the rows once.

    Args:
        info: The array.
        root: The folder that a relative path starts at.
    """
    if info.crc32c != UNKNOWN_CRC:
        return info
    with ArrayFile(info, root) as array:
        return replace(info, crc32c=array.checksum())
