"""Sorted edges say what the user's edges say."""

import pytest
import torch
from torch_geometric.utils import add_self_loops, remove_self_loops

from graphlab.ops import Graph


def pairs(graph):
    return sorted(zip(*graph.edge_index().tolist(), strict=True))


def looped_by_pyg(edge_index, size):
    return sorted(zip(*add_self_loops(remove_self_loops(edge_index)[0], num_nodes=min(size))[0].tolist(), strict=True))


@pytest.mark.parametrize("dtype", [torch.int32, torch.int64])
@pytest.mark.parametrize("size", [(9, 9), (9, 5), (5, 9), (1, 1)])
def test_self_loops_are_those_of_pyg(size, dtype):
    generator = torch.Generator().manual_seed(0)
    edge_index = torch.stack([torch.randint(n, (40,), generator=generator) for n in size]).to(dtype)
    for edges in (edge_index, edge_index[:, :0]):
        looped = Graph.from_edge_index(edges, size).with_self_loops()
        assert looped.size == size and pairs(looped) == looped_by_pyg(edges.long(), size)


def test_self_loop_is_the_last_of_its_nodes_edges():
    looped = Graph.from_edge_index(torch.tensor([[1, 1, 2, 0], [1, 0, 1, 0]]), (3, 3)).with_self_loops()
    assert looped.rowptr.tolist() == [0, 2, 4, 5] and looped.col.tolist() == [1, 0, 2, 1, 2]


def test_self_loops_are_remembered():
    edge_index = torch.tensor([[0, 1], [1, 2]])
    looped = Graph.from_edge_index(edge_index).with_self_loops()
    assert Graph.from_edge_index(edge_index.clone()).with_self_loops() is looped
    with torch.inference_mode():
        fresh = Graph.from_edge_index(torch.tensor([[2, 1], [1, 2]])).with_self_loops()
    assert not fresh.col.is_inference()


def test_self_loops_compile():
    def run(edge_index):
        looped = Graph.from_edge_index(edge_index, (4, 4)).with_self_loops()
        return looped.rowptr, looped.col, looped.transposed

    compiled = torch.compile(run, fullgraph=True, backend="aot_eager")
    for edge_index in (torch.tensor([[0, 1, 1], [1, 2, 1]]), torch.tensor([[0, 3], [3, 3]])):
        torch.testing.assert_close(compiled(edge_index), run(edge_index))
