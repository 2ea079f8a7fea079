"""Shards: few large files of batches, each batch a record and the pack of its cold rows.

A shard starts with a header of one block. Each batch starts at a multiple of the block size: its record, then, at the
next multiple of 64 bytes, its pack: the rows of its cold nodes in ascending order of node id. The index stands at the
end; with it the header is written last, so a shard whose preparation was cut off is known by its empty header.
"""

import struct
from collections.abc import Iterable, Sequence
from dataclasses import astuple, dataclass
from pathlib import Path

import torch

from graphlab.disk.errors import CorruptStoreError, UnsealedStoreError
from graphlab.disk.files import BLOCK, align, read_fully, write_fully
from graphlab.ops import crc32c

_HEADER = struct.Struct("<4sIIIQQI")
_ENTRY = struct.Struct("<QQQQQII")
_MAGIC = b"GLDS"
_VERSION = 1


@dataclass(frozen=True)
class Entry:
    """Where a batch lies in its shard, and what it must be.

    Args:
        epoch: The sampled epoch of the batch.
        batch: Its number in the epoch.
        offset: Where the record starts, in bytes from the start of the shard; a multiple of the block size.
        record_bytes: Length of the record.
        pack_bytes: Length of the pack.
        record_crc: CRC-32C of the record and the zeros up to the pack.
        pack_crc: CRC-32C of the pack and the zeros up to the next batch.
    """

    epoch: int
    batch: int
    offset: int
    record_bytes: int
    pack_bytes: int
    record_crc: int = 0
    pack_crc: int = 0

    @property
    def pack_offset(self) -> int:
        """Where the pack starts, in bytes from the start of the shard."""
        return self.offset + align(self.record_bytes, 64)

    @property
    def extent(self) -> int:
        """Bytes of record and pack, in whole blocks."""
        return align(self.pack_offset - self.offset + self.pack_bytes)


@dataclass(frozen=True)
class ShardPlan:
    """The batches of one shard and its length, known before anything is written.

    Args:
        number: The shard's number.
        entries: Its batches, in the order of the file.
    """

    number: int
    entries: tuple[Entry, ...]

    @property
    def name(self) -> str:
        """The name of the file."""
        return f"shard-{self.number:05d}.gls"

    @property
    def index_offset(self) -> int:
        """Where the index starts."""
        return self.entries[-1].offset + self.entries[-1].extent if self.entries else BLOCK

    @property
    def size(self) -> int:
        """Bytes of the file."""
        return self.index_offset + align(len(self.entries) * _ENTRY.size)


def plan_shards(sizes: Iterable[tuple[int, int, int, int]], shard_bytes: int) -> list[ShardPlan]:
    """Lay batches out in shards.

    Args:
        sizes: For each batch its epoch, its number, the bytes of its record and of its pack.
        shard_bytes: A shard is closed once it is longer than this.
    """
    shards: list[ShardPlan] = []
    entries: list[Entry] = []
    end = BLOCK
    for epoch, batch, record_bytes, pack_bytes in sizes:
        entry = Entry(epoch, batch, end, record_bytes, pack_bytes)
        entries.append(entry)
        end += entry.extent
        if end >= shard_bytes:
            shards.append(ShardPlan(len(shards), tuple(entries)))
            entries, end = [], BLOCK
    if entries:
        shards.append(ShardPlan(len(shards), tuple(entries)))
    return shards


def seal_shard(fd: int, number: int, entries: Sequence[Entry]) -> int:
    """Write the index and the header of a shard whose batches are all there.

    Args:
        fd: The shard.
        number: Its number.
        entries: Its batches, with their checksums.

    Returns:
        The CRC-32C of the index, for the manifest.
    """
    plan = ShardPlan(number, tuple(entries))
    index = b"".join(_ENTRY.pack(*astuple(e)) for e in entries)
    index += bytes(align(len(index)) - len(index))
    index_crc = _crc(index)
    head = _HEADER.pack(_MAGIC, _VERSION, number, len(entries), plan.index_offset, plan.size, index_crc)
    write_fully(fd, index, plan.index_offset)
    write_fully(fd, head + struct.pack("<I", _crc(head)) + bytes(BLOCK - len(head) - 4), 0)
    return index_crc


def read_index(fd: int, path: Path) -> ShardPlan:
    """Read the index of a shard and check it.

    Args:
        fd: The shard, opened for reads through the page cache.
        path: Its path, for messages.

    Raises:
        UnsealedStoreError: The shard was never finished.
        CorruptStoreError: Header or index are damaged.
    """
    block = bytearray(BLOCK)
    _read(fd, block, 0, path)
    head = bytes(block[: _HEADER.size])
    magic, version, number, count, offset, size, index_crc = _HEADER.unpack(head)
    if not any(block):
        raise UnsealedStoreError(f"{path} has no header: its preparation has not ended; run 'prepare' again to go on")
    checksum = struct.pack("<I", _crc(head))
    if magic != _MAGIC or block[_HEADER.size :] != checksum + bytes(BLOCK - _HEADER.size - len(checksum)):
        raise CorruptStoreError(f"{path} has a damaged header; run 'graphlab disk repair'")
    if version != _VERSION:
        raise CorruptStoreError(f"{path} has format version {version}, expected {_VERSION}; prepare the store anew")
    index = bytearray(align(count * _ENTRY.size))
    _read(fd, index, offset, path)
    if _crc(bytes(index)) != index_crc:
        raise CorruptStoreError(f"{path} has a damaged index; run 'graphlab disk repair'")
    entries = tuple(Entry(*_ENTRY.unpack_from(index, i * _ENTRY.size)) for i in range(count))
    plan = ShardPlan(number, entries)
    if plan.size != size:
        raise CorruptStoreError(f"{path} has an index that does not fit its length; run 'graphlab disk repair'")
    return plan


def _read(fd: int, buffer: bytearray, offset: int, path: Path) -> None:
    try:
        read_fully(fd, memoryview(buffer), offset)
    except RuntimeError as error:
        raise CorruptStoreError(f"{path} is damaged: {error}; run 'graphlab disk repair'") from error


def _crc(data: bytes) -> int:
    return crc32c(torch.frombuffer(bytearray(data), dtype=torch.uint8)) if data else 0
