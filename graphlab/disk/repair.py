"""Making whole what is damaged in a store, byte for byte as it was."""

import os
from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path

import torch
from torch import Tensor

from graphlab.disk import memory
from graphlab.disk.array_file import ArrayFile
from graphlab.disk.batch_reader import cold_ids
from graphlab.disk.errors import CorruptStoreError, DiskError
from graphlab.disk.files import BLOCK, allocate, sync_directory, write_atomically, write_fully
from graphlab.disk.hot_set import HotSet
from graphlab.disk.manifest import load_manifest
from graphlab.disk.rebuild import BatchSource, pack_of
from graphlab.disk.recover import open_bytes, recover_entries, with_checksums
from graphlab.disk.shard import Entry, ShardPlan, index_crc, seal_shard
from graphlab.disk.store import expected_batches, open_index
from graphlab.disk.store_info import FileInfo, StoreInfo
from graphlab.disk.verify import Damage, Report, verify
from graphlab.ops import crc32c


@dataclass(frozen=True)
class Repair:
    """What :func:`repair` did.

    Args:
        path: The store.
        repaired: What is whole again.
        left: What still is damaged; the messages say why, and the way out.
    """

    path: Path
    repaired: tuple[Damage, ...] = ()
    left: tuple[Damage, ...] = ()

    @property
    def ok(self) -> bool:
        """Whether nothing is damaged any more."""
        return not self.left

    def __str__(self) -> str:
        lines = [f"repaired {damage}" for damage in self.repaired] + [f"left {damage}" for damage in self.left]
        return "\n".join([*lines, f"{self.path}: {len(self.repaired)} parts repaired, {len(self.left)} left"])


def repair(path: str | os.PathLike[str], *, threads: int = 2, memory_budget: int | None = None) -> Repair:
    """Make whole what is damaged in a store: batches, indices, shards that are missing, the hot set.

    What is damaged is made again from graph, attributes and features, compared with the checksum of what was lost, and
    only then written. All else is left as it is. Manifest, graph, attributes and features are known to nobody else.

    Args:
        path: The store.
        threads: How many threads read, to find what is damaged.
        memory_budget: Bytes of memory that the process may hold in all, itself included. (default: half of what is
            free)

    Returns:
        What was repaired, and what was not, with the way out.

    Raises:
        DiskError: There is no store at ``path``.
        UnsealedStoreError: Its preparation has not ended.

    Example:
        >>> import tempfile, torch
        >>> from pathlib import Path
        >>> from torch_geometric.data import Data
        >>> from graphlab.disk import prepare, repair
        >>> data = Data(x=torch.randn(50, 8), edge_index=torch.randint(50, (2, 200)))
        >>> with tempfile.TemporaryDirectory() as out:
        ...     _ = prepare(data, out, num_neighbors=[5, 5], batch_size=16, mode="packed")
        ...     (Path(out) / "shard-00000.gls").unlink()
        ...     print(repair(out))  # doctest: +ELLIPSIS
        repaired shard-00000.gls: index: ...shard-00000.gls is missing; ...
        /...: 1 parts repaired, 0 left
    """
    report = verify(path, threads=threads)
    if not report.repairable:
        return Repair(report.path, left=report.damages)
    return _Repairing(report, memory.default_budget() if memory_budget is None else memory_budget).run()


