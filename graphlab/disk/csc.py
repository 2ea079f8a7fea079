"""The compressed sparse columns of a graph whose edges do not fit in memory.

Edges are read twice. The first time their targets are counted, which gives the pointers. The second time each edge
goes to the bucket of its target in a scratch file; a bucket is a range of targets whose edges fit in memory, and its
place in the file follows from the pointers. Then one bucket after another is sorted in memory and written. Edges reach
a bucket in the user's order and are sorted stably, so the result does not depend on the memory.
"""

import math
import os
import shutil
from itertools import pairwise
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from graphlab.disk.array_file import ArrayFile, ArrayWriter, describe, write_array
from graphlab.disk.edge_source import EdgesGiven, EdgeSource, TextEdges, check_ids, edge_source
from graphlab.disk.errors import DiskError, MemoryBudgetError
from graphlab.disk.files import Writeback, aligned_bytes, allocate, write_fully
from graphlab.disk.space import Space
from graphlab.disk.store_info import ArrayInfo

_SCRATCH = "csc.scratch"
# More at once is no faster.
_MOST_OF_A_BLOCK = 1 << 20
_MOST_OF_A_BUCKET = 1 << 24
# What reads through the bounce buffer and the like take, whatever the size of a block.
_FIXED = 16 << 20
_LEAST = 4 << 20
# Few enough for temporary tensors not to matter.
_PART = 1 << 16


def build_csc(
    edges: EdgesGiven | EdgeSource, num_nodes: int, out: Path, memory: int, disk_budget: int | None = None
) -> dict[str, ArrayInfo]:
    r"""Write a graph as compressed sparse columns: the sources of the edges that enter a node, in the user's order.

    .. math::
        \text{rowptr}_i = |\{e : \text{dst}_e < i\}|, \qquad
        \text{col}_p = \text{src}_{\text{perm}_p}, \qquad \text{perm} = \text{argsort}(\text{dst}), \text{ stable}

    Args:
        edges: The edges, as :func:`~graphlab.disk.edge_source.edge_source` takes them.
        num_nodes: Number of nodes.
        out: The folder for ``rowptr.bin``, ``col.bin`` and ``perm.bin``; what a run that was cut off left there is
            replaced.
        memory: Bytes that may be used beyond what the process holds already.
        disk_budget: Bytes that the folder may take, scratch files included. (default: what the disk has)

    Returns:
        ``"rowptr"`` (int64), ``"col"`` (int32 below 2^31 nodes) and, unless the edges were sorted by target, ``"perm"``
        (int32 below 2^31 edges).

    Raises:
        ValueError: An edge joins no nodes of the graph.
        DiskError: The edges changed while they were read.
        MemoryBudgetError: The pointers do not fit in ``memory``.
        DiskFullError: There is no room for the result and the scratch file.

    Example:
        >>> import tempfile, torch
        >>> graph = build_csc(torch.tensor([[0, 1, 2], [2, 0, 0]]), 3, Path(tempfile.mkdtemp()), memory=64 << 20)
        >>> {name: info.shape for name, info in graph.items()}
        {'rowptr': (4,), 'col': (3,), 'perm': (3,)}
    """
    out = Path(out)
    least = 8 * (num_nodes + 1) + _FIXED + _LEAST
    if memory < least:
        raise MemoryBudgetError(
            f"'memory' got {memory:,} bytes, but the pointers of {num_nodes:,} nodes take {least:,}; allow more memory"
        )
    scratch = out / _SCRATCH
    shutil.rmtree(scratch, ignore_errors=True)
    scratch.mkdir(parents=True)
    try:
        return _Builder(edges, num_nodes, out, scratch, memory - _FIXED, disk_budget).build()
    finally:
        shutil.rmtree(scratch)


