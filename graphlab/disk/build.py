"""The stages in which a store is made, each of units that are noted in the journal when they are done.

Sampling leaves a record for each batch in a scratch file. Once all batches are sampled, the most frequent nodes become
the hot set, the others the cold ids of their batches, and with them the length of everything is known: the plan is made
and all files are reserved. Then records and packs are written to their places.
"""

import itertools
import os
import resource
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from graphlab.disk import memory
from graphlab.disk.array_file import UNKNOWN_CRC, ArrayFile, with_checksum
from graphlab.disk.cold_ids import ColdIds
from graphlab.disk.errors import CorruptStoreError, DiskError
from graphlab.disk.files import BLOCK, allocate, forget, sync_directory, write_fully
from graphlab.disk.hot_set import HotSet, hot_nodes
from graphlab.disk.journal import Journal
from graphlab.disk.lookup import Lookup, read_checked
from graphlab.disk.manifest import save_manifest
from graphlab.disk.noted_file import load_noted, save_noted
from graphlab.disk.pack import Pack, PackState, fitting_threads, pack_rows, partition_rows
from graphlab.disk.parts import Parts, check_unchanged
from graphlab.disk.planner import Plan, Volume, default_cache_bytes, make_plan
from graphlab.disk.probe import probe
from graphlab.disk.record import Field, RecordLayout
from graphlab.disk.samples import Samples
from graphlab.disk.sampling import Batches, MemorySampler, RecordWriter, Sampler
from graphlab.disk.shard import Entry, ShardPlan, plan_shards, seal_shard
from graphlab.disk.space import Space
from graphlab.disk.store_info import ArrayInfo, FileInfo, Sampling, StoreInfo
from graphlab.disk.streaming import StreamingSampler
from graphlab.ops import crc32c
from graphlab.ops.worker_pool import worker_pool

#: The folder of what is not needed any more once the store is sealed.
SCRATCH = "scratch"
_HOT = "hot.bin"
# Bytes of samples that make up a unit of work, about.
_UNIT_BYTES = 256 << 20
# Most shards of a store: all of them are open while it is made.
_MOST_SHARDS = 512
# Copies of a record that are held while it is worked on.
_COPIES = 4
# Files that are open beside the shards, and some more.
_OTHER_FILES = 64


@dataclass(frozen=True)
class Limits:
    """What making a store may take; the result does not depend on it.

    Args:
        memory: Bytes of memory that the process may hold in all.
        disk: Bytes that the store may take while it is made; ``None`` for what there is.
        workers: Number of threads.
    """

    memory: int
    disk: int | None
    workers: int


@dataclass(frozen=True)
class Request:
    """What is to be made of a graph.

    Args:
        sampling: How batches are sampled.
        dtype: The dtype of the features in batches; ``None`` for their own.
        mode: ``"auto"``, ``"packed"`` or ``"online"``.
        cache_bytes: Bytes of the hot set; ``None`` for a tenth of the features, or less where memory is short.
        memory: Bytes of memory that training may hold; a part of it is for the hot set.
        planned_epochs: Epochs of training that the store is made for.
        shard_bytes: A shard is closed once it is longer than this.
    """

    sampling: Sampling
    dtype: torch.dtype | None
    mode: str
    cache_bytes: int | None
    memory: int
    planned_epochs: int
    shard_bytes: int


