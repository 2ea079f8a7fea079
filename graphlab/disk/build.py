"""The stages in which a store is made, each of units that are noted in the journal when they are done."""

import itertools
import os
import shutil
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from graphlab.disk import memory
from graphlab.disk.array_file import UNKNOWN_CRC, ArrayFile, describe, with_checksum
from graphlab.disk.errors import CorruptStoreError, DiskError, DiskFullError
from graphlab.disk.files import allocate, forget, read_fully, sync_directory, write_fully
from graphlab.disk.journal import NAME as JOURNAL
from graphlab.disk.journal import Journal
from graphlab.disk.lookup import Lookup
from graphlab.disk.manifest import save_manifest
from graphlab.disk.pack import Pack, PackState, pack_rows, partition_rows
from graphlab.disk.planner import Plan, Volume, default_cache_bytes, hot_nodes, make_plan
from graphlab.disk.probe import probe
from graphlab.disk.record import Counts, Field, RecordLayout
from graphlab.disk.samples import Samples
from graphlab.disk.sampling import Batches, MemorySampler, RecordWriter, Sampler
from graphlab.disk.shard import Entry, ShardPlan, plan_shards, seal_shard
from graphlab.disk.store_info import ArrayInfo, FileInfo, Sampling, StoreInfo
from graphlab.disk.streaming import StreamingSampler
from graphlab.ops import crc32c

