"""Sampling from a graph on disk: all batches of a group take a hop together, in one pass over the edges.

What is drawn for a node depends on the batch, the hop and the node alone. So the positions of all edges wanted are
known before any edge is read: sorted, they are met in one sequential pass. The samples are those of a graph in memory,
bit for bit.
"""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

import torch
from torch import Tensor

from graphlab.disk.errors import CorruptStoreError, MemoryBudgetError
from graphlab.disk.lookup import Lookup
from graphlab.disk.sampling import MOST_BATCHES, Batches, Cost, Sampled, expected_size
from graphlab.disk.store_info import Sampling
from graphlab.ops import extend_nodes, pick_positions
from graphlab.ops.counter_rng import signed
from graphlab.ops.worker_pool import worker_pool


@dataclass
class _Growing:
    """A batch whose sample is under way."""

    key: int
    node: Tensor
    begin: int = 0
    nodes_per_hop: list[int] = field(default_factory=list)
    row: list[Tensor] = field(default_factory=list)
    col: list[Tensor] = field(default_factory=list)
    edge: list[Tensor] = field(default_factory=list)

    @property
    def edges(self) -> int:
        return sum(len(e) for e in self.edge)

    def frontier(self) -> Tensor:
        return self.node[self.begin :]

    def grow(self, position: Tensor, neighbor: Tensor, picks: Tensor) -> None:
        """Take the edges picked for the frontier, ``picks`` for each of its nodes."""
        end = len(self.node)
        local, added = extend_nodes(self.node, neighbor)
        self.row.append(local)
        self.col.append(torch.arange(self.begin, end, dtype=local.dtype).repeat_interleave(picks))
        self.edge.append(position)
        self.node = torch.cat([self.node, added])
        self.begin = end
        self.nodes_per_hop.append(len(added))

    def finish(self, dtype: torch.dtype) -> Sampled:
        empty = [torch.empty(0, dtype=dtype)]
        return Sampled(
            self.node,
            torch.cat(self.row or empty),
            torch.cat(self.col or empty),
            torch.cat(self.edge or empty),
            torch.tensor([len(self.node) - sum(self.nodes_per_hop), *self.nodes_per_hop]),
            torch.tensor([len(e) for e in self.edge], dtype=torch.int64),
        )


class StreamingSampler:
    """Samples from a graph whose edges lie on disk.

    Args:
        rowptr: Where the edges of each node begin.
        col: The source of each edge.
        sampling: How batches are sampled.
        cost: What a batch takes.
        threads: Number of threads.
    """

    def __init__(self, rowptr: Tensor, col: Lookup, sampling: Sampling, cost: Cost, threads: int = 1) -> None:
        self.rowptr, self.col, self.sampling, self.cost, self.threads = rowptr, col, sampling, cost, threads
        self._most = 0

    def sample(self, batches: Batches, start: int, room: int) -> list[Sampled]:
        """Sample the batches that follow, as many as fit.

        Args:
            batches: All batches.
            start: The first to sample.
            room: Bytes that the samples may take.

        Raises:
            MemoryBudgetError: Not even one batch fits.
        """
        number = max(1, min(room // (self._most or self._expected()), MOST_BATCHES))
        dtype = self.rowptr.dtype
        numbers = range(start, min(start + number, len(batches)))
        group = [_Growing(batches.key(i), batches.seeds(i).to(dtype)) for i in numbers]
        with worker_pool(self.threads) as pool:
            for hop, k in enumerate(self.sampling.num_neighbors):
                group = group[: self._fitting(group, k, room)]
                self._hop(group, hop, k, pool)
        self._most = max(self.cost.of(len(g.node), g.edges) + self._transient(g.edges) for g in group)
        return [g.finish(dtype) for g in group]

    def _hop(self, group: list[_Growing], hop: int, k: int, pool: ThreadPoolExecutor) -> None:
        sizes = [len(g.frontier()) for g in group]
        frontier = torch.cat([g.frontier() for g in group])
        key = torch.tensor([signed(g.key) for g in group]).repeat_interleave(torch.tensor(sizes))
        position, ptr = pick_positions(self.rowptr, frontier, key, hop, k, replace=self.sampling.replace)
        del frontier, key
        neighbor = self.col(position).to(self.rowptr.dtype)
        self._check(neighbor)
        picks = ptr.diff().split(sizes)
        edges = [int(p.sum()) for p in picks]
        # Copies, so that a batch that is dropped later leaves nothing behind.
        parts = zip(group, position.split(edges), neighbor.split(edges), picks, strict=True)
        list(pool.map(lambda part: part[0].grow(part[1].clone(), part[2], part[3]), parts))

    def _check(self, neighbor: Tensor) -> None:
        low, high = neighbor.aminmax() if len(neighbor) else (0, -1)
        if low < 0 or high >= len(self.rowptr) - 1:
            raise CorruptStoreError(
                f"{self.col.array.path} names nodes {int(low)} to {int(high)}, expected [0, {len(self.rowptr) - 1}); "
                "it is damaged, prepare the store anew"
            )

    def _fitting(self, group: list[_Growing], k: int, room: int) -> int:
        """Return how many of the first batches have room for the next hop."""
        used = 0
        for i, g in enumerate(group):
            node = g.frontier().long()
            degree = self.rowptr[node + 1] - self.rowptr[node]
            picks = degree if k < 0 else (degree > 0) * k if self.sampling.replace else degree.clamp(max=k)
            more = int(picks.sum())
            used += self.cost.of(len(g.node) + more, g.edges + more) + self._transient(more)
            if used > room:
                if i:
                    return i
                raise MemoryBudgetError(
                    f"a batch of {g.edges + more:,} edges takes {used:,} bytes of memory, {room:,} are left for it; "
                    f"raise 'memory_budget' by {2 * (used - room):,} bytes, or lower 'batch_size' or 'num_neighbors'"
                )
        return len(group)

    def _transient(self, picks: int) -> int:
        """Return the bytes that a hop takes while it is under way: positions and ends of edges, and their lookup."""
        return picks * (4 * self.rowptr.dtype.itemsize + 16 + self.col.bytes_per_id())

    def _expected(self) -> int:
        """Return the bytes of a batch as far as fan-outs and the mean degree tell."""
        nodes, edges = expected_size(self.sampling, len(self.rowptr) - 1, self.col.array.info.shape[0])
        return self.cost.of(nodes, edges) + self._transient(edges)
