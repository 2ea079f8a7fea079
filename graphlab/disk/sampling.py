"""Sampling all batches of all epochs, group by group."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Protocol

import torch
from torch import Tensor

from graphlab.disk.errors import MemoryBudgetError
from graphlab.disk.lookup import Lookup
from graphlab.disk.record import Counts, RecordLayout
from graphlab.disk.store_info import Sampling
from graphlab.ops import batch_key, neighbor_sample_batches, seed_permutation

#: Batches that are sampled at once at most: they are a unit of work.
MOST_BATCHES = 1024


@dataclass(frozen=True)
class Sampled:
    """The sample of one batch.

    Args:
        node: Its nodes, seeds first.
        row: The place in ``node`` of each edge's source.
        col: The place in ``node`` of each edge's target.
        edge: The position of each edge in the stored graph.
        nodes_per_hop: Number of nodes that came in each hop, seeds first.
        edges_per_hop: Number of edges that came in each hop.
    """

    node: Tensor
    row: Tensor
    col: Tensor
    edge: Tensor
    nodes_per_hop: Tensor
    edges_per_hop: Tensor


@dataclass(frozen=True)
class Cost:
    """Bytes of memory that a sampled batch takes until it is written.

    Args:
        node: For each node.
        edge: For each edge.
    """

    node: int
    edge: int

    def of(self, nodes: int, edges: int) -> int:
        """Return the bytes of a batch.

        Args:
            nodes: Its nodes.
            edges: Its edges.
        """
        return nodes * self.node + edges * self.edge + (1 << 12)


def expected_size(sampling: Sampling, num_nodes: int, num_edges: int) -> tuple[int, int]:
    """Return the nodes and edges of a batch as far as fan-outs and the mean degree tell, more rather than less.

    Args:
        sampling: How batches are sampled.
        num_nodes: Nodes of the graph.
        num_edges: Edges of the graph.
    """
    degree, seeds = num_edges / max(num_nodes, 1), float(sampling.batch_size)
    nodes, frontier, edges = seeds, seeds, 0.0
    for k in sampling.num_neighbors:
        picks = frontier * (degree if k < 0 else k if sampling.replace else min(k, degree))
        edges += picks
        # No node comes twice, but seeds may.
        frontier = min(picks, max(num_nodes + seeds - nodes, 0.0))
        nodes += frontier
    return int(nodes), int(edges)


class Sampler(Protocol):
    """Samples the next batches, as many as fit."""

    def sample(self, batches: "Batches", start: int, room: int) -> list[Sampled]:
        """Sample the batches from ``start`` on, as many as fit, at least one."""
        ...


@dataclass(frozen=True)
class Batches:
    """All batches of all epochs, of all ranks.

    Args:
        sampling: How they are sampled.
        input_nodes: The nodes that are seeds; ``None`` for all.
    """

    sampling: Sampling
    input_nodes: Tensor | None

    def __len__(self) -> int:
        return self.sampling.epochs * self.sampling.batches_per_epoch

    def number(self, i: int) -> tuple[int, int]:
        """Return the epoch of a batch and its number in it.

        Args:
            i: The batch.
        """
        return divmod(i, self.sampling.batches_per_epoch)

    def is_own(self, i: int) -> bool:
        """Tell whether a batch is one of this rank.

        Args:
            i: The batch.
        """
        return self.number(i)[1] % self.sampling.world_size == self.sampling.rank

    def own(self) -> list[int]:
        """Return the batches of this rank."""
        return [i for i in range(len(self)) if self.is_own(i)]

    def key(self, i: int) -> int:
        """Return the key that a batch is sampled with.

        Args:
            i: The batch.
        """
        return batch_key(self.sampling.seed, *self.number(i))

    def input_id(self, i: int) -> Tensor:
        """Return the positions of a batch's seeds in the input nodes.

        Args:
            i: The batch.
        """
        (epoch, batch), s = self.number(i), self.sampling
        start, stop = batch * s.batch_size, min((batch + 1) * s.batch_size, s.num_input)
        return seed_permutation(s.num_input, s.seed, epoch, start, stop) if s.shuffle else torch.arange(start, stop)

    def seeds(self, i: int) -> Tensor:
        """Return a batch's seeds.

        Args:
            i: The batch.
        """
        positions = self.input_id(i)
        return positions if self.input_nodes is None else self.input_nodes[positions]


class MemorySampler:
    """Samples from a graph in memory.

    Args:
        rowptr: Where the edges of each node begin.
        col: The source of each edge.
        sampling: How batches are sampled.
        cost: What a batch takes.
        first: Number of batches of the first group, whose sizes tell how many fit in the next.
    """

    def __init__(self, rowptr: Tensor, col: Tensor, sampling: Sampling, cost: Cost, first: int = 1) -> None:
        self.rowptr, self.col, self.sampling, self.cost = rowptr, col, sampling, cost
        self._most, self._first = 0, first

    def sample(self, batches: Batches, start: int, room: int) -> list[Sampled]:
        """Sample the batches that follow, as many as fit.

        Args:
            batches: All batches.
            start: The first to sample.
            room: Bytes that the samples may take.

        Raises:
            MemoryBudgetError: Not even one does.
        """
        if not self._most:
            self._check_expected(room)
        number = max(1, min(room // self._most, MOST_BATCHES)) if self._most else self._first
        group = range(start, min(start + number, len(batches)))
        seeds = [batches.seeds(i) for i in group]
        ends = torch.tensor([0, *[len(s) for s in seeds]]).cumsum(0)
        sampled = neighbor_sample_batches(
            self.rowptr,
            self.col,
            torch.cat(seeds),
            ends,
            self.sampling.num_neighbors,
            [batches.key(i) for i in group],
            csc=True,
            replace=self.sampling.replace,
        )
        nodes, edges = sampled.node_ptr.diff().tolist(), sampled.edge_ptr.diff().tolist()
        samples = [
            Sampled(*parts)
            for parts in zip(
                sampled.node.split(nodes),
                sampled.row.split(edges),
                sampled.col.split(edges),
                sampled.edge.split(edges),
                sampled.num_nodes_per_hop,
                sampled.num_edges_per_hop,
                strict=True,
            )
        ]
        for sample in samples:
            self._most = max(self._most, self.cost.of(len(sample.node), len(sample.edge)))
        return samples

    def _check_expected(self, room: int) -> None:
        """Refuse what can not fit while no batch has told yet what it takes."""
        nodes, edges = expected_size(self.sampling, len(self.rowptr) - 1, len(self.col))
        if (needed := self.cost.of(nodes, edges)) > room:
            raise MemoryBudgetError(
                f"a batch of about {edges:,} edges takes {needed:,} bytes of memory, {room:,} are left for it; "
                f"raise 'memory_budget' by {2 * (needed - room):,} bytes, or lower 'batch_size' or 'num_neighbors'"
            )


class RecordWriter:
    """Turns samples into records; where rows are kept is left open.

    Args:
        batches: All batches.
        layout: The arrays of a record.
        perm: The user's number of each stored edge; ``None`` where they are the same.
        attributes: The attributes of nodes and edges by name.
    """

    def __init__(
        self, batches: Batches, layout: RecordLayout, perm: Lookup | None, attributes: dict[str, Lookup]
    ) -> None:
        self.batches, self.layout, self.perm, self.attributes = batches, layout, perm, attributes
        self._fields = {f.name: f for f in layout.fields}

    def cost(self, dtype: torch.dtype) -> Cost:
        """Return what a batch takes from sampling to writing.

        Args:
            dtype: The dtype of the samples' numbers.
        """
        tables = {
            per: [a for n, a in self.attributes.items() if self._fields[n].per == per] for per in ("node", "edge")
        }
        if self.perm is not None:
            tables["edge"].append(self.perm)
        extra = {
            per: sum(t.array.row_bytes for t in each) + max((t.bytes_per_id() for t in each), default=0)
            for per, each in tables.items()
        }
        return Cost(4 * dtype.itemsize + extra["node"], 7 * dtype.itemsize + extra["edge"])

    def write(self, start: int, sampled: list[Sampled]) -> Iterator[Tensor]:
        """Return the bytes of batches: records, and of batches of other ranks the nodes only.

        Args:
            start: The first batch.
            sampled: The samples of it and those that follow.
        """
        own = [i for i in range(len(sampled)) if self.batches.is_own(start + i)]
        columns = self._columns([sampled[i] for i in own])
        for i, sample in enumerate(sampled):
            if self.batches.is_own(start + i):
                yield self._record(start + i, sample, {name: next(column) for name, column in columns.items()})
            else:
                yield sample.node.to(self._fields["n_id"].torch_dtype).view(torch.uint8)

    def nodes(self, i: int, data: Tensor) -> Tensor:
        """Return the nodes of a batch.

        Args:
            i: The batch.
            data: Its bytes.
        """
        if self.batches.is_own(i):
            return self.layout.decode(data)[1]["n_id"]
        return data.view(self._fields["n_id"].torch_dtype)

    def _columns(self, sampled: list[Sampled]) -> dict[str, Iterator[Tensor]]:
        """Look up what stands in tables, for all batches at once: each table is passed over once."""
        if not sampled:
            return {}
        nodes, edges = [len(s.node) for s in sampled], [len(s.edge) for s in sampled]
        node, edge = torch.cat([s.node for s in sampled]), torch.cat([s.edge for s in sampled])
        e_id = edge if self.perm is None else self.perm(edge)
        columns = {"e_id": iter(e_id.split(edges))}
        for name, table in self.attributes.items():
            per_node = self._fields[name].per == "node"
            columns[name] = iter(table(node if per_node else e_id).split(nodes if per_node else edges))
        return columns

    def _record(self, i: int, sample: Sampled, columns: dict[str, Tensor]) -> Tensor:
        epoch, batch = self.batches.number(i)
        input_id = self.batches.input_id(i)
        counts = Counts(
            epoch,
            batch,
            nodes=len(sample.node),
            edges=len(sample.edge),
            seeds=len(input_id),
            hops=len(sample.edges_per_hop),
            cold=0,
        )
        return self.layout.encode(
            counts,
            {
                "n_id": sample.node,
                "place": torch.zeros(len(sample.node), dtype=torch.int32),
                "row": sample.row,
                "col": sample.col,
                "input_id": input_id,
                "num_sampled_nodes": sample.nodes_per_hop,
                "num_sampled_edges": sample.edges_per_hop,
                **columns,
            },
        )
