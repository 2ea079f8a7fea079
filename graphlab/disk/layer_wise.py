"""Exact embeddings of all nodes of a graph that does not fit in memory, layer by layer."""

import os
import tempfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import accumulate, pairwise
from pathlib import Path

import torch
from torch import Tensor

from graphlab.disk.array_file import ArrayFile, ArrayWriter, describe
from graphlab.disk.errors import MemoryBudgetError
from graphlab.disk.files import align, allocate, check_room, forget, write_fully
from graphlab.disk.memory import available_cores, default_budget, give_back, room
from graphlab.disk.pack import Pack, pack_rows, partition_rows
from graphlab.disk.store import Store
from graphlab.disk.store_info import ArrayInfo
from graphlab.ops import clear_cache

# A chunk's rows are read, transformed and written: that many copies of them are alive at once, in a layer, too.
_COPIES = 4
# Of each edge: both its ends, as places, several times over: while they are found, and while a fused layer sorts and
# remembers them. Of each node: its pointers. Where rows are narrow, that is most of what a chunk takes.
_EDGE_BYTES = 96
_NODE_BYTES = 64


@dataclass(frozen=True)
class Rows:
    """A step that looks at each node alone.

    Args:
        function: Maps the rows of some nodes to their new rows.
    """

    function: Callable[[Tensor], Tensor]


@dataclass(frozen=True)
class Neighbors:
    """A step that looks at each node and all its neighbours.

    Args:
        function: A layer over a bipartite graph, ``function((x_source, x_target), edge_index)``; gives rows of targets.
    """

    function: Callable[[tuple[Tensor, Tensor], Tensor], Tensor]


Stage = Rows | Neighbors


@torch.no_grad()
def layer_wise(
    store: Store | Path | str,
    stages: Sequence[Stage],
    out: Path | str,
    *,
    memory_budget: int | None = None,
    scratch_bytes: int | None = None,
) -> ArrayFile:
    r"""Compute what a network gives for every node, with all neighbours of each.

    .. math::
        h^{(0)} = x, \quad h^{(k)}_i = f_k(h^{(k-1)}_i, \{h^{(k-1)}_j : j \in N(i)\})

    One layer is computed for all nodes before the next is begun, so that no node is computed twice. The nodes are cut
    into chunks; the rows that a chunk needs from the layer before are packed beside each other in one sequential pass
    over that layer, and then read in one piece. A chunk leaves room for a message per edge and for rows as wide as the
    wider of what goes into a layer and what comes out; wider ones in between are the layer's own.

    Args:
        store: The store, or its path.
        stages: The steps of the network, in order, in evaluation mode.
        out: A directory for the result and, meanwhile, for what lies between.
        memory_budget: Bytes that the process may hold in all; half of what is free by default.
        scratch_bytes: Bytes of packed rows on disk at a time; all by default. Fewer mean more passes.

    Returns:
        The rows of the last stage, in ``out/rows.bin``; what was there is replaced.

    Shapes:
        - **output:** ``(num_nodes, ...)``

    Raises:
        MemoryBudgetError: One node with its neighbours does not fit in memory.
        DiskFullError: There is no room for the rows of a layer.
        CorruptStoreError: Features or edges are not those of the store.
        ValueError: A stage does not give one row per node.

    Example:
        >>> import tempfile, torch
        >>> from pathlib import Path
        >>> from torch_geometric.data import Data
        >>> from graphlab.disk import Neighbors, Rows, layer_wise, prepare
        >>> from graphlab.nn import SAGEConv
        >>> data = Data(x=torch.randn(50, 8), edge_index=torch.randint(50, (2, 200)))
        >>> stages = [Neighbors(SAGEConv(8, 16)), Rows(torch.relu), Neighbors(SAGEConv(16, 3))]
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     store, out = Path(folder) / "store", Path(folder) / "embeddings"
        ...     _ = prepare(data, store, num_neighbors=[5, 5], batch_size=16, mode="packed")
        ...     layer_wise(store, stages, out).read(0, 50).shape
        torch.Size([50, 3])
    """
    store = store if isinstance(store, Store) else Store(store)
    if not stages:
        raise ValueError("'stages' got none, expected one at least")
    out = _own_directory(Path(out).absolute(), store)
    store.features.check()
    store.rowptr.check_content()
    store.col.check_content()
    budget = default_budget() if memory_budget is None else memory_budget
    graph, rows = _Graph(store), store.features
    with tempfile.TemporaryDirectory(dir=out, prefix="layers-") as folder:
        for number, stage in enumerate(stages):
            give_back()
            layer = _Layer(graph, rows, Path(folder) / f"rows-{number}.bin", budget, scratch_bytes)
            fresh = layer.run(stage if number else _converted(stage, store.info.torch_dtype))
            if number:
                rows.close()
                rows.path.unlink()
            rows = fresh
        rows.close()
        rows.path.replace(out / "rows.bin")
    return ArrayFile(describe(out / "rows.bin", rows.dtype, rows.info.shape), out)


