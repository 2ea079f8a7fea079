import os
from dataclasses import replace

import pytest

from graphlab.disk import CorruptStoreError, UnsealedStoreError
from graphlab.disk.files import BLOCK, allocate
from graphlab.disk.shard import plan_shards, read_index, seal_shard

SIZES = [(0, b, 64 + 100 * b, 1000 * b) for b in range(7)]


def test_batches_lie_in_order_without_overlap_and_at_blocks():
    shards = plan_shards(SIZES, shard_bytes=6 * BLOCK)
    assert [(e.epoch, e.batch) for s in shards for e in s.entries] == [(0, b) for b in range(7)]
    assert [s.number for s in shards] == list(range(len(shards)))
    assert len(shards) > 1
    for shard in shards:
        end = BLOCK
        for entry in shard.entries:
            assert entry.offset == end
            assert entry.offset % BLOCK == 0
            assert entry.pack_offset >= entry.offset + entry.record_bytes
            end = entry.offset + entry.extent
            assert end >= entry.pack_offset + entry.pack_bytes
        assert shard.index_offset == end


@pytest.fixture
def sealed(tmp_path):
    (shard,) = plan_shards(SIZES, shard_bytes=1 << 30)
    path = tmp_path / shard.name
    fd = allocate(path, shard.size)
    entries = [replace(e, record_crc=5, pack_crc=2**32 - 1) for e in shard.entries]
    seal_shard(fd, shard.number, entries)
    os.close(fd)
    return path, entries, shard


def index_of(path):
    with path.open("rb") as file:
        return read_index(file.fileno(), path)


def test_the_index_is_read_as_written(sealed):
    path, entries, shard = sealed
    assert path.stat().st_size == shard.size
    assert list(index_of(path).entries) == entries


@pytest.mark.parametrize("where", ["header", "index"])
def test_every_flipped_bit_of_header_and_index_is_found(sealed, where):
    path, _, shard = sealed
    start, length = (0, 64) if where == "header" else (shard.index_offset, BLOCK)
    content = bytearray(path.read_bytes())
    for bit in range(8 * length):
        content[start + bit // 8] ^= 1 << bit % 8
        path.write_bytes(content)
        with pytest.raises(CorruptStoreError, match=r"damaged|version"):
            index_of(path)
        content[start + bit // 8] ^= 1 << bit % 8


def test_unfinished_and_shortened_shards_are_refused(sealed):
    path, _, shard = sealed
    content = path.read_bytes()
    path.write_bytes(bytes(BLOCK) + content[BLOCK:])
    with pytest.raises(UnsealedStoreError, match="has not ended"):
        index_of(path)
    path.write_bytes(content[: shard.index_offset])
    with pytest.raises(CorruptStoreError, match="cut short"):
        index_of(path)
