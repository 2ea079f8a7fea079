"""Batches as they come off the disk: read in one piece, checked, and put together with the rows kept in memory."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from graphlab.disk.array_file import ArrayFile
from graphlab.disk.buffers import BufferPool
from graphlab.disk.errors import CorruptStoreError, DiskError, FeaturesError
from graphlab.disk.files import read_blocks
from graphlab.disk.footprint import Footprint
from graphlab.disk.record import Counts, RecordLayout
from graphlab.disk.shard import Entry
from graphlab.disk.store import PUT_BACK, Store
from graphlab.disk.store_info import StoreInfo
from graphlab.ops import assemble_rows, crc32c

if TYPE_CHECKING:
    from torch_geometric.data import Data

_STRUCTURE = ("n_id", "place", "row", "col", "e_id", "input_id", "num_sampled_nodes", "num_sampled_edges")


@dataclass(frozen=True)
class RawBatch:
    """A batch as it lies on the disk.

    Args:
        entry: Where it lies, and what it must be.
        path: The file.
        data: Its bytes.

    Shapes:
        - **data:** ``(extent,)``
    """

    entry: Entry
    path: Path
    data: Tensor


class BatchReader:
    """Reads batches of a store, and puts them together; threads may share it.

    Args:
        store: The store.
        verify: Whether to compare checksums with what was read.
        batches: How many batches are in use at a time, for the buffers to keep.
        readers: How many threads read at a time.

    Raises:
        CorruptStoreError: The hot set is damaged, or features that batches need changed.
    """

    def __init__(self, store: Store, *, verify: bool, batches: int, readers: int) -> None:
        footprint = Footprint.of(store)
        self._store, self._verify = store, verify
        self._rows = BufferPool(footprint.rows, keep=batches)
        self._scratch = BufferPool(footprint.extent, keep=readers + 1)
        self._hot = _hot_rows(store, verify)
        self._features = _Features(store.features) if store.info.mode == "online" else None

    def read(self, epoch: int, batch: int) -> RawBatch:
        """Read the bytes of a batch, which is all that takes the drive's time unless rows are not packed.

        Args:
            epoch: Its sampled epoch.
            batch: Its number in the epoch, over all ranks.

        Raises:
            IndexError: The store holds no such batch.
            CorruptStoreError: The file was cut short.
            DiskError: It can not be read.
        """
        shard, entry = self._store.entry(epoch, batch)
        path = self._store.shard_path(shard)
        data = self._scratch.take()[: entry.extent]
        with self._naming(entry, path):
            read_blocks(path, data, entry.offset)
        return RawBatch(entry, path, data)

    def assemble(self, raw: RawBatch) -> Data:
        """Make a batch of its bytes.

        Args:
            raw: What :meth:`read` returned.

        Raises:
            CorruptStoreError: Its bytes are not those that were written.
            FeaturesError: The features that it needs changed since the reader was made, or can not be read.
        """
        with self._naming(raw.entry, raw.path):
            return self._assemble(raw.data, raw.entry)

    def _assemble(self, data: Tensor, entry: Entry) -> Data:
        if self._verify:
            check(data, entry)
        info = self._store.info
        counts, arrays = decode(info, data, entry)
        record = entry.pack_offset - entry.offset
        pack = data[record : record + entry.pack_bytes]
        if self._features is not None:
            pack = self._features.rows(cold_ids(counts, arrays), info.torch_dtype)
        room = self._rows.take()
        size = counts.nodes * info.row_bytes
        if size > room.numel():
            raise ValueError(f"its record has {counts.nodes:,} nodes, more than its edges lead to")
        x = assemble_rows(pack, self._hot, arrays["place"], info.row_bytes, room[:size])
        return _as_data(info.layout, arrays, x.view(info.torch_dtype).view(counts.nodes, *info.row_shape))

    @contextmanager
    def _naming(self, entry: Entry, path: Path) -> Generator[None]:
        """Say which batch an error is about."""
        try:
            yield
        except FeaturesError:
            raise
        except OSError as error:
            raise DiskError(f"{named(entry)} can not be read from {path}: {error.strerror}") from error
        except (RuntimeError, ValueError, IndexError) as error:
            raise CorruptStoreError(
                f"{named(entry)} in {path} is damaged: {error}; run 'graphlab disk repair {self._store.path}'",
                ((entry.epoch, entry.batch),),
            ) from error


def check(data: Tensor, entry: Entry) -> None:
    """Compare the bytes of a batch with the checksums of its entry.

    Args:
        data: The bytes.
        entry: The entry.

    Raises:
        ValueError: They are others than those that were written.

    Shapes:
        - **data:** ``(extent,)``
    """
    record = entry.pack_offset - entry.offset
    for part, piece, expected in (
        ("record", data[:record], entry.record_crc),
        ("pack", data[record : entry.extent], entry.pack_crc),
    ):
        if (found := crc32c(piece)) != expected:
            raise ValueError(f"its {part} has CRC-32C {found:08x}, expected {expected:08x}")


def decode(info: StoreInfo, data: Tensor, entry: Entry) -> tuple[Counts, dict[str, Tensor]]:
    """Read the record of a batch and compare it with its entry.

    Args:
        info: The store's description.
        data: Its bytes.
        entry: The entry.

    Raises:
        CorruptStoreError: It is no record.
        ValueError: It is one of another batch, or of another size.

    Shapes:
        - **data:** ``(extent,)``
    """
    counts = info.layout.counts(data)
    pack_bytes = counts.cold * info.row_bytes if info.mode == "packed" else 0
    found = (counts.epoch, counts.batch, info.layout.size(counts), pack_bytes)
    if found != (expected := (entry.epoch, entry.batch, entry.record_bytes, entry.pack_bytes)):
        raise ValueError(f"its record has (epoch, batch, record_bytes, pack_bytes) {found}, expected {expected}")
    return info.layout.decode(data)


def cold_ids(counts: Counts, arrays: dict[str, Tensor]) -> Tensor:
    """Return the nodes of a batch whose rows are not in the hot set, ascending.

    Args:
        counts: The counts of the batch.
        arrays: The arrays of its record.

    Raises:
        IndexError: The record names more rows than its counts.

    Shapes:
        - **output:** ``(cold,)``
    """
    cold = arrays["place"] >= 0
    ids = torch.full((counts.cold,), -1)
    ids[arrays["place"][cold].long()] = arrays["n_id"][cold].long()
    return ids


def named(entry: Entry) -> str:
    """Return how messages call a batch.

    Args:
        entry: Its entry.
    """
    return f"batch {entry.batch} of epoch {entry.epoch}"


class _Features:
    """Rows that are not packed, from the file of all features."""

    def __init__(self, file: ArrayFile) -> None:
        file.check()
        self._file, self._stamp = file, _stamp(file.path)

    def rows(self, ids: Tensor, dtype: torch.dtype) -> Tensor:
        path = self._file.path
        try:
            if _stamp(path) == self._stamp:
                return self._file.gather(ids).to(dtype).view(-1).view(torch.uint8)
        except OSError as error:
            raise FeaturesError(f"{path} can not be read: {error.strerror}; {PUT_BACK}") from error
        except DiskError as error:
            raise FeaturesError(f"{error}; {PUT_BACK}") from error
        raise FeaturesError(f"{path} was written to since the loader was opened; open it anew")


def _stamp(path: Path) -> tuple[int, int]:
    stat = path.stat()
    return stat.st_size, stat.st_mtime_ns


def _hot_rows(store: Store, verify: bool) -> Tensor:
    info = store.info
    size = info.hot_rows * info.row_bytes
    room = BufferPool(size, keep=0).take()[:size]
    if info.hot is None:
        return room
    described = replace(info.features, path=info.hot.name, offset=0, dtype="uint8", shape=(size,), size=size)
    with ArrayFile(described, store.path) as file:
        file.read(0, size, out=room)
    if verify and (found := crc32c(room)) != info.hot.crc32c:
        raise CorruptStoreError(
            f"{store.path / info.hot.name} is damaged: CRC-32C {found:08x}, expected {info.hot.crc32c:08x}; "
            f"run 'graphlab disk repair {store.path}'"
        )
    return room


def _as_data(layout: RecordLayout, arrays: dict[str, Tensor], x: Tensor) -> Data:
    """Copy a record's arrays out of the buffer that they were read into."""
    # Verifying and repairing need no PyG.
    from torch_geometric.data import Data

    edge_index = torch.empty((2, arrays["row"].numel()), dtype=torch.long)
    edge_index[0], edge_index[1] = arrays["row"], arrays["col"]
    data = Data(x=x, edge_index=edge_index)
    for field in layout.fields:
        if field.name not in _STRUCTURE:
            data[field.name] = arrays[field.name].clone()
    for name in ("n_id", "e_id", "input_id"):
        if name in arrays:
            data[name] = arrays[name].to(torch.long, copy=True)
    data.num_sampled_nodes = arrays["num_sampled_nodes"].tolist()
    data.num_sampled_edges = arrays["num_sampled_edges"].tolist()
    data.batch_size = arrays["input_id"].numel()
    return data