class _Builder:
    def __init__(
        self,
        edges: EdgesGiven | EdgeSource,
        num_nodes: int,
        out: Path,
        scratch: Path,
        memory: int,
        disk_budget: int | None,
    ) -> None:
        source = edges if isinstance(edges, EdgeSource) else edge_source("edge_index", edges)
        if isinstance(source, TextEdges):
            source = source.store(
                scratch, "edges.bin", _block_size(memory, source.edge_bytes), Space.of(out, disk_budget)
            )
        self.source, self.num_nodes, self.num_edges = source, num_nodes, source.num_edges or 0
        self.out, self.scratch, self.memory = out, scratch, memory
        self.disk_budget = disk_budget
        self.col, self.perm = _width(num_nodes), _width(self.num_edges)
        # Target, source and number of an edge.
        self.record = torch.int32 if self.col == self.perm == torch.int32 else torch.int64

    def build(self) -> dict[str, ArrayInfo]:
        self._check_room()
        rowptr, ordered = self._count()
        graph = {"rowptr": write_array(self.out, "rowptr.bin", rowptr)}
        if ordered:
            (self.out / "perm.bin").unlink(missing_ok=True)
            del rowptr
            return {**graph, "col": self._copy_sources()}
        # In memory: records, keys, and a column of them before and after the sort.
        bucket = min(self.memory // (6 * self.record.itemsize + 4), _MOST_OF_A_BUCKET)
        bounds = _split(rowptr, bucket)
        starts = rowptr[bounds]
        del rowptr
        records = self._distribute(bounds, starts)
        return {**graph, **self._sort(records, bounds, starts, bucket)}

    def _check_room(self) -> None:
        written = {
            "rowptr.bin": 8 * (self.num_nodes + 1),
            "col.bin": self.num_edges * self.col.itemsize,
            "perm.bin": self.num_edges * self.perm.itemsize,
        }
        there = sum(path.stat().st_size for path in map(self.out.joinpath, written) if path.exists())
        needed = sum(written.values()) + 3 * self.num_edges * self.record.itemsize - there
        space = Space.of(self.out, self.disk_budget)
        space.check(space.held + needed, "give a graph with fewer edges")

    def _count(self) -> tuple[Tensor, bool]:
        """Return the pointers, and whether the edges are sorted by target already."""
        rowptr = _room(torch.int64, self.num_nodes + 1)
        ordered, last = True, 0
        first, size = 0, _block_size(self.memory - rowptr.nbytes, self.source.edge_bytes + 1)
        for block in self.source.blocks(size):
            check_ids("edge_index", block, first, self.num_nodes)
            first += block.shape[1]
            dst = block[1]
            np.add.at(rowptr[1:].numpy(), dst.numpy(), 1)
            ordered = ordered and int(dst[0]) >= last and bool((dst[1:] >= dst[:-1]).all())
            last = int(dst[-1])
        total = 0
        for part in rowptr.split(_PART):
            part.copy_(part.cumsum(0).add_(total))
            total = int(part[-1])
        return rowptr, ordered

    def _copy_sources(self) -> ArrayInfo:
        with ArrayWriter(self.out, "col.bin", self.col, (self.num_edges,)) as writer:
            for block in self.source.blocks(_block_size(self.memory, self.source.edge_bytes + self.col.itemsize)):
                writer.append(block[0].to(self.col))
            return writer.finish()

    def _distribute(self, bounds: Tensor, starts: Tensor) -> ArrayFile:
        """Write the record of each edge into its bucket's part of the scratch file."""
        path = self.scratch / "buckets.bin"
        bucket_of = _room(torch.int32, self.num_nodes).numpy()
        for bucket, (low, high) in enumerate(pairwise(bounds.tolist())):
            bucket_of[low:high] = bucket
        row_bytes = 3 * self.record.itemsize
        # Beside the block: buckets, keys, a column of what is read, records.
        extra = 4 + 16 + row_bytes
        size = min(_block_size(self.memory - bucket_of.nbytes, self.source.edge_bytes + extra), max(self.num_edges, 1))
        room = _room(torch.int64, size), _room(torch.int64, size), _room(self.record, size, 3)
        fd = allocate(path, self.num_edges * row_bytes)
        cursors, first, writeback = starts.tolist(), 0, Writeback(fd)
        ends = cursors[1:]
        try:
            for block in self.source.blocks(size):
                if int(block[1].min()) < 0 or int(block[1].max()) >= self.num_nodes:
                    raise self._changed()
                records, counts = _bucketed(first, block, bucket_of, room)
                done = 0
                for bucket in counts.nonzero()[0].tolist():
                    part = records[done : done + int(counts[bucket])]
                    if cursors[bucket] + len(part) > ends[bucket]:
                        raise self._changed()
                    write_fully(fd, part.numpy().data.cast("B"), cursors[bucket] * row_bytes)
                    cursors[bucket] += len(part)
                    done += len(part)
                first += done
                writeback.wrote(records.nbytes)
        finally:
            os.close(fd)
        return ArrayFile(describe(path, self.record, (self.num_edges, 3)), self.scratch)

    def _changed(self) -> DiskError:
        return DiskError("the edges were others when they were read again; leave them alone while a store is made")

    def _sort(self, records: ArrayFile, bounds: Tensor, starts: Tensor, most: int) -> dict[str, ArrayInfo]:
        """Sort one bucket after another and write the columns of the result."""
        longest = min(int(starts.diff().max()), most)
        rows, keys = _room(self.record, longest, 3), _room(torch.int64, longest)
        before, after = _room(self.record, longest), _room(self.record, longest)
        with (
            records,
            ArrayWriter(self.out, "col.bin", self.col, (self.num_edges,)) as col,
            ArrayWriter(self.out, "perm.bin", self.perm, (self.num_edges,)) as perm,
        ):
            for (low, high), (start, stop) in zip(pairwise(bounds.tolist()), pairwise(starts.tolist()), strict=True):
                # The edges of one target are in order, and may be too many for the memory.
                for begin in range(start, stop, most):
                    count = min(most, stop - begin)
                    piece = records.read(begin, begin + count, out=rows[:count])
                    order = _order(piece[:, 0], low, keys[:count]) if high - low > 1 else None
                    for writer, column in ((col, piece[:, 1]), (perm, piece[:, 2])):
                        column = before[:count].copy_(column)
                        if order is not None:
                            np.take(column.numpy(), order, out=after[:count].numpy(), mode="clip")
                            column = after[:count]
                        writer.append(column.to(writer.dtype))
            return {"col": col.finish(), "perm": perm.finish()}


def _width(count: int) -> torch.dtype:
    return torch.int32 if count < 1 << 31 else torch.int64


def _block_size(memory: int, edge_bytes: int) -> int:
    return max(1, min(memory // edge_bytes, _MOST_OF_A_BLOCK))


def _split(rowptr: Tensor, most: int) -> Tensor:
    """Split the targets into ranges of at most ``most`` edges, or of one target."""
    num_nodes = rowptr.numel() - 1
    bounds = [0]
    while (low := bounds[-1]) < num_nodes:
        high = int(torch.searchsorted(rowptr, rowptr[low] + most, right=True)) - 1
        # Keys of the sort keep 31 bits for the target.
        bounds.append(min(max(high, low + 1), low + (1 << 31) - 1))
    return torch.tensor(bounds)


def _bucketed(
    first: int, block: Tensor, bucket_of: np.ndarray, room: tuple[Tensor, Tensor, Tensor]
) -> tuple[Tensor, np.ndarray]:
    """Return the records of a block ordered by bucket, and how many go to each."""
    src, dst = block.numpy()
    keys, column, records = (each[: len(dst)] for each in room)
    bucket = bucket_of.take(dst)
    counts = np.zeros(int(bucket_of[-1]) + 1, np.int64)
    np.add.at(counts, bucket, 1)
    order = _order(torch.from_numpy(bucket), 0, keys)
    for i, ids in enumerate((dst, src)):
        records[:, i] = torch.from_numpy(ids.take(order, out=column.numpy(), mode="clip"))
    records[:, 2] = torch.from_numpy(order).add_(first)
    return records, counts


def _order(values: Tensor, low: int, keys: Tensor) -> np.ndarray:
    """Return the stable order of values from ``low`` on; ``keys`` is room for it, and sorted in place."""
    keys.copy_(values).sub_(low).bitwise_left_shift_(32)
    # With its place in it no key comes twice, so the sort need not be stable.
    for start, part in zip(range(0, len(keys), _PART), keys.split(_PART), strict=False):
        part += torch.arange(start, start + len(part))
    keys.numpy().sort()
    return keys.bitwise_and_((1 << 32) - 1).numpy()


def _room(dtype: torch.dtype, *shape: int) -> Tensor:
    """Make room full of zeros that is given back to the system at once when it is dropped."""
    size = math.prod(shape) * dtype.itemsize
    return aligned_bytes(size)[:size].view(dtype).view(shape)
