"""Reading rows of a file, many at once."""

import errno
import mmap
import os

import torch
from torch import Tensor

from graphlab.ops.byte_checks import check_apart, check_bytes, check_positive
from graphlab.ops.host_op import HostOp
from graphlab.ops.sample_checks import check_vector

#: Bytes read at once at most.
_LONGEST = 1 << 18
_MAX_THREADS = 1024


def read_rows_ref(
    fd: int, offset: int, row_bytes: int, ids: Tensor, out: Tensor, threads: int, direct_block: int
) -> int:
    """The specification of :func:`read_rows`: one row after another.

    Args:
        fd: The file.
        offset: The byte where row 0 begins.
        row_bytes: The bytes of a row.
        ids: The rows wanted.
        out: Where they go.
        threads: How many reads may be under way at once; here there is one.
        direct_block: The block of unbuffered reads.
    """
    _check_ids(ids, offset, row_bytes)
    # Aligned to pages, for reads that bypass the page cache.
    buffer = memoryview(mmap.mmap(-1, row_bytes + 2 * max(direct_block, 1)))
    total = 0
    for i, row in enumerate(ids.tolist()):
        begin = offset + row * row_bytes
        try:
            skip, count = _read_one(fd, begin, row_bytes, direct_block or 1, buffer)
        except (OSError, EOFError) as error:
            raise RuntimeError(
                f"could not read row {row}, which is ids[{i}], at byte {begin} of file descriptor {fd}: "
                + (_reason_of(error, direct_block) if isinstance(error, OSError) else str(error))
            ) from error
        out[i] = torch.frombuffer(buffer, dtype=torch.uint8, count=row_bytes, offset=skip)
        total += count
    return total


def _read_one(fd: int, begin: int, size: int, block: int, buffer: memoryview) -> tuple[int, int]:
    """Read whole blocks around a row; return where in the buffer the row begins, and how many bytes came."""
    skip = begin % block
    end = -(-(skip + size) // block) * block
    reached, total = 0, 0
    while reached < skip + size:
        # Where a read ended inside a block it goes on from the block's beginning.
        start = reached // block * block
        count = os.preadv(fd, [buffer[start:end]], begin - skip + start)
        if start + count <= reached:
            raise EOFError(f"the file ends at byte {begin - skip + reached}")
        reached, total = start + count, total + count
    return skip, total


def _reason_of(error: OSError, direct_block: int) -> str:
    hint = "; a file opened with O_DIRECT is read with 'direct_block'"
    return f"{error.strerror} (errno {error.errno}){hint if error.errno == errno.EINVAL and not direct_block else ''}"


def _check_ids(ids: Tensor, offset: int, row_bytes: int) -> None:
    if not ids.numel():
        return
    size = (2**63 - 1 - offset - _LONGEST) // row_bytes
    outside = ((ids < 0) | (ids >= size)).nonzero()
    if outside.numel():
        i = int(outside[0])
        raise ValueError(f"'ids' must lie in [0, {size}), but ids[{i}] is {int(ids[i])}")
    falling = (ids[1:] < ids[:-1]).nonzero()
    if falling.numel():
        i = int(falling[0]) + 1
        raise ValueError(f"'ids' must not decrease, but ids[{i}] is {int(ids[i])} after {int(ids[i - 1])}; sort them")


_read_rows = HostOp("read_rows", read_rows_ref)


def read_rows(
    fd: int, offset: int, row_bytes: int, ids: Tensor, out: Tensor, *, threads: int = 8, direct_block: int = 0
) -> int:
    """Fill ``out`` with rows of a file of rows, with many reads under way at once.

    Row ``i`` of ``out`` becomes the ``row_bytes`` bytes at ``offset + ids[i] * row_bytes``. Rows that lie within a page
    of each other are read together, with what lies between; no read is longer than 256 KiB, and each thread has a
    buffer of that size.

    Reads through the page cache are fast only where the kernel does not read ahead: advise it so with
    ``os.posix_fadvise(fd, 0, 0, os.POSIX_FADV_RANDOM)``. Reads of a file opened with ``O_DIRECT`` go past the cache, in
    whole blocks of ``direct_block`` bytes.

    Args:
        fd: The file's descriptor, open for reading.
        offset: The byte where row 0 begins; anywhere.
        row_bytes: The bytes of a row; any number.
        ids: The rows wanted, int64, in ascending order; equal ones are read once.
        out: Where they go.
        threads: How many reads may be under way at once.
        direct_block: What the positions, sizes and memory of reads must be multiples of, such as 4096; 0 for a file
            opened without ``O_DIRECT``.

    Returns:
        How many bytes were read from the file. The reference reads each row alone, and so may count more or fewer.

    Shapes:
        - **ids:** ``(num_rows,)``
        - **out:** ``(num_rows, row_bytes)``, uint8

    Raises:
        ValueError: An argument is wrong.
        RuntimeError: A row lies behind the file's end or could not be read: the message names it, and says why. What
            ``out`` then holds is undefined.

    Example:
        >>> import tempfile, torch
        >>> from graphlab.ops import read_rows
        >>> with tempfile.TemporaryFile() as file:
        ...     _ = file.write(b"headaabbccdd")
        ...     file.flush()
        ...     out = torch.empty(2, 2, dtype=torch.uint8)
        ...     _ = read_rows(file.fileno(), 4, 2, torch.tensor([1, 3]), out)
        >>> bytes(out.flatten().tolist())
        b'bbdd'
    """
    check_vector(ids, "ids", (torch.int64,))
    check_bytes(out, "out")
    check_positive(row_bytes, "row_bytes")
    if not 0 <= fd < 2**31:
        raise ValueError(f"'fd' must be an open file's descriptor, got {fd}")
    if offset < 0:
        raise ValueError(f"'offset' must not be negative, got {offset}")
    if out.shape != (ids.numel(), row_bytes):
        raise ValueError(f"'out' must have shape ({ids.numel()}, {row_bytes}), got {tuple(out.shape)}")
    if not 1 <= threads <= _MAX_THREADS:
        raise ValueError(f"'threads' must lie in [1, {_MAX_THREADS}], got {threads}")
    if direct_block < 0 or direct_block & (direct_block - 1) or direct_block > _LONGEST:
        raise ValueError(f"'direct_block' must be 0 or a power of two up to {_LONGEST}, got {direct_block}")
    check_apart(ids, "ids", out)
    return _read_rows(fd, offset, row_bytes, ids, out, threads, direct_block)
