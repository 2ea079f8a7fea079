from itertools import pairwise

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from graphlab.disk import CorruptStoreError, MemoryBudgetError
from graphlab.disk.array_file import ArrayFile, write_array
from graphlab.disk.lookup import Lookup
from graphlab.disk.sampling import Batches, Cost, MemorySampler
from graphlab.disk.store_info import Sampling
from graphlab.disk.streaming import StreamingSampler
from graphlab.ops import neighbor_sample

COST = Cost(node=50, edge=100)


def random_graph(nodes, edges, seed, dtype=torch.int64):
    g = torch.Generator().manual_seed(seed)
    target = (torch.rand(edges, generator=g) ** 2 * nodes).long().sort().values
    rowptr = torch.zeros(nodes + 1, dtype=dtype)
    rowptr[1:] = torch.bincount(target, minlength=nodes).cumsum(0)
    return rowptr, torch.randint(nodes, (edges,), generator=g).to(dtype)


def sampling_of(num_neighbors, batch_size=7, num_input=40, **more):
    return Sampling(
        **{"replace": False, "shuffle": True, "seed": 3, "epochs": 2, **more},
        num_neighbors=tuple(num_neighbors),
        batch_size=batch_size,
        num_input=num_input,
    )


def streamed(root, rowptr, col, sampling, threads=1, cost=COST):
    column = Lookup(ArrayFile(write_array(root, "col.bin", col.int()), root), load=False)
    return StreamingSampler(rowptr, column, sampling, cost, threads)


def all_of(sampler, batches, room):
    """All batches, and how many came at a time."""
    samples, groups = [], []
    while len(samples) < len(batches):
        group = sampler.sample(batches, len(samples), room)
        samples += group
        groups.append(len(group))
    return samples, groups


def equal(a, b):
    return all(
        x.dtype == y.dtype and torch.equal(x, y) for x, y in zip(vars(a).values(), vars(b).values(), strict=True)
    )


@given(
    st.integers(0, 300),
    st.lists(st.sampled_from([-1, 0, 1, 3, 40]), max_size=3),
    st.booleans(),
    st.sampled_from([torch.int32, torch.int64]),
    st.integers(0, 1000),
)
def test_streamed_samples_are_those_of_memory(tmp_path_factory, edges, num_neighbors, replace, dtype, seed):
    rowptr, col = random_graph(40, edges, seed, dtype)
    sampling = sampling_of(num_neighbors, replace=replace)
    g = torch.Generator().manual_seed(seed)
    batches = Batches(sampling, torch.randint(40, (40,), generator=g))
    ours, _ = all_of(streamed(tmp_path_factory.mktemp("s"), rowptr, col, sampling), batches, 1 << 30)
    theirs, _ = all_of(MemorySampler(rowptr, col, sampling, COST), batches, 1 << 30)
    for i, (a, b) in enumerate(zip(ours, theirs, strict=True)):
        assert equal(a, b)
        row, into, node, edge, nodes, edges_per_hop = neighbor_sample(
            rowptr, col, batches.seeds(i), num_neighbors, replace=replace, csc=True, key=batches.key(i)
        )
        assert edge is not None
        assert all(
            torch.equal(x, y) for x, y in zip((a.row, a.col, a.node, a.edge), (row, into, node, edge), strict=True)
        )
        assert (a.nodes_per_hop.tolist(), a.edges_per_hop.tolist()) == (nodes, edges_per_hop)


@pytest.mark.parametrize("threads", [1, 4])
def test_little_room_makes_smaller_groups_and_the_same_samples(tmp_path, threads):
    rowptr, col = random_graph(500, 6000, 0)
    sampling = sampling_of([5, 5, 5], num_input=300)
    batches = Batches(sampling, None)
    sampler = streamed(tmp_path, rowptr, col, sampling, threads)
    plenty, at_once = all_of(sampler, batches, 1 << 30)
    assert at_once == [len(batches)]
    for room in (600_000, 2_000_000):
        sampler = streamed(tmp_path, rowptr, col, sampling, threads)
        few, groups = all_of(sampler, batches, room)
        assert 2 < len(groups) < len(batches)
        assert all(equal(a, b) for a, b in zip(few, plenty, strict=True))


def test_batches_that_turn_out_large_are_put_off(tmp_path):
    """One hub makes a batch a hundred times as large as others: what was begun with it comes later."""
    rowptr, col = random_graph(500, 6000, 0)
    rowptr[301:] += 50_000
    col = torch.cat([col[: rowptr[300]], torch.randint(500, (50_000,)), col[rowptr[300] :]])
    sampling = sampling_of([-1, 2], num_input=490, shuffle=False, epochs=1)
    batches = Batches(sampling, None)
    plenty, _ = all_of(streamed(tmp_path, rowptr, col, sampling), batches, 1 << 30)
    few, groups = all_of(streamed(tmp_path, rowptr, col, sampling), batches, 15_000_000)
    assert len(groups) > 1
    assert all(equal(a, b) for a, b in zip(few, plenty, strict=True))


def test_a_batch_without_room_is_refused(tmp_path):
    rowptr, col = random_graph(500, 6000, 0)
    sampling = sampling_of([-1, -1], num_input=300)
    with pytest.raises(
        MemoryBudgetError, match=r"a batch of [\d,]+ edges takes [\d,]+ bytes.*raise 'memory_budget' by"
    ):
        streamed(tmp_path, rowptr, col, sampling).sample(Batches(sampling, None), 0, 1000)


def test_damaged_edges_are_noticed(tmp_path):
    rowptr, col = random_graph(50, 600, 0)
    col[rowptr[30] : rowptr[31]] = 50
    sampling = sampling_of([-1, -1], num_input=50)
    with pytest.raises(CorruptStoreError, match=r"col.bin names nodes \d+ to 50, expected \[0, 50\)"):
        all_of(streamed(tmp_path, rowptr, col, sampling), Batches(sampling, None), 1 << 30)


def test_the_edges_are_passed_over_once_a_hop(tmp_path, monkeypatch):
    rowptr, col = random_graph(5000, 200_000, 0)
    sampling = sampling_of([5, 5], batch_size=100, num_input=5000, epochs=1)
    sampler = streamed(tmp_path, rowptr, col, sampling)
    reads, read = [], ArrayFile.read
    monkeypatch.setattr("graphlab.disk.lookup.STEP", 4096)

    def counted(self, start, stop, out=None):
        reads.append((start, stop))
        return read(self, start, stop, out)

    monkeypatch.setattr(ArrayFile, "read", counted)
    samples = sampler.sample(Batches(sampling, None), 0, 1 << 30)
    assert len(samples) == 50
    back = [i for i, (a, b) in enumerate(pairwise(reads)) if b[0] < a[1]]
    assert len(back) == 1
    assert sum(stop - start for start, stop in reads) <= 2 * 200_000