class Build:
    """Makes the batches of a store whose graph lies in place, or goes on where that was cut off.

    Args:
        path: The store.
        journal: What is done already.
        parts: The graph.
        request: What is to be made.
        input_nodes: The seeds; ``None`` for all nodes.
        limits: What it may take.
        arguments: What the manifest says of the arguments.
        say: Called with a line of text where there is something to tell.
    """

    def __init__(
        self,
        path: Path,
        journal: Journal,
        parts: Parts,
        request: Request,
        input_nodes: Tensor | None,
        limits: Limits,
        arguments: dict[str, Any],
        say: Callable[[str], None],
    ) -> None:
        self.path, self.journal, self.parts, self.request, self.limits = path, journal, parts, request, limits
        self.arguments, self.say = arguments, say
        self.scratch = path / SCRATCH
        self.scratch.mkdir(exist_ok=True)
        sync_directory(path)
        self.batches = Batches(request.sampling, input_nodes)
        self.own = self.batches.own()
        self.features = ArrayFile(parts.features, path)
        self.dtype = request.dtype or self.features.dtype
        self.row_bytes = self.features.row_bytes // self.features.dtype.itemsize * self.dtype.itemsize
        self.layout = RecordLayout.of(
            parts.num_nodes,
            parts.num_edges,
            e_id=True,
            attributes=tuple(
                Field(name, per, info.dtype, tuple(info.shape[1:]))
                for per, infos in (("node", parts.node_attributes), ("edge", parts.edge_attributes))
                for name, info in infos.items()
            ),
        )
        self.id_dtype = next(f for f in self.layout.fields if f.name == "n_id").torch_dtype
        self.samples = Samples(self.scratch, journal)
        self.cold_ids = ColdIds(self.scratch, journal, self.id_dtype)

    def run(self, plan: Plan | None) -> StoreInfo:
        """Do what is not done yet.

        Args:
            plan: The plan that was made before the work was cut off, if it got so far.
        """
        self._sample()
        hot = self._hot_set()
        self._find_cold(hot)
        if plan is None:
            plan = self._plan(hot)
            save_manifest(self.path, {"arguments": self.arguments, "plan": plan.to_json()}, sealed=False)
        self.say(str(plan))
        shards = self._shards(plan)
        with ExitStack() as stack:
            stack.enter_context(_open_files(len(shards)))
            fds = [self._allocate(stack, shard.name, shard.size) for shard in shards]
            hot_fd = self._allocate(stack, _HOT, len(hot) * self.row_bytes)
            sync_directory(self.path)
            entries = [(fd, entry) for fd, shard in zip(fds, shards, strict=True) for entry in shard.entries]
            crcs = self._write_records(hot, entries)
            state = self._pack(hot, hot_fd, entries if plan.mode == "packed" else [])
            files = self._seal(shards, fds, crcs, state.crc[1:].tolist())
        return self._finish(plan, len(hot), files, state)

    # Sampling

    def _sample(self) -> None:
        total = len(self.batches)
        if len(self.samples) == total:
            return
        sampler, writer = self._sampler()
        while (start := len(self.samples)) < total:
            sampled = sampler.sample(self.batches, start, memory.room(self.limits.memory) * 3 // 4)
            self.samples.append(writer.write(start, sampled), [len(s.node) for s in sampled])
            del sampled
            memory.give_back()
            if not start:
                self._check_estimate()
            self.say(f"sampled {len(self.samples):,} of {total:,} batches")

    def _sampler(self) -> tuple[Sampler, RecordWriter]:
        """Load what of the graph fits in half of the room; the rest is streamed."""
        parts, workers, sampling = self.parts, self.limits.workers, self.request.sampling
        dtype = torch.int32 if max(parts.num_nodes, parts.num_edges) < 2**31 else torch.int64
        pointers = 12 * (parts.num_nodes + 1)
        left = memory.room(self.limits.memory, least=pointers + (32 << 20)) // 2 - pointers
        rowptr = read_checked(ArrayFile(parts.graph["rowptr"], self.path)).to(dtype)

        def table(info: ArrayInfo, copies: int = 1) -> Lookup:
            nonlocal left
            array = ArrayFile(info, self.path)
            load = copies * array.num_bytes <= left
            left -= copies * array.num_bytes * load
            return Lookup(array, load=load)

        # Edges of another width than the pointers are converted.
        col = table(parts.graph["col"], 1 if parts.graph["col"].dtype == str(dtype).removeprefix("torch.") else 3)
        perm = table(parts.graph["perm"]) if "perm" in parts.graph else None
        attributes = {n: table(i) for n, i in {**parts.node_attributes, **parts.edge_attributes}.items()}
        writer = RecordWriter(self.batches, self.layout, perm, attributes)
        cost = writer.cost(dtype)
        if col.table is not None:
            return MemorySampler(rowptr, col.table.to(dtype), sampling, cost), writer
        self.say("the edges do not fit in memory: batches take each hop together, in one pass over the edges")
        return StreamingSampler(rowptr, col, sampling, cost, workers), writer

    def _check_estimate(self) -> None:
        """Refuse early, from the size of the first batches, what can not fit."""
        sizes = [self.samples.size(i) for i in range(len(self.samples)) if self.batches.is_own(i)]
        # Every record is written twice: as a sample, then to its shard.
        more = sum(sizes) * (2 * len(self.own) - len(sizes)) // max(len(sizes), 1)
        space = Space.of(self.path, self.limits.disk)
        space.check(space.held + more, "lower 'epochs' or 'num_neighbors'")

    # Hot and cold

    def _hot_set(self) -> HotSet:
        hot = HotSet.load(self.scratch, self.journal, self.id_dtype)
        if hot is None:
            hot = HotSet(self._choose_hot().to(self.id_dtype))
            hot.save(self.scratch, self.journal)
        return hot

    def _choose_hot(self) -> Tensor:
        cache = self.request.cache_bytes
        if cache is None:
            cache = default_cache_bytes(len(self.features) * self.row_bytes, self.request.memory)
        rows = cache // self.row_bytes
        if not rows:
            return torch.empty(0, dtype=torch.int64)
        memory.give_back()
        memory.room(self.limits.memory, least=8 * self.parts.num_nodes + 16 * min(rows, self.parts.num_nodes))
        counts, one = torch.zeros(self.parts.num_nodes, dtype=torch.int32), torch.ones(1, dtype=torch.int32)
        writer = RecordWriter(self.batches, self.layout, None, {})
        for i, data in enumerate(self.samples.read(range(len(self.samples)))):
            nodes = writer.nodes(i, data)
            counts.index_add_(0, nodes, one.expand(len(nodes)))
        return hot_nodes(counts, rows)

    def _find_cold(self, hot: HotSet) -> None:
        def cold(_: int, data: Tensor) -> Tensor:
            return hot.cold(self.layout.decode(data)[1]["n_id"])

        while (start := len(self.cold_ids.counts)) < len(self.own):
            unit = self._unit(start)
            self.cold_ids.append(self._each(cold, unit))
            memory.give_back()

    def _unit(self, start: int) -> list[int]:
        """Return the batches of this rank that follow, as many as make up a unit of work."""
        unit, size = [], 0
        for i in itertools.islice(self.own, start, None):
            unit.append(i)
            size += self.samples.size(i)
            if size >= _UNIT_BYTES:
                break
        return unit

    def _each(self, work: Callable[[int, Tensor], Any], unit: list[int]) -> Iterator[Any]:
        """Work on the samples of batches in threads, as many at a time as fit; results come in order."""
        record = _COPIES * max(self.samples.size(i) for i in unit)
        threads = min(memory.room(self.limits.memory, least=record) // record, self.limits.workers)
        items = zip(unit, self.samples.read(unit), strict=True)
        with worker_pool(threads) as pool:
            while part := list(itertools.islice(items, threads)):
                yield from pool.map(lambda item: work(*item), part)

    # The plan

    def _plan(self, hot: HotSet) -> Plan:
        cold_rows, space = sum(self.cold_ids.counts), Space.of(self.path, self.limits.disk)
        volume = Volume(
            epochs=self.request.sampling.epochs,
            batches=len(self.own),
            record_bytes=sum(self.samples.size(i) for i in self.own),
            pack_bytes=cold_rows * self.row_bytes,
            cold_rows=cold_rows,
            all_rows=sum(self.samples.nodes(i) for i in self.own),
            hot_rows=len(hot),
            hot_bytes=len(hot) * self.row_bytes,
            feature_bytes=self.features.num_bytes,
            other_bytes=space.held,
        )
        speed = probe(self.features) if self.request.mode == "auto" and cold_rows else None
        plan = make_plan(
            volume,
            self.request.mode,
            planned_epochs=self.request.planned_epochs,
            speed=speed,
            space=space,
        )
        shards = self._shards(plan)
        if len(shards) <= _MOST_SHARDS:
            return plan
        # All of them but the last are as long as this at least, the header included.
        held = sum(entry.extent for shard in shards for entry in shard.entries)
        return replace(plan, shard_bytes=BLOCK + -(-held // (_MOST_SHARDS - 1)))

    def _shards(self, plan: Plan) -> list[ShardPlan]:
        row_bytes = self.row_bytes if plan.mode == "packed" else 0
        sizes = [
            (*self.batches.number(i), self.samples.size(i), cold * row_bytes)
            for i, cold in zip(self.own, self.cold_ids.counts, strict=True)
        ]
        return plan_shards(sizes, plan.shard_bytes or self.request.shard_bytes)

    def _allocate(self, stack: ExitStack, name: str, size: int) -> int:
        path = self.path / name
        # What is in it by now would be missing from a new file.
        begun = self.journal.units("records") or self.journal.last("pack")
        if begun and (path.stat().st_size if path.exists() else 0) != size:
            raise CorruptStoreError(
                f"{path} is gone or cut short since the work on it was cut off; delete {self.path} and prepare anew"
            )
        fd = allocate(path, size)
        stack.callback(os.close, fd)
        return fd

    # Records and packs

    def _write_records(self, hot: HotSet, entries: list[tuple[int, Entry]]) -> list[int]:
        """Write the records of all batches to their places; return their checksums."""
        crcs = [crc for unit in self.journal.units("records") for crc in unit["crcs"]]
        if len(crcs) == len(entries):
            return crcs
        self.cold_ids.open(load=False)

        place = {batch: number for number, batch in enumerate(self.own)}

        def write(batch: int, data: Tensor) -> int:
            number = place[batch]
            fd, entry = entries[number]
            counts, arrays = self.layout.decode(data)
            cold = self.cold_ids.read(number, 0, self.cold_ids.counts[number])
            arrays["place"] = hot.place(arrays["n_id"], cold)
            record = self.layout.encode(replace(counts, cold=len(cold)), arrays)
            write_fully(fd, record.numpy().data, entry.offset)
            return crc32c(record)

        while (start := len(crcs)) < len(entries):
            unit = self._unit(start)
            done = list(self._each(write, unit))
            memory.give_back()
            for fd in {entries[start + i][0] for i in range(len(unit))}:
                os.fdatasync(fd)
                forget(fd)
            self.journal.append("records", crcs=done)
            crcs += done
            self.say(f"wrote {len(crcs):,} of {len(entries):,} records")
        return crcs

    def _pack(self, hot: HotSet, hot_fd: int, entries: list[tuple[int, Entry]]) -> PackState:
        """Scan the features: hot rows go to their file, cold ones to the packs."""
        packs = [Pack(hot_fd, 0, len(hot))]
        packs += [Pack(fd, e.pack_offset, n) for (fd, e), n in zip(entries, self.cold_ids.counts, strict=False)]
        saved = load_noted(self.scratch, self.journal, "pack")
        state = PackState.from_bytes(saved) if saved else PackState.start(len(packs))
        if state.row == len(self.features):
            return state
        memory.give_back()
        self.cold_ids.open(load=self.cold_ids.num_bytes < memory.room(self.limits.memory) // 8)

        def ids(pack: int, start: int, stop: int) -> Tensor:
            return self.cold_ids.read(pack - 1, start, stop) if pack else hot.ids[start:stop]

        def done(state: PackState) -> None:
            save_noted(self.scratch, self.journal, "pack", state.to_bytes())
            self.say(f"packed {state.row:,} of {len(self.features):,} rows")

        room = memory.room(self.limits.memory)
        threads = fitting_threads(room, self.features, self.dtype, self.limits.workers)
        rows = partition_rows(room, self.features, self.dtype, threads)
        return pack_rows(
            self.features,
            packs,
            ids,
            partition_rows=rows,
            dtype=self.dtype,
            state=state,
            threads=threads,
            done=done,
        )

    # The end

    def _seal(self, shards: list[ShardPlan], fds: list[int], records: list[int], packs: list[int]) -> list[FileInfo]:
        files, record_crcs, pack_crcs = [], iter(records), iter(packs)
        for fd, shard in zip(fds, shards, strict=True):
            entries = []
            for entry in shard.entries:
                zeros = entry.extent - (entry.pack_offset - entry.offset) - entry.pack_bytes
                pack_crc = crc32c(torch.zeros(zeros, dtype=torch.uint8), next(pack_crcs, 0))
                entries.append(replace(entry, record_crc=next(record_crcs), pack_crc=pack_crc))
            index_crc = seal_shard(fd, shard.number, entries)
            os.fsync(fd)
            forget(fd)
            files.append(FileInfo(shard.name, shard.size, index_crc))
        return files

    def _finish(self, plan: Plan, hot_rows: int, shards: list[FileInfo], state: PackState) -> StoreInfo:
        parts, features = self.parts, self.parts.features
        check_unchanged(self.path, [features, *parts.attributes.values(), *parts.graph.values()])
        if features.crc32c not in (UNKNOWN_CRC, state.source_crc):
            raise CorruptStoreError(
                f"{self.features.path} is damaged: its rows have CRC-32C {state.source_crc:08x}, "
                f"{features.crc32c:08x} were written; delete {self.path} and prepare anew"
            )
        features = replace(features, crc32c=state.source_crc)
        hot = FileInfo(_HOT, hot_rows * self.row_bytes, int(state.crc[0])) if hot_rows else None
        if hot is None:
            (self.path / _HOT).unlink(missing_ok=True)
        info = StoreInfo(
            num_nodes=parts.num_nodes,
            num_edges=parts.num_edges,
            sampling=self.request.sampling,
            mode=plan.mode,
            dtype=str(self.dtype).removeprefix("torch."),
            row_shape=self.features.row_shape,
            hot_rows=hot_rows,
            hot=hot,
            layout=self.layout,
            shards=tuple(shards),
            features=features,
            graph=parts.graph,
            attributes={name: with_checksum(info, self.path) for name, info in parts.attributes.items()},
            arguments=self.arguments,
            plan=plan.to_json(),
        )
        save_manifest(self.path, info.to_json(), sealed=True)
        return info


@contextmanager
def _open_files(number: int) -> Iterator[None]:
    """Let the process have so many more files open, as far as it may decide that itself."""
    limits = soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    needed = len(list(Path("/proc/self/fd").iterdir())) + number + _OTHER_FILES
    if soft != resource.RLIM_INFINITY and needed > soft:
        if hard != resource.RLIM_INFINITY and needed > hard:
            raise DiskError(
                f"{number} shards need {needed} open files, {hard} are allowed; raise that with 'ulimit -n'"
            )
        resource.setrlimit(resource.RLIMIT_NOFILE, (needed, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, limits)
