"""Laws of ego nets, and networkx's."""

import os
import subprocess
import sys

import networkx as nx
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor

from graphlab.ops import csr_from_coo, ego_nets, kernels, use_backend

backends = pytest.mark.parametrize("backend", ["auto", "ref"])
types = pytest.mark.parametrize("dtype", [torch.int32, torch.int64])
graphs = st.integers(1, 12).flatmap(
    lambda n: st.tuples(st.just(n), st.lists(st.tuples(st.integers(0, n - 1), st.integers(0, n - 1)), max_size=40))
)


def compressed(n: int, edges: list[tuple[int, int]], dtype: torch.dtype = torch.int64) -> tuple[Tensor, Tensor]:
    row, col = torch.tensor(edges, dtype=dtype).view(-1, 2).T
    rowptr, perm = csr_from_coo(row.contiguous(), n)
    return rowptr, col[perm.long()]


def parts(nets):
    """Each net's (node, hop, row, col, edge)."""
    nodes, edges = nets.node_ptr.tolist(), nets.edge_ptr.tolist()
    for i in range(len(nodes) - 1):
        of_nodes, of_edges = slice(nodes[i], nodes[i + 1]), slice(edges[i], edges[i + 1])
        yield nets.node[of_nodes], nets.hop[of_nodes], nets.row[of_edges], nets.col[of_edges], nets.edge[of_edges]


@backends
@types
@given(graphs, st.integers(0, 4))
def test_nets_are_those_of_networkx(backend, dtype, graph, num_hops):
    n, edges = graph
    rowptr, col = compressed(n, edges, dtype)
    with use_backend(backend):
        nets = ego_nets(rowptr, col, num_hops)
    theirs = nx.MultiDiGraph(edges)
    theirs.add_nodes_from(range(n))
    for root, (node, hop, row, col_, _) in enumerate(parts(nets)):
        wanted = nx.ego_graph(theirs, root, radius=num_hops)
        away = nx.single_source_shortest_path_length(theirs, root, cutoff=num_hops)
        assert dict(zip(node.tolist(), hop.tolist(), strict=True)) == away
        ours = zip(node[row.long()].tolist(), node[col_.long()].tolist(), strict=True)
        assert sorted(ours) == sorted(wanted.edges())


@backends
@given(graphs, st.integers(0, 4), st.data())
def test_order_and_positions(backend, graph, num_hops, data):
    n, edges = graph
    rowptr, col = compressed(n, edges)
    nodes = torch.tensor(data.draw(st.lists(st.integers(0, n - 1), max_size=5)), dtype=torch.int64)
    with use_backend(backend):
        nets = ego_nets(rowptr, col, num_hops, nodes)
    rows = torch.repeat_interleave(torch.arange(n), rowptr.diff())
    for root, (node, hop, row, local, edge) in zip(nodes.tolist(), parts(nets), strict=True):
        assert node[0] == root and (hop.diff() >= 0).all() and len(node.unique()) == len(node)
        # Edges come by node and then as they are stored.
        assert torch.equal(rows[edge], node[row]) and torch.equal(col[edge], node[local])
        assert torch.equal(torch.argsort(row * len(col) + edge), torch.arange(len(edge)))
        # Who met a node first decides where it comes.
        first = [min((int(i) for i, j in zip(row, local, strict=True) if j == v), default=0) for v in range(len(node))]
        assert first[1:] == sorted(first[1:])


@types
@given(graphs, st.integers(0, 4), st.data())
def test_the_kernel_equals_the_reference(dtype, graph, num_hops, data):
    n, edges = graph
    rowptr, col = compressed(n, edges, dtype)
    nodes = data.draw(st.none() | st.lists(st.integers(0, n - 1), max_size=30))
    roots = None if nodes is None else torch.tensor(nodes, dtype=dtype)
    got = ego_nets(rowptr, col, num_hops, roots)
    with use_backend("ref"):
        wanted = ego_nets(rowptr, col, num_hops, roots)
    for name, a, b in zip(got._fields, got, wanted, strict=True):
        assert a.dtype == b.dtype and torch.equal(a, b), name


def random_graph(n: int, edges: int) -> tuple[Tensor, Tensor]:
    generator = torch.Generator().manual_seed(n)
    # A few nodes have most of the edges.
    row, col = (n * torch.rand(2, edges, generator=generator) ** 3).long()
    rowptr, perm = csr_from_coo(row, n)
    return rowptr, col[perm]


def test_threads_change_nothing():
    rowptr, col = random_graph(500, 3000)
    before = torch.get_num_threads()
    results = []
    try:
        for threads in (1, 2, 7):
            torch.set_num_threads(threads)
            results += [ego_nets(rowptr, col, 2)] * 2
    finally:
        torch.set_num_threads(before)
    with use_backend("ref"):
        results.append(ego_nets(rowptr, col, 2))
    assert all(torch.equal(a, b) for other in results for a, b in zip(results[0], other, strict=True))


@backends
def test_empty_graphs_and_no_roots(backend):
    none = torch.empty(0, dtype=torch.int64)
    with use_backend(backend):
        for nets in (ego_nets(torch.tensor([0]), none, 2), ego_nets(torch.tensor([0, 1]), torch.tensor([0]), 2, none)):
            assert (
                nets.node_ptr.tolist() == nets.edge_ptr.tolist() == [0] and nets.node.numel() == nets.edge.numel() == 0
            )
        alone = ego_nets(torch.tensor([0, 0, 0]), none, 10**18)
    assert alone.node.tolist() == [0, 1] and alone.edge_ptr.tolist() == [0, 0, 0]


@backends
def test_wrong_arguments_are_told(backend):
    rowptr, col = torch.tensor([0, 1, 2]), torch.tensor([1, 0])
    wrong = [
        ((rowptr, col, -1), "'num_hops' must not be negative, got -1"),
        ((rowptr, torch.tensor([1, 2]), 1), r"'col' must lie in \[0, 2\), but col\[1\] is 2"),
        ((torch.tensor([0, 3, 2]), col, 1), "'rowptr' must not decrease"),
        ((torch.tensor([0, 1, 3]), col, 1), "'rowptr' must run from 0 to the 2 entries of 'col', got 0 to 3"),
        ((rowptr, col.int(), 1), "'col' must be int64, got int32"),
        ((rowptr, col, 1, torch.tensor([0, 2])), r"'nodes' must lie in \[0, 2\), got 0 to 2"),
        ((rowptr, col, 1, torch.tensor([0.0])), "'nodes' must be int64 or int32, got float32"),
    ]
    with use_backend(backend):
        for args, said in wrong:
            with pytest.raises((ValueError, RuntimeError), match=said):
                ego_nets(*args)


@pytest.mark.skipif(bool(kernels.missing("_C")), reason="the reference would take hours to get there")
def test_too_little_memory_is_an_exception():
    # All nodes point to all others: 4 billion edges in the nets.
    code = """
import resource, torch
from graphlab.ops import ego_nets
n = 1600
rowptr, col = torch.arange(n + 1) * n, torch.arange(n).repeat(n)
resource.setrlimit(resource.RLIMIT_DATA, (2 << 30, 2 << 30))
try:
    ego_nets(rowptr, col, 1)
except RuntimeError as error:
    print(error)
"""
    environment = {**os.environ, "GRAPHLAB_BACKEND": "auto"}
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, env=environment)
    assert "not enough memory for the ego nets, which have 2560000 nodes and 4096000000 edges" in done.stdout
