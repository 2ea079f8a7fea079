"""Finding the batches of a shard without its index: each record tells its own length, and so where the next one is."""

from pathlib import Path

from graphlab.disk.array_file import ArrayFile
from graphlab.disk.errors import DiskError
from graphlab.disk.files import BLOCK
from graphlab.disk.shard import Entry, ShardPlan, index_crc
from graphlab.disk.store_info import ArrayInfo, FileInfo, StoreInfo

_HEADER = 64


def recover_entries(root: Path, info: StoreInfo, number: int) -> tuple[Entry, ...] | None:
    """Make the index of a shard anew from its records.

    Args:
        root: The store.
        info: Its description.
        number: The shard's number.

    Returns:
        The batches, or nothing where they do not have the index that the manifest knows: then one of them is damaged.
    """
    shard = info.shards[number]
    try:
        with open_bytes(root, shard, (root / shard.name).stat().st_size) as file:
            entries = _walk(file, info, number)
            found = tuple(with_checksums(file, entry) for entry in entries)
    except (OSError, DiskError, IndexError):
        return None
    return found if index_crc(found) == shard.crc32c else None


def open_bytes(root: Path, file: FileInfo, size: int | None = None) -> ArrayFile:
    """Open a file of a store as an array of bytes.

    Args:
        root: The store.
        file: The file.
        size: Its length, if not that of the manifest.
    """
    size = file.bytes if size is None else size
    return ArrayFile(ArrayInfo(file.name, 0, "uint8", (size,), size, 0, file.crc32c), root)


def with_checksums(file: ArrayFile, entry: Entry) -> Entry:
    """Return an entry with the checksums of what is in the file.

    Args:
        file: The shard.
        entry: The entry.
    """
    record = file.checksum(entry.offset, entry.pack_offset)
    pack = file.checksum(entry.pack_offset, entry.offset + entry.extent)
    return Entry(
        entry.epoch, entry.batch, entry.offset, entry.record_bytes, entry.pack_bytes, record_crc=record, pack_crc=pack
    )


def _walk(file: ArrayFile, info: StoreInfo, number: int) -> tuple[Entry, ...]:
    entries: tuple[Entry, ...] = ()
    offset, size = BLOCK, info.shards[number].bytes
    while ShardPlan(number, entries).size < size:
        counts = info.layout.counts(file.read(offset, offset + _HEADER))
        pack_bytes = counts.cold * info.row_bytes if info.mode == "packed" else 0
        entry = Entry(counts.epoch, counts.batch, offset, info.layout.size(counts), pack_bytes)
        entries, offset = (*entries, entry), offset + entry.extent
    return entries