SCRATCH = "scratch"
# Bytes of samples that make up a unit of work, about.
_UNIT_BYTES = 256 << 20
# Batches that are offered to a sampler at once.
_GROUP = 4096
# Most shards of a store: all of them are open while it is made.
_MOST_SHARDS = 512


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
        planned_epochs: Epochs of training that the store is made for.
        shard_bytes: A shard is closed once it is longer than this.
    """

    sampling: Sampling
    dtype: torch.dtype | None
    mode: str
    cache_bytes: int | None
    planned_epochs: int
    shard_bytes: int


@dataclass(frozen=True)
class Parts:
    """The graph as it lies in the store.

    Args:
        num_nodes: Number of nodes.
        num_edges: Number of edges.
        features: The features of all nodes.
        graph: Its compressed sparse columns.
        node_attributes: Further arrays with a row per node.
        edge_attributes: Arrays with a row per edge, in the user's order.
        others: Further arrays that belong to the store.
    """

    num_nodes: int
    num_edges: int
    features: ArrayInfo
    graph: dict[str, ArrayInfo]
    node_attributes: dict[str, ArrayInfo]
    edge_attributes: dict[str, ArrayInfo]
    others: dict[str, ArrayInfo]


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
        self.samples = Samples(self.scratch, journal)
        self.batches = Batches(request.sampling, input_nodes)
        self.own = self.batches.own()
        self.features = ArrayFile(parts.features, path)
        self.dtype = request.dtype or self.features.dtype
        self.row_bytes = self.features.row_bytes // self.features.dtype.itemsize * self.dtype.itemsize
        attributes = [
            Field(name, per, info.dtype, info.shape[1:])
            for per, infos in (("node", parts.node_attributes), ("edge", parts.edge_attributes))
            for name, info in infos.items()
        ]
        self.layout = RecordLayout.of(parts.num_nodes, parts.num_edges, e_id=True, attributes=tuple(attributes))
        self.id_dtype = {f.name: f for f in self.layout.fields}["n_id"].torch_dtype

    def run(self, plan: Plan | None) -> StoreInfo:
        """Do what is not done yet.

        Args:
            plan: The plan that was made before the work was cut off, if it got so far.
        """
        self._sample()
        hot = self._hot()
        counts = self._cold(hot)
        if plan is None:
            plan = self._plan(len(hot), counts)
            save_manifest(self.path, {"arguments": self.arguments, "plan": plan.to_json()}, sealed=False)
        self.say(str(plan))
        sizes = [
            (*self.batches.number(i), self.samples.size(i), cold * self.row_bytes if plan.mode == "packed" else 0)
            for i, cold in zip(self.own, counts, strict=True)
        ]
        shards = plan_shards(sizes, self.request.shard_bytes)
        if len(shards) > _MOST_SHARDS:
            raise ValueError(
                f"'shard_bytes' is {self.request.shard_bytes:,}, which makes {len(shards):,} shards of "
                f"{sum(s.size for s in shards):,} bytes; expected at most {_MOST_SHARDS} shards, give more"
            )
        with ExitStack() as stack:
            fds = [self._allocate(stack, shard.name, shard.size) for shard in shards]
            hot_fd = self._allocate(stack, "hot.bin", len(hot) * self.row_bytes) if len(hot) else -1
            sync_directory(self.path)
            places = [(fd, entry) for fd, shard in zip(fds, shards, strict=True) for entry in shard.entries]
            record_crcs = self._write_records(hot, counts, places)
            state = self._pack(hot, counts, places, hot_fd, plan.mode)
            infos = self._seal(shards, fds, record_crcs, state, plan.mode)
        return self._finish(plan, len(hot), infos, state)

    def _sample(self) -> None:
        """Sample all batches that are not sampled yet."""
        total = len(self.batches)
        if len(self.samples) == total:
            return
        sampler, writer = self._sampler()
        while (start := len(self.samples)) < total:
            numbers = range(start, min(start + _GROUP, total))
            room = memory.room(self.limits.memory) // 2
            sampled = sampler.sample([self.batches.seeds(i) for i in numbers], [self.batches.key(i) for i in numbers], room)
            self.samples.append(writer.write(start, sampled))
            del sampled
            memory.give_back()
            if not start:
                self._check_estimate()
            self.say(f"sampled {len(self.samples):,} of {total:,} batches")

    def _sampler(self) -> tuple[Sampler, RecordWriter]:
        """Load what of the graph fits in half of the room; the rest is streamed."""
        parts, left = self.parts, memory.room(self.limits.memory, least=8 * (self.parts.num_nodes + 1) + (16 << 20)) // 2
        narrow = max(parts.num_nodes, parts.num_edges) < 2**31
        dtype = torch.int32 if narrow else torch.int64
        rowptr = self._array(parts.graph["rowptr"])
        pointers = rowptr.read(0, len(rowptr)).to(dtype)
        left -= pointers.nbytes

        def table(info: ArrayInfo) -> Lookup:
            nonlocal left
            array = self._array(info)
            load = array.num_bytes <= left
            left -= array.num_bytes * load
            return Lookup(array, load=load)

        col = table(parts.graph["col"])
        if col.table is not None and col.table.dtype != dtype:
            # Of another width than the pointers, it takes room twice for a moment.
            left -= len(col.array) * dtype.itemsize
            col = Lookup(col.array, load=left > 0)
        perm = table(parts.graph["perm"]) if "perm" in parts.graph else None
        attributes = {n: table(i) for n, i in {**parts.node_attributes, **parts.edge_attributes}.items()}
        writer = RecordWriter(self.batches, self.layout, perm, attributes)
        sampling, cost, workers = self.request.sampling, writer.cost(), self.limits.workers
        if col.table is not None:
            return MemorySampler(pointers, col.table.to(dtype), sampling, cost, workers), writer
        self.say("the edges do not fit in memory: batches take each hop together, in one pass over the edges")
        return StreamingSampler(pointers, col, sampling, cost, workers), writer

    def _array(self, info: ArrayInfo) -> ArrayFile:
        return ArrayFile(info, self.path)

    def _hot(self) -> Tensor:
        """Return the nodes of the hot set, ascending."""
        file = self.scratch / "hot-ids.bin"
        if (unit := self.journal.last("hot")) is not None:
            ids = torch.frombuffer(bytearray(file.read_bytes()), dtype=torch.int64) if unit["rows"] else torch.empty(0)
            ids = ids.to(torch.int64)
            if crc32c(ids) != unit["crc"]:
                raise CorruptStoreError(f"{file} is damaged; delete the directory and prepare the store anew")
            return ids
        cache = self.request.cache_bytes
        if cache is None:
            cache = default_cache_bytes(len(self.features) * self.row_bytes, self.limits.memory)
        rows, ids = cache // self.row_bytes, torch.empty(0, dtype=torch.int64)
        if rows:
            memory.room(self.limits.memory, least=16 * self.parts.num_nodes)
            counts = torch.zeros(self.parts.num_nodes, dtype=torch.int32)
            one = torch.ones(1, dtype=torch.int32)
            writer = RecordWriter(self.batches, self.layout, None, {})
            for i, data in enumerate(self.samples.read(0, len(self.samples))):
                nodes = writer.nodes(i, data)
                counts.index_add_(0, nodes, one.expand(len(nodes)))
            ids = hot_nodes(counts, rows)
        with file.open("wb") as out:
            out.write(ids.numpy().data)
            out.flush()
            os.fsync(out.fileno())
        sync_directory(self.scratch)
        self.journal.append("hot", rows=len(ids), crc=crc32c(ids))
        return ids
