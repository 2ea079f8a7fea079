"""Files that survive crashes, and reads that leave no trace in memory."""

import errno
import mmap
import os
import resource
from pathlib import Path

import torch
from torch import Tensor

from graphlab.disk.errors import DiskError, DiskFullError

#: Offsets, lengths and addresses of direct reads are multiples of this.
BLOCK = 4096
_FULL = (errno.ENOSPC, errno.EFBIG, errno.EDQUOT)


def align(size: int, block: int = BLOCK) -> int:
    """Round a size up to whole blocks.

    Args:
        size: Bytes.
        block: Bytes of a block.
    """
    return -(-size // block) * block


def sync_directory(path: Path) -> None:
    """Make names of files in a directory durable.

    Args:
        path: The directory.
    """
    fd = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)


def write_atomically(path: Path, content: bytes) -> None:
    """Replace a file: whatever happens, the disk holds the old content or the new one, never a part.

    Args:
        path: The file; its directory is made where there is none.
        content: The new content.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    scratch = path.with_name(f".{path.name}.new")
    with scratch.open("wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    scratch.replace(path)
    sync_directory(path.parent)


def check_room(path: Path, needed: int) -> None:
    """Check that a file system has room before anything is written.

    Args:
        path: A directory that exists.
        needed: Bytes to be written.

    Raises:
        DiskFullError: There is less room.
    """
    stat = os.statvfs(path)
    free = stat.f_bavail * stat.f_frsize
    if needed > free:
        raise DiskFullError(path, needed, free)


def allocate(path: Path, size: int) -> int:
    """Open a file for reading and writing and reserve its blocks, keeping what it holds.

    Args:
        path: The file.
        size: Its length in bytes from now on.

    Returns:
        The file descriptor.

    Raises:
        DiskFullError: There is no room, or the process may not write files of that length.
    """
    fd = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
    try:
        os.ftruncate(fd, size)
        if size:
            os.posix_fallocate(fd, 0, size)
    except OSError as error:
        os.close(fd)
        if error.errno in _FULL:
            raise _full(error, path, path.parent, size) from error
        raise
    return fd


def open_direct(path: Path) -> tuple[int, bool]:
    """Open a file for reads past the page cache; where the file system refuses, for reads through it.

    Args:
        path: The file.

    Returns:
        The file descriptor, and whether reads are direct.
    """
    try:
        return os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_DIRECT), True
    except OSError as error:
        if error.errno != errno.EINVAL:
            raise
    return os.open(path, os.O_RDONLY | os.O_CLOEXEC), False


def read_fully(fd: int, buffer: memoryview, offset: int, step: int = 4 << 20) -> None:
    """Fill a buffer from a file; a direct descriptor needs offset, length and address in whole blocks.

    Args:
        fd: The file.
        buffer: Where to put the bytes.
        offset: Where in the file they start.
        step: Most bytes per system call.

    Raises:
        DiskError: The file ends before the buffer is full.
    """
    done = 0
    while done < len(buffer):
        got = os.preadv(fd, [buffer[done : done + step]], offset + done)
        if got == 0:
            raise DiskError(
                f"the file ends at byte {offset + done:,}, expected {offset + len(buffer):,}; it was cut short"
            )
        done += got


def write_fully(fd: int, data: memoryview | bytes, offset: int) -> None:
    """Write all bytes at a place in a file.

    Args:
        fd: The file.
        data: The bytes.
        offset: Where in the file they start.

    Raises:
        DiskFullError: There is no room for them.
    """
    view, done = memoryview(data), 0
    try:
        while done < len(view):
            done += os.pwrite(fd, view[done:], offset + done)
    except OSError as error:
        if error.errno in _FULL:
            needed = offset + len(view) if error.errno == errno.EFBIG else len(view) - done
            raise _full(error, Path(f"/proc/self/fd/{fd}").readlink(), fd, needed) from error
        raise


def _full(error: OSError, path: Path, at: Path | int, needed: int) -> DiskFullError:
    """Say what a file needs and what there is: on the disk, or by the limit of the process."""
    stat = os.statvfs(at)
    free = stat.f_bavail * stat.f_frsize
    limit, _ = resource.getrlimit(resource.RLIMIT_FSIZE)
    if error.errno == errno.EFBIG and limit != resource.RLIM_INFINITY:
        return DiskFullError(path, needed, limit, "that is the limit on a file (RLIMIT_FSIZE, 'ulimit -f'); raise it")
    return DiskFullError(path, needed, free)


def forget(fd: int, offset: int = 0, length: int = 0) -> None:
    """Ask the system to drop a file's pages from its cache; dirty pages must have been synced.

    Args:
        fd: The file.
        offset: The first byte.
        length: Number of bytes; 0 for all that follow.
    """
    os.posix_fadvise(fd, offset, length, os.POSIX_FADV_DONTNEED)


class Writeback:
    """Sends what is written into a file to the disk now and then, and out of the page cache.

    Args:
        fd: The file.
        every: Bytes to be written in between. (default: 64 MiB)
    """

    def __init__(self, fd: int, every: int = 64 << 20) -> None:
        self._fd, self._every, self._waiting = fd, every, 0

    def wrote(self, size: int) -> None:
        """Count what was written.

        Args:
            size: Its bytes.
        """
        self._waiting += size
        if self._waiting >= self._every:
            self._waiting = 0
            os.fdatasync(self._fd)
            forget(self._fd)


def aligned_bytes(size: int) -> Tensor:
    """Make a buffer of bytes that starts at a page and is given back to the system when it is dropped.

    Args:
        size: Bytes; rounded up to whole blocks.

    Shapes:
        - **output:** ``(size,)``, rounded up
    """
    # Private, since shared pages count neither as RssAnon nor against RLIMIT_DATA.
    room = mmap.mmap(-1, max(align(size), BLOCK), flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
    return torch.frombuffer(room, dtype=torch.uint8)


def read_blocks(path: Path, buffer: Tensor, offset: int) -> None:
    """Fill a buffer with whole blocks of a file that leave no trace in the page cache.

    Args:
        path: The file.
        buffer: Where to put the bytes; starts at a page.
        offset: Where in the file they start.

    Raises:
        DiskError: The file ends before the buffer is full.

    Shapes:
        - **buffer:** ``(size,)``, bytes in whole blocks
    """
    view = buffer.numpy().data
    fd, direct = open_direct(path)
    try:
        if direct:
            try:
                return read_fully(fd, view, offset)
            except OSError as error:
                if error.errno != errno.EINVAL:
                    raise
        # Some file systems take the flag and refuse the reads.
        if direct:
            os.close(fd)
            fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
        read_fully(fd, view, offset)
        forget(fd, offset, len(view))
    finally:
        os.close(fd)
