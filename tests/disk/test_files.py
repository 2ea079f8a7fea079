import errno
import os
import resource
import signal
from pathlib import Path

import pytest
import torch

from graphlab.disk import DiskError, DiskFullError
from graphlab.disk.files import (
    BLOCK,
    Writeback,
    align,
    aligned_bytes,
    allocate,
    check_room,
    forget,
    open_direct,
    read_fully,
    write_atomically,
    write_fully,
)


def test_direct_reads_give_what_was_written(tmp_path):
    data = torch.randint(0, 256, (3 * BLOCK,), dtype=torch.uint8)
    fd = allocate(tmp_path / "file", data.numel())
    write_fully(fd, data.numpy().data, 0)
    os.fsync(fd)
    forget(fd)
    os.close(fd)
    buffer = aligned_bytes(2 * BLOCK)
    assert buffer.data_ptr() % BLOCK == 0
    fd, _ = open_direct(tmp_path / "file")
    read_fully(fd, memoryview(buffer.numpy()), BLOCK, step=BLOCK)
    assert torch.equal(buffer, data[BLOCK:])
    with pytest.raises(DiskError, match="ends at byte 12,288, expected 16,384"):
        read_fully(fd, memoryview(buffer.numpy()), 2 * BLOCK)
    os.close(fd)


def test_allocation_keeps_what_a_file_holds(tmp_path):
    path = tmp_path / "file"
    path.write_bytes(b"abc")
    os.close(allocate(path, 10))
    assert path.read_bytes() == b"abc" + bytes(7)


def test_replacing_leaves_no_scratch(tmp_path):
    write_atomically(tmp_path / "new" / "file", b"one")
    write_atomically(tmp_path / "new" / "file", b"two")
    assert [(p.name, p.read_bytes()) for p in (tmp_path / "new").iterdir()] == [("file", b"two")]


def test_too_little_room_is_named(tmp_path):
    with pytest.raises(DiskFullError, match=r"needs 1,152,921,504,606,846,976 bytes, [\d,]+ bytes are free") as raised:
        check_room(tmp_path, 1 << 60)
    assert raised.value.needed == 1 << 60


def test_a_limit_of_the_process_is_named(tmp_path):
    limits, handler = resource.getrlimit(resource.RLIMIT_FSIZE), signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1 << 16, limits[1]))
    try:
        told = r"file needs 131,072 bytes, 65,536 bytes are free; that is the limit on a file \(RLIMIT_FSIZE"
        with pytest.raises(DiskFullError, match=told):
            allocate(tmp_path / "file", 1 << 17)
        with (tmp_path / "file").open("wb") as file, pytest.raises(DiskFullError, match=told):
            write_fully(file.fileno(), bytes(1 << 16), 1 << 16)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
        signal.signal(signal.SIGXFSZ, handler)


def test_a_full_disk_is_named_while_it_is_written(tmp_path, monkeypatch):
    def full(*_):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "pwrite", full)
    stat = os.statvfs(tmp_path)
    monkeypatch.setattr(os, "statvfs", lambda _: stat)
    free = f"{stat.f_bavail * stat.f_frsize:,}"
    with (
        (tmp_path / "file").open("wb") as file,
        pytest.raises(DiskFullError, match=f"{tmp_path}/file needs 7 bytes, {free} bytes are free"),
    ):
        write_fully(file.fileno(), bytes(7), 0)


def test_sizes_are_rounded_up():
    assert [align(n) for n in (0, 1, BLOCK, BLOCK + 1)] == [0, BLOCK, BLOCK, 2 * BLOCK]


def test_buffers_count_as_memory_of_the_process():
    def anonymous():
        lines = Path("/proc/self/status").read_text().splitlines()
        return next(int(line.split()[1]) << 10 for line in lines if line.startswith("RssAnon"))

    before = anonymous()
    buffer = aligned_bytes(64 << 20).fill_(1)
    assert 60 << 20 < anonymous() - before < 80 << 20
    del buffer
    assert anonymous() - before < 16 << 20


def test_what_is_written_leaves_the_page_cache_now_and_then(monkeypatch):
    calls = []
    monkeypatch.setattr(os, "fdatasync", lambda fd: calls.append(("sync", fd)))
    monkeypatch.setattr(os, "posix_fadvise", lambda fd, *args: calls.append(("forget", fd)))
    writeback = Writeback(3, every=10)
    for size, expected in [(6, 0), (4, 2), (9, 2), (25, 4)]:
        writeback.wrote(size)
        assert calls == [("sync", 3), ("forget", 3)] * (expected // 2)
