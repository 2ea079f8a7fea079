import torch

from graphlab.directed import h2gcn, magnetic_operator, remember, second_order_operator
from graphlab.ops import Graph
from tests.directed.graphs import random_graph


def star(spokes: int) -> torch.Tensor:
    out = torch.stack([torch.zeros(spokes, dtype=torch.int64), torch.arange(1, spokes + 1)])
    return torch.cat([out, out.flip(0)], 1)


def in_use(*operators) -> int:
    """The bytes of operators once both orders of their edges were asked for."""
    graphs = {id(operator.graph): operator.graph for operator in operators}
    indices = [part for graph in graphs.values() for part in (graph.rowptr, graph.col, *graph.transposed)]
    return sum(part.nbytes for part in (*indices, *(operator.weight for operator in operators)))


def test_what_is_remembered_counts_as_what_it_comes_to_hold():
    near, far = h2gcn.rings(Graph.from_edge_index(star(100)))
    magnetic = magnetic_operator(random_graph(), num_nodes=12)
    common = second_order_operator(star(100), num_nodes=101)
    assert far.graph.num_edges == 100 * 99
    for value, operators in (
        ((near, far), (near, far)),
        (magnetic, (magnetic.real, magnetic.imag)),
        (common, (common,)),
    ):
        counted = remember.bytes_of(value)
        assert in_use(*operators) <= counted <= 3 * in_use(*operators)


def test_large_values_push_out_older_ones(monkeypatch):
    graph = Graph.from_edge_index(star(100))
    cache = remember.IndexCache(max_bytes=1_000_000)
    monkeypatch.setitem(remember._OF_GRAPH, graph, cache)
    first = h2gcn.rings(graph)
    assert h2gcn.rings(graph) is first
    remember.remembered(graph, None, "another", lambda: torch.zeros(100_000))
    assert len(cache) == 1 and h2gcn.rings(graph) is not first
