import copy
import fcntl
import os
import pickle
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from graphlab.disk import CorruptStoreError, DiskError, DiskFullError
from graphlab.disk.array_file import ArrayFile, ArrayWriter, describe, with_checksum, write_array
from graphlab.disk.files import BLOCK, aligned_bytes
from graphlab.ops import crc32c, read_rows

DTYPES = [
    torch.float32,
    torch.float16,
    torch.bfloat16,
    torch.float64,
    torch.int32,
    torch.int64,
    torch.uint8,
    torch.bool,
]


def rows_of(dtype, *shape):
    data = torch.randint(-50, 50, shape)
    return data > 0 if dtype == torch.bool else data.to(dtype)


def raw_file(tmp_path, rows, offset):
    path = tmp_path / "raw"
    path.write_bytes(bytes(offset) + rows.contiguous().view(-1).view(torch.uint8).numpy().tobytes() + b"tail")
    return describe(path, rows.dtype, tuple(rows.shape), offset)


@pytest.fixture(params=["direct", "buffered", "refused"])
def way(request, monkeypatch):
    """The ways a file system answers direct reads: gives them, refuses to open, opens and refuses to read."""
    opened, preadv = os.open, os.preadv
    if request.param == "buffered":

        def refuse(path, flags, *args, **kwargs):
            if flags & os.O_DIRECT:
                raise OSError(22, "Invalid argument")
            return opened(path, flags, *args, **kwargs)

        monkeypatch.setattr(os, "open", refuse)
    elif request.param == "refused":

        def refuse_read(fd, *args):
            if fcntl.fcntl(fd, fcntl.F_GETFL) & os.O_DIRECT:
                raise OSError(22, "Invalid argument")
            return preadv(fd, *args)

        monkeypatch.setattr(os, "preadv", refuse_read)

        def refuse_rows(fd, *args, direct_block, **kwargs):
            if direct_block:
                raise RuntimeError("Invalid argument (errno 22)")
            return read_rows(fd, *args, **kwargs)

        monkeypatch.setattr("graphlab.disk.array_file.read_rows", refuse_rows)
    return request.param


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("width", [1, 7, 1025])
def test_reads_give_what_was_written(tmp_path, dtype, width, way):
    rows = rows_of(dtype, 533, width)
    with ArrayFile(write_array(tmp_path, "x.bin", rows), tmp_path) as array:
        assert len(array) == 533 and array.row_bytes == width * dtype.itemsize
        for start, stop in [(0, 533), (0, 0), (1, 2), (532, 533), (100, 400)]:
            assert torch.equal(array.read(start, stop), rows[start:stop])
        ids = torch.randint(0, 533, (200,))
        assert torch.equal(array.gather(ids), rows[ids])
        assert torch.equal(array.gather(torch.arange(0, 533, 3, dtype=torch.int32)), rows[::3])
        assert array.gather(ids[:0]).shape == (0, width)


@given(st.integers(0, 9000), st.integers(1, 40), st.integers(0, 900), st.integers(0, 900), st.integers(0, 4096))
def test_any_place_of_file_and_memory_will_do(tmp_path_factory, offset, width, start, count, shift):
    rows = rows_of(torch.uint8, 900, width)
    stop = min(start + count, 900)
    with ArrayFile(raw_file(tmp_path_factory.mktemp("raw"), rows, offset), tmp_path_factory.getbasetemp()) as array:
        assert torch.equal(array.read(start, stop), rows[start:stop])
        size = (stop - start) * width
        out = aligned_bytes(size + shift)[shift : shift + size].view(stop - start, width)
        assert array.read(start, stop, out) is out
        assert torch.equal(out, rows[start:stop])
        assert array.checksum(start, stop) == (crc32c(rows[start:stop].contiguous()) if size else 0)


def test_rows_longer_than_a_read(tmp_path, monkeypatch):
    monkeypatch.setattr("graphlab.disk.array_file._STEP", 2 * BLOCK)
    rows = rows_of(torch.float32, 5, 9001)
    array = ArrayFile(raw_file(tmp_path, rows, 12), tmp_path)
    assert torch.equal(array.read(0, 5), rows)
    assert torch.equal(array.gather(torch.tensor([4, 1])), rows[[4, 1]])
    assert array.checksum() == crc32c(rows.view(-1).view(torch.uint8))


def test_rows_of_any_shape(tmp_path):
    for shape in [(4,), (4, 2, 3), (4, 0), (0, 3)]:
        rows = rows_of(torch.int64, *shape)
        array = ArrayFile(write_array(tmp_path, "x.bin", rows), tmp_path)
        assert torch.equal(array.read(0, shape[0]), rows)
        if shape[0]:
            assert torch.equal(array.gather(torch.tensor([3, 0, 3])), rows[[3, 0, 3]])


def test_slices_in_any_order_give_the_same_file(tmp_path):
    rows = rows_of(torch.float32, 100, 3)
    whole = write_array(tmp_path, "whole.bin", rows)
    with ArrayWriter(tmp_path, "sliced.bin", torch.float32, (100, 3)) as writer:
        for start in (60, 0, 90, 30):
            writer.write(start, rows[start : start + (10 if start == 90 else 30)])
        sliced = writer.finish()
    assert sliced.crc32c == whole.crc32c
    assert (tmp_path / "sliced.bin").read_bytes() == (tmp_path / "whole.bin").read_bytes()
    assert sliced.path == "sliced.bin"