def _own_directory(out: Path, store: Store) -> Path:
    """Make the directory of the result, where nothing of the store can be overwritten."""
    if out.resolve() == store.path.resolve() or (out / "rows.bin").resolve() == store.features.path.resolve():
        raise ValueError(f"'out' got {out}, which holds files of the store; expected a folder of its own")
    out.mkdir(parents=True, exist_ok=True)
    return out


def _converted(stage: Stage, dtype: torch.dtype) -> Stage:
    """Give a stage the features as batches have them."""
    function: Callable[..., Tensor] = stage.function
    if isinstance(stage, Rows):
        return Rows(lambda x: function(x.to(dtype)))
    return Neighbors(lambda x, edge_index: function((x[0].to(dtype), x[1].to(dtype)), edge_index))


class _Graph:
    """The graph of a store, read where it is wanted: of a graph with many nodes not even the pointers need fit."""

    def __init__(self, store: Store) -> None:
        self.rowptr, self.col = store.rowptr, store.col
        self.num_nodes = store.info.num_nodes

    def chunks(self, row_bytes: int, room_bytes: int) -> list[tuple[int, int]]:
        """Cut the nodes so that the rows of a chunk and of its neighbours fit.

        Args:
            row_bytes: Bytes of a node's row.
            room_bytes: Bytes that a chunk may take.
        """
        cuts, start = [], 0
        while start < self.num_nodes:
            count = self._fitting(start, row_bytes, room_bytes)
            cuts.append((start, start + count))
            start += count
        return cuts or [(0, 0)]

    def _fitting(self, start: int, row_bytes: int, room_bytes: int) -> int:
        # No more nodes fit than rows of their own; looking further would cost the square of the nodes.
        stop = min(self.num_nodes, start + 1 + room_bytes // max(row_bytes * _COPIES, 1))
        pointers = self.rowptr.read(start, stop + 1)
        edges = pointers[1:] - pointers[0]
        nodes = torch.arange(1, edges.numel() + 1)
        rows = edges.clamp(max=self.num_nodes) + edges + _COPIES * nodes
        cost = rows * row_bytes + edges * _EDGE_BYTES + nodes * _NODE_BYTES
        count = int(torch.searchsorted(cost, room_bytes, right=True))
        if count == 0:
            raise MemoryBudgetError(
                f"node {start} with its {int(edges[0]):,} neighbours takes {int(cost[0]):,} bytes, "
                f"{room_bytes:,} are left; raise 'memory_budget' by {int(cost[0]) - room_bytes:,} bytes"
            )
        return count

    def sources(self, start: int, stop: int) -> Tensor:
        """Return the sources of all edges into some nodes.

        Args:
            start: The first node.
            stop: One after the last node.
        """
        first, end = (int(self.rowptr.read(i, i + 1)) for i in (start, stop))
        return self.col.read(first, end).long()

    def targets(self, start: int, stop: int) -> Tensor:
        """Return the targets of these edges, counted from the first node.

        Args:
            start: The first node.
            stop: One after the last node.
        """
        degree = self.rowptr.read(start, stop + 1).diff()
        return torch.repeat_interleave(torch.arange(stop - start), degree)


class _Layer:
    """One stage on its way from the rows of one layer to those of the next."""

    def __init__(
        self, graph: _Graph, rows: ArrayFile, path: Path, memory_budget: int, scratch_bytes: int | None
    ) -> None:
        self.graph, self.rows, self.path = graph, rows, path
        self.memory_budget, self.scratch_bytes = memory_budget, scratch_bytes

    def run(self, stage: Stage) -> ArrayFile:
        """Compute the rows of the next layer."""
        return self._each(stage.function) if isinstance(stage, Rows) else self._with_neighbors(stage.function)

    def _each(self, function: Callable[[Tensor], Tensor]) -> ArrayFile:
        """Transform the rows one by one."""
        wide = self._row_bytes(lambda row: function(row))
        step = max(1, room(self.memory_budget) // (_COPIES * wide))
        starts = range(0, max(len(self.rows), 1), step)
        chunks = [(start, min(start + step, len(self.rows))) for start in starts]
        return self._write(chunks, (self._transformed(function, chunk) for chunk in chunks))

    def _transformed(self, function: Callable[[Tensor], Tensor], chunk: tuple[int, int]) -> Tensor:
        fresh = function(self.rows.read(*chunk))
        give_back()
        return fresh

    def _with_neighbors(self, function: Callable[[tuple[Tensor, Tensor], Tensor], Tensor]) -> ArrayFile:
        """Transform the rows with those of their neighbours."""
        nothing = torch.empty(2, 0, dtype=torch.long)
        wide = self._row_bytes(lambda row: function((row, row), nothing))
        chunks = self.graph.chunks(wide, room(self.memory_budget))
        ids, ends = self._distinct_sources(chunks)
        try:
            return self._write(chunks, self._computed(function, chunks, ids, ends))
        finally:
            ids.close()
            ids.path.unlink()

    def _row_bytes(self, function: Callable[[Tensor], Tensor]) -> int:
        """Return the bytes of a row before or after this layer, whichever are more; one row alone tells."""
        fresh = function(self.rows.read(0, min(1, len(self.rows))))
        return max(self.rows.row_bytes, fresh.nbytes, 1)

    def _distinct_sources(self, chunks: list[tuple[int, int]]) -> tuple[ArrayFile, list[int]]:
        """Write down the sources of each chunk, ascending; return them, and where each chunk's begin and end."""
        path, ends = self.path.with_suffix(".ids"), [0]
        fd = allocate(path, 0)
        try:
            for chunk in chunks:
                ids = torch.unique(self.graph.sources(*chunk))
                write_fully(fd, memoryview(ids.view(torch.uint8).numpy()) if len(ids) else b"", 8 * ends[-1])
                ends.append(ends[-1] + len(ids))
            os.fdatasync(fd)
            forget(fd)
        finally:
            os.close(fd)
        return ArrayFile(describe(path, torch.int64, (ends[-1],)), path.parent), ends

    def _computed(
        self,
        function: Callable[[tuple[Tensor, Tensor], Tensor], Tensor],
        chunks: list[tuple[int, int]],
        ids: ArrayFile,
        ends: list[int],
    ) -> Iterator[Tensor]:
        spans = list(pairwise(ends))
        for group in self._groups(spans):
            packs = self._pack(ids, [spans[i] for i in group])
            try:
                for number, pack in zip(group, packs, strict=True):
                    own, edge_index = self.rows.read(*chunks[number]), self._edges(chunks[number], ids, spans[number])
                    with ArrayFile(pack, self.path.parent) as rows:
                        fresh = function((rows.read(0, len(rows)), own), edge_index)
                    # Fused layers remember graphs; the one of a chunk never comes again. And what the layer gave back
                    # to the allocator is not there for the buffers of the next chunk.
                    clear_cache()
                    give_back()
                    yield fresh
            finally:
                self.path.with_suffix(".packs").unlink()

    def _edges(self, chunk: tuple[int, int], ids: ArrayFile, span: tuple[int, int]) -> Tensor:
        """Return the edges of a chunk, between places of its packed rows and of its own rows."""
        places = torch.searchsorted(ids.read(*span), self.graph.sources(*chunk))
        return torch.stack([places, self.graph.targets(*chunk)])

    def _groups(self, spans: list[tuple[int, int]]) -> Iterator[range]:
        """Put chunks together whose packed rows are on disk at the same time."""
        first, held = 0, 0
        for number, (start, stop) in enumerate(spans):
            size = align((stop - start) * self.rows.row_bytes)
            if self.scratch_bytes is not None and number > first and held + size > self.scratch_bytes:
                yield range(first, number)
                first, held = number, 0
            held += size
        yield range(first, len(spans))

    def _pack(self, ids: ArrayFile, spans: list[tuple[int, int]]) -> list[ArrayInfo]:
        """Copy the rows of these ids beside each other; return where those of each span are."""
        path, counts = self.path.with_suffix(".packs"), [stop - start for start, stop in spans]
        offsets = [0, *accumulate(align(count * self.rows.row_bytes) for count in counts)]
        check_room(path.parent, offsets[-1])
        fd = allocate(path, offsets[-1])
        try:
            give_back()
            threads = min(2, available_cores())
            pack_rows(
                self.rows,
                [Pack(fd, offset, count) for offset, count in zip(offsets, counts, strict=False)],
                lambda number, i, j: ids.read(spans[number][0] + i, spans[number][0] + j),
                partition_rows=partition_rows(room(self.memory_budget), self.rows, self.rows.dtype, threads),
                threads=threads,
            )
        finally:
            os.close(fd)
        shape = self.rows.row_shape
        return [
            describe(path, self.rows.dtype, (count, *shape), at) for count, at in zip(counts, offsets, strict=False)
        ]

    def _write(self, chunks: list[tuple[int, int]], parts: Iterator[Tensor]) -> ArrayFile:
        """Write the rows of a new layer as they come."""
        writer: ArrayWriter | None = None
        try:
            for (start, stop), part in zip(chunks, parts, strict=True):
                if len(part) != stop - start:
                    raise ValueError(
                        f"a stage of 'stages' gave {len(part)} rows for {stop - start} nodes, expected a row for each"
                    )
                if writer is None:
                    shape = (self.graph.num_nodes, *part.shape[1:])
                    writer = ArrayWriter(self.path.parent, self.path.name, part.dtype, shape)
                writer.append(part)
            assert writer is not None
            return ArrayFile(writer.finish(), self.path.parent)
        finally:
            if writer is not None:
                writer.close()