class _Repairing:
    """One repair, from the report to the result."""

    def __init__(self, report: Report, memory_budget: int) -> None:
        self.report, self.root, self.memory_budget = report, report.path, memory_budget
        self.info = StoreInfo.from_json(load_manifest(self.root))
        self.entries = [self._entries_of(number, shard) for number, shard in enumerate(self.info.shards)]

    def run(self) -> Repair:
        repaired, left = [], []
        for damages, mend in self._work():
            try:
                mend()
                repaired += damages
            except (OSError, RuntimeError, ValueError, IndexError) as error:
                left += [replace(d, message=f"{d.message}; it could not be repaired: {error}") for d in damages]
        left += [damage for damage in self.report.damages if not damage.repairable]
        return Repair(self.root, tuple(repaired), tuple(left))

    def _work(self) -> list[tuple[list[Damage], Callable[[], None]]]:
        """Return what to do, and which damages that mends."""
        work: list[tuple[list[Damage], Callable[[], None]]] = []
        batches: dict[tuple[int, int], list[Damage]] = defaultdict(list)
        numbers = {shard.name: number for number, shard in enumerate(self.info.shards)}
        for damage in self.report.damages:
            if damage.part == "index":
                work.append(([damage], lambda number=numbers[damage.file]: self._mend_shard(number)))
            elif damage.part == "hot":
                work.append(([damage], self._mend_hot))
            elif damage.batch is not None:
                batches[damage.batch].append(damage)
        for damages in batches.values():
            number = numbers[damages[0].file]
            work.append((damages, lambda number=number, damages=damages: self._mend_batch(number, damages)))
        return work

    def _entries_of(self, number: int, shard: FileInfo) -> tuple[Entry, ...] | None:
        try:
            return open_index(self.root, number, shard).entries
        except (OSError, DiskError):
            return recover_entries(self.root, self.info, number)

    # -- batches ------------------------------------------------------------------------------------------------------

    def _mend_batch(self, number: int, damages: list[Damage]) -> None:
        shard, parts = self.info.shards[number], {damage.part for damage in damages}
        entry = next(e for e in self.entries[number] or () if (e.epoch, e.batch) == damages[0].batch)
        with open_bytes(self.root, shard) as file:
            record = file.read(entry.offset, entry.pack_offset)
            pieces = {}
            if "record" in parts:
                record = pieces[entry.offset] = _checked(self._record(entry.epoch, entry.batch), entry.record_crc)
            if "pack" in parts:
                size = entry.offset + entry.extent - entry.pack_offset
                pieces[entry.pack_offset] = _checked(self._pack(record, size), entry.pack_crc)
            self._write(shard, pieces)
            if with_checksums(file, entry) != entry:
                raise CorruptStoreError("what was written is not what is read; the disk may be failing")

    def _write(self, shard: FileInfo, pieces: dict[int, Tensor]) -> None:
        fd = os.open(self.root / shard.name, os.O_WRONLY | os.O_CLOEXEC)
        try:
            for offset, data in pieces.items():
                write_fully(fd, data.numpy().data, offset)
            os.fsync(fd)
        finally:
            os.close(fd)

    def _pack(self, record: Tensor, size: int) -> Tensor:
        """Make the pack that goes with a record, with zeros up to ``size``."""
        data = torch.zeros(size, dtype=torch.uint8)
        if self.info.mode == "packed":
            rows = pack_of(cold_ids(*self.info.layout.decode(record)), self.features, self.info)
            data[: rows.numel()] = rows
        return data

    # -- shards -------------------------------------------------------------------------------------------------------

    def _mend_shard(self, number: int) -> None:
        shard, entries = self.info.shards[number], self.entries[number]
        if entries is None:
            self.entries[number] = self._write_anew(number)
        else:
            fd = os.open(self.root / shard.name, os.O_RDWR | os.O_CLOEXEC)
            try:
                os.ftruncate(fd, shard.bytes)
                seal_shard(fd, number, entries)
                os.fsync(fd)
            finally:
                os.close(fd)
        open_index(self.root, number, shard)

    def _write_anew(self, number: int) -> tuple[Entry, ...]:
        """Write a shard beside the old one, and put it in its place if it is what the manifest names."""
        shard, before = self.info.shards[number], self.entries[:number]
        if None in before:
            raise CorruptStoreError("which batches it holds follows from the shard before, which is damaged, too")
        scratch = self.root / f".{shard.name}.new"
        try:
            fd = allocate(scratch, shard.bytes)
            try:
                entries = self._write_batches(fd, number, sum(len(e or ()) for e in before))
                os.fsync(fd)
            finally:
                os.close(fd)
            scratch.replace(self.root / shard.name)
        finally:
            scratch.unlink(missing_ok=True)
        sync_directory(self.root)
        return entries

    def _write_batches(self, fd: int, number: int, first: int) -> tuple[Entry, ...]:
        shard, entries, offset = self.info.shards[number], (), BLOCK
        for epoch, batch in expected_batches(self.info)[first:]:
            record = self._record(epoch, batch)
            counts = self.info.layout.counts(record)
            pack_bytes = counts.cold * self.info.row_bytes if self.info.mode == "packed" else 0
            entry = Entry(epoch, batch, offset, self.info.layout.size(counts), pack_bytes, record_crc=crc32c(record))
            pack = self._pack(record, offset + entry.extent - entry.pack_offset)
            entries = (*entries, replace(entry, pack_crc=crc32c(pack)))
            if ShardPlan(number, entries).size > shard.bytes:
                break
            write_fully(fd, record.numpy().data, entry.offset)
            write_fully(fd, pack.numpy().data, entry.pack_offset)
            offset += entry.extent
            if ShardPlan(number, entries).size == shard.bytes and index_crc(entries) == shard.crc32c:
                seal_shard(fd, number, entries)
                return entries
        raise CorruptStoreError("made anew, its batches are others; graph, attributes or features changed")

    # -- the hot set --------------------------------------------------------------------------------------------------

    def _mend_hot(self) -> None:
        hot = self.info.hot
        assert hot is not None
        memory.room(self.memory_budget, least=2 * hot.bytes)
        rows = pack_of(self.hot.ids, self.features, self.info)
        write_atomically(self.root / hot.name, _checked(rows, hot.crc32c).numpy().tobytes())

    @cached_property
    def hot(self) -> HotSet:
        """The nodes of the hot set: intact records name those that they hold, and sampling anew tells all."""
        ids = torch.full((self.info.hot_rows,), -1, dtype=self.info.layout.fields[0].torch_dtype)
        for arrays in self._intact_records() if len(ids) else ():
            is_hot = arrays["place"] < 0
            ids[arrays["place"][is_hot].long() + 2**31] = arrays["n_id"][is_hot]
            if bool((ids >= 0).all()):
                break
        else:
            ids = self.source.hot_nodes().to(ids.dtype) if len(ids) else ids
        return HotSet(ids)

    def _intact_records(self) -> Iterator[dict[str, Tensor]]:
        damaged = {damage.batch for damage in self.report.damages if damage.part == "record"}
        for shard, entries in zip(self.info.shards, self.entries, strict=True):
            for entry in entries or ():
                if (entry.epoch, entry.batch) not in damaged:
                    with open_bytes(self.root, shard) as file:
                        yield self.info.layout.decode(file.read(entry.offset, entry.pack_offset))[1]

    def _record(self, epoch: int, batch: int) -> Tensor:
        return self.source.record(epoch, batch, self.hot)

    @cached_property
    def source(self) -> BatchSource:
        return BatchSource(self.root, self.info, self.memory_budget)

    @cached_property
    def features(self) -> ArrayFile:
        return ArrayFile(self.info.features, self.root)


def _checked(data: Tensor, crc: int) -> Tensor:
    if (found := crc32c(data)) != crc:
        raise CorruptStoreError(
            f"made anew, it has CRC-32C {found:08x}, expected {crc:08x}: graph, attributes or features changed"
        )
    return data
