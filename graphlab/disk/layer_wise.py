"""Exact embeddings of all nodes of a graph that does not fit in memory, layer by layer."""

import os
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor

from graphlab.disk.array_file import ArrayFile, ArrayWriter
from graphlab.disk.errors import MemoryBudgetError
from graphlab.disk.files import align, aligned_bytes, allocate, check_room, open_direct, read_fully
from graphlab.disk.memory import room
from graphlab.disk.pack import pack_rows
from graphlab.disk.store import Store


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
        function: A layer over a bipartite graph, ``function((x_source, x_target), edge_index)``, giving rows of targets.
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
    over that layer, and then read in one piece.

    Args:
        store: The store, or its path.
        stages: The steps of the network, in order, in evaluation mode.
        out: A directory for the result and for what lies between.
        memory_budget: Bytes that the process may hold in all; half of what is free by default.
        scratch_bytes: Bytes of packed rows on disk at a time; all by default. Fewer mean more passes.

    Returns:
        The rows of the last stage, in ``out/rows.bin``.

    Shapes:
        - **output:** ``(num_nodes, ...)``

    Raises:
        MemoryBudgetError: One node with its neighbours does not fit in memory.
        DiskFullError: There is no room for the rows of a layer.

    Example:
        >>> from graphlab.disk import Neighbors, Rows, layer_wise  # doctest: +SKIP
        >>> stages = [Neighbors(conv1), Rows(torch.relu), Neighbors(conv2)]  # doctest: +SKIP
        >>> layer_wise("store", stages, "embeddings").read(0, 10)  # doctest: +SKIP
    """
    store = store if isinstance(store, Store) else Store(store)
    out = Path(out)
    out.mkdir(parents=True, exist_ok=True)
    graph = _Graph(store)
    rows: ArrayFile = store.features
    for number, stage in enumerate(stages):
        layer = _Layer(graph, rows, out / f"rows-{number}.bin", memory_budget, scratch_bytes)
        fresh = layer.each(stage.function) if isinstance(stage, Rows) else layer.with_neighbors(stage.function)
        if number:
            (out / f"rows-{number - 1}.bin").unlink()
        rows = fresh
    return rows


class _Graph:
    """The graph of a store: its boundaries in memory, its sources on disk."""

    def __init__(self, store: Store) -> None:
        self.rowptr = store.rowptr.read(0, len(store.rowptr))
        self.col = store.col
        self.num_nodes = store.info.num_nodes

    def chunks(self, row_bytes: int, room_bytes: int) -> list[tuple[int, int]]:
        """Cut the nodes so that a chunk, its edges and the rows of its neighbours fit.

        Args:
            row_bytes: Bytes of a node's row.
            room_bytes: Bytes that a chunk may take.
        """
        cuts, start = [], 0
        while start < self.num_nodes:
            edges = self.rowptr[start + 1 :] - self.rowptr[start]
            nodes = torch.arange(1, edges.numel() + 1)
            cost = (edges.clamp(max=self.num_nodes) + nodes) * row_bytes * _COPIES + edges * _EDGE_BYTES
            count = int(torch.searchsorted(cost, room_bytes, right=True))
            if count == 0:
                raise MemoryBudgetError(
                    f"node {start} with its {int(edges[0]):,} neighbours takes {int(cost[0]):,} bytes, "
                    f"{room_bytes:,} are left; give a larger 'memory_budget'"
                )
            cuts.append((start, start + count))
            start += count
        return cuts

    def sources(self, start: int, stop: int) -> Tensor:
        """Return the sources of all edges into some nodes."""
        return self.col.read(int(self.rowptr[start]), int(self.rowptr[stop]))
