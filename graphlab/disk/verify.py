"""Checking every byte of a store."""

import os
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from graphlab.disk.array_file import ArrayFile
from graphlab.disk.errors import CorruptStoreError, DiskError
from graphlab.disk.manifest import NAME, load_manifest
from graphlab.disk.recover import open_bytes, recover_entries
from graphlab.disk.shard import Entry
from graphlab.disk.store import PUT_BACK, check_length, open_index
from graphlab.disk.store_info import ArrayInfo, StoreInfo
from graphlab.ops import crc32c_combine
from graphlab.ops.worker_pool import worker_pool

# What to do about parts of which there is one.
_ADVICE = {
    "graph": f"{PUT_BACK}; packed batches can be loaded without it, but not be repaired",
    "attribute": f"{PUT_BACK}; batches can be loaded without it, but not be repaired",
    "features": f"{PUT_BACK}; packed batches can be loaded without it, but not be repaired",
    "hot": "run 'graphlab disk repair'",
}
# Long files are checked in pieces, for threads to share.
_PIECE = 64 << 20


@dataclass(frozen=True)
class Damage:
    """A part of a store whose bytes are not those that were written.

    Args:
        part: What it is: ``"manifest"``, ``"index"`` (of a shard, or the shard's length), ``"record"``, ``"pack"``,
            ``"hot"``, ``"graph"``, ``"attribute"`` or ``"features"``.
        file: The file.
        message: What is wrong with it.
        batch: The batch that it belongs to, as (epoch, batch); none where it is not one batch.
    """

    part: str
    file: str
    message: str
    batch: tuple[int, int] | None = None

    @property
    def repairable(self) -> bool:
        """Whether the part can be made again from others."""
        return self.part in ("index", "record", "pack", "hot")

    def __str__(self) -> str:
        where = f"batch {self.batch[1]} of epoch {self.batch[0]}: " if self.batch else ""
        return f"{self.file}: {where}{self.part}: {self.message}"


@dataclass(frozen=True)
class Report:
    """What :func:`verify` found.

    Args:
        path: The store.
        damages: What is damaged.
        bytes_read: How many bytes were checked.
        seconds: How long that took.
    """

    path: Path
    damages: tuple[Damage, ...]
    bytes_read: int = 0
    seconds: float = 0.0

    @property
    def ok(self) -> bool:
        """Whether nothing is damaged."""
        return not self.damages

    @property
    def repairable(self) -> bool:
        """Whether some of what is damaged can be made again from the rest."""
        return any(d.repairable for d in self.damages)

    @property
    def batches(self) -> tuple[tuple[int, int], ...]:
        """The damaged batches, as (epoch, batch)."""
        return tuple(dict.fromkeys(d.batch for d in self.damages if d.batch))

    def __str__(self) -> str:
        rate = self.bytes_read / max(self.seconds, 1e-9)
        read = f"{self.bytes_read:,} bytes checked in {self.seconds:.1f} s ({rate / 1e9:.2f} GB/s)"
        if self.ok:
            return f"{self.path}: intact; {read}"
        return "\n".join([*map(str, self.damages), f"{self.path}: {len(self.damages)} parts are damaged; {read}"])