def test_forgotten_and_repeated_rows_are_named(tmp_path):
    rows = rows_of(torch.float32, 10, 3)
    for starts, message in [((0,), "row 5 .* not at all"), ((5,), "row 0 .* not at all"), ((0, 0), "row 0 .* twice")]:
        with ArrayWriter(tmp_path, "x.bin", torch.float32, (10, 3)) as writer:
            for start in starts:
                writer.write(start, rows[:5])
            with pytest.raises(ValueError, match=message):
                writer.finish()
    with ArrayWriter(tmp_path, "x.bin", torch.float32, (10, 3)) as writer:
        for bad in (rows.double(), rows[:, :2], torch.cat([rows, rows])):
            with pytest.raises(ValueError, match=r"expected rows of torch.float32 of shape \(10, 3\)"):
                writer.write(0, bad)


def test_a_touched_file_passes_and_a_changed_one_does_not(tmp_path):
    info = write_array(tmp_path, "x.bin", rows_of(torch.float32, 100, 3))
    path = tmp_path / "x.bin"
    array = ArrayFile(info, tmp_path)
    array.check()
    os.utime(path, ns=(1, 1))
    array.check()
    content = bytearray(path.read_bytes())
    content[500] ^= 4
    path.write_bytes(content)
    with pytest.raises(CorruptStoreError, match=r"x\.bin has other rows than when it was described: CRC-32C"):
        array.check()
    path.write_bytes(content[:-1])
    with pytest.raises(CorruptStoreError, match=r"x\.bin has 1,199 bytes, 1,200 when it was described"):
        array.check()
    with pytest.raises(DiskError, match=r"x\.bin has 1,199 bytes, expected at least 1,200 for an array of float32"):
        ArrayFile(info, tmp_path)
    with pytest.raises(DiskError, match="cut short while it was read"):
        array.read(0, 100)
    with pytest.raises(DiskError, match=r"x\.bin can not be read: .* 1199"):
        array.gather(torch.tensor([99]))
    path.unlink()
    with pytest.raises(CorruptStoreError, match=r"x\.bin is gone: No such file"):
        array.check()
    with pytest.raises(DiskError, match=r"x\.bin can not be read: No such file"):
        ArrayFile(info, tmp_path)


@pytest.mark.parametrize("shape", [(533, 7), (4,), (4, 2, 3), (4, 0), (0, 3)])
def test_a_checked_read_gives_the_rows_or_names_the_file(tmp_path, shape, way):
    rows = rows_of(torch.int64, *shape)
    array = ArrayFile(write_array(tmp_path, "x.bin", rows), tmp_path)
    assert torch.equal(array.read_checked(), rows)
    if rows.numel():
        stamp, content = (tmp_path / "x.bin").stat().st_mtime_ns, bytearray((tmp_path / "x.bin").read_bytes())
        content[-1] ^= 1
        (tmp_path / "x.bin").write_bytes(content)
        os.utime(tmp_path / "x.bin", ns=(stamp, stamp))
        with pytest.raises(CorruptStoreError, match=r"x\.bin has other rows .* put the old file back, or prepare anew"):
            array.read_checked()


@pytest.mark.parametrize("copied", [copy.copy, copy.deepcopy, lambda array: pickle.loads(pickle.dumps(array))])
def test_a_copy_reads_the_file_by_itself(tmp_path, monkeypatch, copied):
    rows = rows_of(torch.int64, 600, 7)
    write_array(tmp_path, "other.bin", rows + 1)
    info = write_array(tmp_path, "x.bin", rows)
    monkeypatch.chdir(tmp_path)
    array = ArrayFile(info, Path())
    monkeypatch.chdir("/")
    other = copied(array)
    array.close()
    # Takes the number of the descriptor that was closed.
    with ArrayFile(replace(info, path="other.bin"), tmp_path):
        assert torch.equal(other.read(), rows)
        assert torch.equal(other.gather(torch.tensor([5, 1])), rows[[5, 1]])


def test_checksum_of_a_file_in_place(tmp_path):
    rows = rows_of(torch.bfloat16, 100, 3)
    info = raw_file(tmp_path, rows, 8)
    full = with_checksum(info, tmp_path)
    assert full == replace(info, crc32c=crc32c(rows.view(-1).view(torch.uint8)))
    assert with_checksum(full, tmp_path) == full
    os.utime(info.path, ns=(1, 1))
    with pytest.raises(CorruptStoreError, match="was written to since"):
        ArrayFile(info, tmp_path).check()


def test_errors_name_what_came(tmp_path):
    array = ArrayFile(write_array(tmp_path, "x.bin", rows_of(torch.float32, 10, 3)), tmp_path)
    for start, stop in [(-1, 2), (3, 2), (0, 11)]:
        with pytest.raises(IndexError, match=f"got {start} and {stop}, expected 0 <= start <= stop <= 10"):
            array.read(start, stop)
    for ids, low, high in [([0, 10], 0, 10), ([-1, 3], -1, 3)]:
        with pytest.raises(IndexError, match=rf"'ids' must lie in \[0, 10\), got {low} to {high}"):
            array.gather(torch.tensor(ids))
    with pytest.raises(ValueError, match=r"'ids' got torch.float32 of shape \(1,\), expected int32 or int64"):
        array.gather(torch.zeros(1))
    for out in (torch.empty(2, 4), torch.empty(2, 3).double(), torch.empty(3, 2).T):
        with pytest.raises(ValueError, match=r"expected contiguous torch.float32 of shape \(2, 3\) on cpu"):
            array.read(0, 2, out)


def test_a_full_disk_is_named(tmp_path):
    with pytest.raises(DiskFullError, match="needs 4,611,686,018,427,387,904 bytes"):
        ArrayWriter(tmp_path, "x.bin", torch.uint8, (1 << 62,))
