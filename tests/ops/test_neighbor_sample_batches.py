import os
import subprocess
import sys

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from graphlab.ops import batch_key, kernels, neighbor_sample, neighbor_sample_batches, use_backend
from tests.ops.sampling import BACKENDS, compressed, cycle, fanouts, graphs, keys, same

backends = pytest.mark.parametrize("backend", BACKENDS)


@st.composite
def tasks(draw):
    graph = draw(graphs())
    seeds = draw(st.lists(st.lists(st.integers(0, graph.nodes - 1), max_size=5), max_size=5))
    options = {"csc": draw(st.booleans())} | draw(
        st.sampled_from([{}, {"replace": True}, {"labor": True}, {"edge_weight": torch.rand(graph.edges)}])
    )
    return graph, seeds, draw(fanouts), [draw(keys) for _ in seeds], options


def flat(seeds, dtype):
    ptr = torch.tensor([0, *(len(s) for s in seeds)]).cumsum(0)
    return torch.tensor([i for s in seeds for i in s], dtype=dtype), ptr


@backends
@given(tasks())
def test_each_batch_has_the_bits_of_a_call_of_its_own(backend, task):
    graph, seeds, num_neighbors, batch_keys, options = task
    seed, seed_ptr = flat(seeds, graph.col.dtype)
    with use_backend(backend):
        got = neighbor_sample_batches(graph.rowptr, graph.col, seed, seed_ptr, num_neighbors, batch_keys, **options)
        assert got.num_nodes_per_hop.shape == (len(seeds), len(num_neighbors) + 1)
        assert got.num_edges_per_hop.shape == (len(seeds), len(num_neighbors))
        for b, own in enumerate(seeds):
            mine = torch.tensor(own, dtype=seed.dtype)
            row, col, node, edge, nodes_per_hop, edges_per_hop = neighbor_sample(
                graph.rowptr, graph.col, mine, num_neighbors, key=batch_keys[b], **options
            )
            nodes = slice(int(got.node_ptr[b]), int(got.node_ptr[b + 1]))
            edges = slice(int(got.edge_ptr[b]), int(got.edge_ptr[b + 1]))
            assert same((got.node[nodes], got.row[edges], got.col[edges], got.edge[edges]), (node, row, col, edge))
            assert got.num_nodes_per_hop[b].tolist() == nodes_per_hop
            assert got.num_edges_per_hop[b].tolist() == edges_per_hop
    assert len(got.node_ptr) == len(got.edge_ptr) == len(seeds) + 1
    assert got.node_ptr[-1] == len(got.node) and got.edge_ptr[-1] == len(got.row) == len(got.col) == len(got.edge)


def test_the_number_of_threads_changes_nothing():
    graph = compressed(torch.arange(2000) % 30, 2000, torch.int64, 1)
    seed_ptr, batch_keys = torch.arange(0, 2001, 50), [batch_key(5, 0, b) for b in range(40)]
    before, results = torch.get_num_threads(), []
    try:
        for threads in (1, 2, 4):
            torch.set_num_threads(threads)
            results.append(
                neighbor_sample_batches(graph.rowptr, graph.col, torch.arange(2000), seed_ptr, [6, 4], batch_keys)
            )
    finally:
        torch.set_num_threads(before)
    assert all(same(tuple(results[0]), tuple(other)) for other in results[1:])


@pytest.mark.skipif(bool(kernels.missing("_C")), reason="the reference reserves nothing")
def test_a_large_first_batch_takes_no_more_memory_than_a_large_last_one():
    code = """
import resource, torch
from graphlab.ops import neighbor_sample_batches
n, small = 300_000, 2000
rowptr, col = torch.arange(n + 1), torch.arange(n)
seed = torch.cat([torch.arange(n), torch.zeros(small, dtype=torch.int64)])
ptr = torch.cat([torch.tensor([0]), torch.arange(n, n + small + 1)])
resource.setrlimit(resource.RLIMIT_DATA, (1 << 30, 1 << 30))
print(len(neighbor_sample_batches(rowptr, col, seed, ptr, [1], range(small + 1)).node))
print(len(neighbor_sample_batches(rowptr, col, seed.flip(0), (len(seed) - ptr).flip(0), [1], range(small + 1)).node))
"""
    environment = {**os.environ, "GRAPHLAB_BACKEND": "auto"}
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, env=environment)
    assert done.stdout.split() == ["302000", "302000"]


def test_of_long_pointers_the_first_wrong_one_is_told():
    graph, ptr = cycle(6), torch.arange(1001)
    ptr[7] = 3
    with pytest.raises(
        ValueError, match=r"must run from 0 to 1000 without decreasing, but seed_ptr\[7\] is 3 after 6"
    ) as told:
        neighbor_sample_batches(graph.rowptr, graph.col, torch.zeros(1000, dtype=torch.int64), ptr, [1], range(1000))
    assert len(str(told.value)) < 200


WRONG = {
    "seed outside": (dict(seed=torch.tensor([0, 9])), r"'seed' must lie in \[0, 6\)"),
    "pointers too short": (dict(seed_ptr=torch.tensor([0, 2])), "'seed_ptr' must have 3 entries, got 2"),
    "pointers end early": (
        dict(seed_ptr=torch.tensor([0, 1, 1])),
        "'seed_ptr' must run from 0 to 2 without decreasing",
    ),
    "pointers decrease": (dict(seed_ptr=torch.tensor([0, 3, 2])), "'seed_ptr' must run from 0 to 2 without decreasing"),
    "int32 pointers": (dict(seed_ptr=torch.tensor([0, 1, 2]).int()), "'seed_ptr' must be int64, got int32"),
    "long key": (dict(keys=[1, 2**64]), "'key' must be an integer of 64 bits"),
    "labor": (dict(labor=True, replace=True), "'labor' .* excludes 'replace'"),
    "col outside": (dict(col=torch.full((12,), 7)), r"'col' must lie in \[0, 6\), got 7"),
    "bad weight": (dict(edge_weight=torch.full((12,), -1.0)), "'edge_weight' must be finite and not negative"),
}


@backends
@pytest.mark.parametrize("name", WRONG)
def test_wrong_arguments_are_named(backend, name):
    changes, message = WRONG[name]
    graph = cycle(6)
    arguments = {"seed": torch.tensor([1, 2]), "seed_ptr": torch.tensor([0, 1, 2]), "keys": [1, 2]}
    arguments |= {"rowptr": graph.rowptr, "col": graph.col, "num_neighbors": [1]}
    with use_backend(backend), pytest.raises((ValueError, RuntimeError), match=message):
        neighbor_sample_batches(**(arguments | changes))