# Bytes that have one checksum: what is damaged if it does not fit, in which file, where, and the checksum.
@dataclass(frozen=True)
class _Stretch:
    part: str
    array: ArrayFile
    start: int
    stop: int
    crc: int
    batch: tuple[int, int] | None = None

    @property
    def num_bytes(self) -> int:
        return (self.stop - self.start) * self.array.row_bytes

    def pieces(self) -> Iterator[Callable[[], tuple[int, int]]]:
        rows = max(1, _PIECE // max(self.array.row_bytes, 1))
        for start in range(self.start, self.stop, rows):
            stop = min(start + rows, self.stop)
            yield partial(_checksum, self.array, start, stop)

    def compare(self, pieces: Iterable[tuple[int, int]]) -> Damage | None:
        found = 0
        for crc, length in pieces:
            found = crc32c_combine(found, crc, length)
        if found == self.crc:
            return None
        message = f"CRC-32C {found:08x}, expected {self.crc:08x}"
        if self.part in _ADVICE:
            message += f"; {_ADVICE[self.part]}"
        return Damage(self.part, self.array.info.path, message, self.batch)


def verify(path: str | os.PathLike[str], *, threads: int = 2) -> Report:
    """Check every byte of a store and of the features it was made from.

    Args:
        path: The store.
        threads: How many threads read.

    Returns:
        What is damaged, if anything.

    Raises:
        DiskError: There is no store at ``path``.
        UnsealedStoreError: Its preparation has not ended.

    Example:
        >>> import tempfile, torch
        >>> from torch_geometric.data import Data
        >>> from graphlab.disk import prepare, verify
        >>> data = Data(x=torch.randn(50, 8), edge_index=torch.randint(50, (2, 200)))
        >>> with tempfile.TemporaryDirectory() as out:
        ...     _ = prepare(data, out, num_neighbors=[5, 5], batch_size=16, mode="packed")
        ...     verify(out).ok
        True
    """
    root, begin = Path(path), time.perf_counter()
    try:
        info = StoreInfo.from_json(load_manifest(root))
    except CorruptStoreError as error:
        return Report(root, (Damage("manifest", NAME, str(error)),))
    damages: list[Damage] = []
    stretches = [*_shards(root, info, damages), *_arrays(root, info, damages)]
    with worker_pool(threads, "graphlab-verify") as pool:
        pieces = [[pool.submit(piece) for piece in stretch.pieces()] for stretch in stretches]
        for stretch, parts in zip(stretches, pieces, strict=True):
            try:
                damages += filter(None, [stretch.compare(part.result() for part in parts)])
            except (OSError, DiskError) as error:
                damages.append(Damage(stretch.part, stretch.array.info.path, str(error), stretch.batch))
    for array in {stretch.array for stretch in stretches}:
        array.close()
    return Report(root, tuple(damages), sum(s.num_bytes for s in stretches), time.perf_counter() - begin)


def _shards(root: Path, info: StoreInfo, damages: list[Damage]) -> Iterator[_Stretch]:
    for number, shard in enumerate(info.shards):
        try:
            entries = open_index(root, number, shard).entries
        except (OSError, DiskError) as error:
            intact = recover_entries(root, info, number) is not None
            batches = "its batches are intact" if intact else "so is at least one of its batches"
            damages.append(Damage("index", shard.name, f"{error}; {batches}"))
            continue
        file = open_bytes(root, shard)
        for e in entries:
            yield from _batch(file, e)


def _batch(file: ArrayFile, e: Entry) -> Iterator[_Stretch]:
    yield _Stretch("record", file, e.offset, e.pack_offset, e.record_crc, (e.epoch, e.batch))
    yield _Stretch("pack", file, e.pack_offset, e.offset + e.extent, e.pack_crc, (e.epoch, e.batch))


def _arrays(root: Path, info: StoreInfo, damages: list[Damage]) -> Iterator[_Stretch]:
    parts = [("graph", array) for array in info.graph.values()]
    parts += [("attribute", array) for array in info.attributes.values()]
    parts += [("features", info.features)]
    if info.hot is not None:
        size = info.hot.bytes
        parts.append(("hot", ArrayInfo(info.hot.name, 0, "uint8", (size,), size, 0, info.hot.crc32c)))
    for part, array in parts:
        try:
            check_length(root / array.path, array.size, _ADVICE[part])
            file = ArrayFile(array, root)
        except (OSError, DiskError) as error:
            damages.append(Damage(part, array.path, str(error)))
            continue
        yield _Stretch(part, file, 0, len(file), array.crc32c)


def _checksum(array: ArrayFile, start: int, stop: int) -> tuple[int, int]:
    return array.checksum(start, stop), (stop - start) * array.row_bytes
