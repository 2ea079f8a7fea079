import os

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from graphlab.disk import CorruptStoreError, DiskError, MemoryBudgetError
from graphlab.disk.array_file import ArrayFile, describe, write_array
from graphlab.disk.pack import Pack, PackState, pack_rows, partition_rows
from graphlab.ops import crc32c

FLOATS = [torch.float16, torch.bfloat16, torch.float32, torch.float64]


def scan(root, x, ids, gap=5, **arguments):
    """Pack rows one stretch after another with gaps between; return the stretches, the state, and all states."""
    source = ArrayFile(write_array(root, "x.bin", x), root)
    dtype = arguments.get("dtype") or x.dtype
    row_bytes = x[0].numel() * dtype.itemsize
    fd = os.open(root / "packs.bin", os.O_RDWR | os.O_CREAT)
    try:
        offsets = np.cumsum([0] + [len(i) * row_bytes + gap for i in ids]).tolist()
        packs = [Pack(fd, offset, len(i)) for offset, i in zip(offsets, ids, strict=False)]
        states = []
        state = pack_rows(source, packs, lambda p, i, j: ids[p][i:j], done=states.append, **arguments)
        stretches = [os.pread(fd, p.count * row_bytes, p.offset) for p in packs]
    finally:
        os.close(fd)
    return stretches, state, states


def raw(t):
    return t.contiguous().view(-1).view(torch.uint8).numpy().tobytes()


def crc(data):
    return crc32c(torch.frombuffer(bytearray(data), dtype=torch.uint8)) if data else 0


@given(st.data())
def test_packs_hold_their_rows_whatever_the_partitions(tmp_path_factory, data):
    rows = data.draw(st.integers(1, 40))
    ids = data.draw(st.lists(st.sets(st.integers(0, rows - 1)).map(sorted), max_size=6))
    ids = [torch.tensor(i, dtype=torch.int32) for i in ids]
    x = torch.arange(rows * 3, dtype=torch.float32).view(rows, 3)
    part, threads = data.draw(st.integers(1, rows + 1)), data.draw(st.sampled_from([1, 2]))
    root = tmp_path_factory.mktemp("pack")
    stretches, state, states = scan(root, x, ids, partition_rows=part, threads=threads)
    assert stretches == [raw(x[i.long()]) for i in ids]
    assert state.crc.tolist() == [crc(s) for s in stretches]
    assert state.placed.tolist() == [len(i) for i in ids]
    assert state.source_crc == crc(raw(x))
    assert [s.row for s in states] == [*range(part, rows, part), rows]


@pytest.mark.parametrize("stored", FLOATS)
@pytest.mark.parametrize("dtype", FLOATS)
@pytest.mark.parametrize("width", [1, 7, 1025])
def test_rows_of_any_width_are_converted(tmp_path, width, stored, dtype):
    x = torch.randn(50, width).to(stored)
    ids = [torch.arange(0, 50, 3), torch.tensor([49])]
    stretches, state, _ = scan(tmp_path, x, ids, partition_rows=11, dtype=dtype)
    assert stretches == [raw(x.to(dtype)[i]) for i in ids]
    assert state.source_crc == crc(raw(x))


@pytest.mark.parametrize("offset", [0, 128, 3, 4096])
def test_rows_may_start_anywhere_in_a_file(tmp_path, offset):
    x = torch.randn(3000, 5)
    (tmp_path / "x.raw").write_bytes(bytes(offset) + raw(x))
    source = ArrayFile(describe(tmp_path / "x.raw", x.dtype, tuple(x.shape), offset), tmp_path)
    fd = os.open(tmp_path / "pack", os.O_RDWR | os.O_CREAT)
    ids = torch.arange(0, 3000, 7)
    pack_rows(source, [Pack(fd, 0, len(ids))], lambda _, i, j: ids[i:j], partition_rows=999)
    assert os.pread(fd, 1 << 20, 0) == raw(x[ids])
    os.close(fd)


@pytest.mark.parametrize("step", [1, 40, 64, 4096])
def test_rows_larger_and_smaller_than_a_step(tmp_path, monkeypatch, step):
    monkeypatch.setattr("graphlab.disk.pack.STEP", step)
    monkeypatch.setattr("graphlab.disk.pack._IDS", 2)
    x = torch.randn(100, 4)
    ids = [torch.arange(100), torch.arange(90, 100), torch.empty(0, dtype=torch.long)]
    stretches, state, _ = scan(tmp_path, x, ids, partition_rows=33)
    assert stretches == [raw(x[i]) for i in ids]
    assert state.source_crc == crc(raw(x))


def test_rows_of_several_dimensions_and_of_integers_are_packed(tmp_path):
    x = torch.arange(60, dtype=torch.int16).view(10, 2, 3)
    stretches, _, _ = scan(tmp_path, x, [torch.tensor([1, 9])], partition_rows=4)
    assert stretches == [raw(x[[1, 9]])]


def test_a_scan_goes_on_from_any_state_with_other_partitions(tmp_path):
    x, ids = torch.randn(60, 2), [torch.arange(0, 60, 2), torch.arange(5), torch.tensor([58, 59])]
    stretches, state, states = scan(tmp_path, x, ids, partition_rows=7)
    for middle in states:
        described = PackState.from_bytes(middle.to_bytes())
        again, end, _ = scan(tmp_path, x, ids, partition_rows=13, state=described)
        assert again == stretches
        assert end.to_bytes() == state.to_bytes()


def test_ids_that_do_not_ascend_are_refused(tmp_path):
    with pytest.raises(CorruptStoreError, match="ids of pack 0 do not ascend"):
        scan(tmp_path, torch.randn(5, 1), [torch.tensor([3, 3])], partition_rows=9)
    with pytest.raises(CorruptStoreError, match="ids of pack 0 do not ascend"):
        scan(tmp_path, torch.randn(5, 1), [torch.tensor([-1, 3])], partition_rows=9)
    with pytest.raises(CorruptStoreError, match="pack 0 has 2 rows, of which 1 were found"):
        scan(tmp_path, torch.randn(5, 1), [torch.tensor([3, 5])], partition_rows=9)


def test_finite_values_do_not_become_infinite(tmp_path):
    x = torch.zeros(20, 2)
    x[13, 1], x[3, 0] = -1e5, torch.nan
    with pytest.raises(DiskError, match=r"'dtype' float16 can not hold -100000\.0 of row 13"):
        scan(tmp_path, x, [torch.tensor([1])], partition_rows=3, dtype=torch.float16)


def test_errors_of_threads_arrive(tmp_path):
    source = ArrayFile(write_array(tmp_path, "x.bin", torch.randn(9, 2)), tmp_path)
    with pytest.raises(OSError, match="Bad file descriptor"):
        pack_rows(source, [Pack(-1, 0, 3)], lambda _, i, j: torch.arange(3)[i:j], partition_rows=9, threads=2)


def test_partitions_fit_the_room(tmp_path):
    source = ArrayFile(write_array(tmp_path, "x.bin", torch.zeros(100_000, 100)), tmp_path)
    few, many = (partition_rows(n << 20, source, torch.float32, 1) for n in (20, 30))
    assert (many - few) * 400 == pytest.approx(10 << 20, rel=0.01)
    assert partition_rows(1 << 40, source, torch.float32, 1) == 100_000
    assert partition_rows(20 << 20, source, torch.float16, 1) == pytest.approx(2 * few, rel=0.01)
    with pytest.raises(MemoryBudgetError, match=r"raise 'memory_budget' by [\d,]+ bytes, or lower 'workers' from 8"):
        partition_rows(20 << 20, source, torch.float32, 8)
