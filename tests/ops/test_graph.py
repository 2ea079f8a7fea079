"""Graph: content, conversions, and a cache that is never stale."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch_geometric import EdgeIndex
from torch_geometric.utils import add_self_loops, remove_self_loops

from graphlab import ops
from graphlab.ops import Graph, gather_reduce
from graphlab.ops import graph as module


@st.composite
def edge_lists(draw) -> tuple[torch.Tensor, tuple[int, int]]:
    sources, targets = draw(st.integers(1, 6)), draw(st.integers(1, 6))
    pair = st.tuples(st.integers(0, sources - 1), st.integers(0, targets - 1))
    edges = draw(st.lists(pair, max_size=20))
    return torch.tensor(edges, dtype=torch.long).view(-1, 2).t(), (sources, targets)


def content(graph: Graph) -> list[list[int]]:
    return [t.tolist() for t in (graph.rowptr, graph.col, graph.transposed[0], graph.transposed[1])]


@given(edge_lists())
def test_the_edges_come_back_in_the_users_order(given_edges):
    edge_index, size = given_edges
    graph = Graph.from_edge_index(edge_index, size)
    assert torch.equal(graph.edge_index(), edge_index)
    assert graph.size == size and graph.num_edges == edge_index.size(1)
    assert graph.degree.tolist() == [int((edge_index[1] == i).sum()) for i in range(size[1])]


@given(edge_lists())
def test_edge_index_of_pyg_goes_round(given_edges):
    edge_index, size = given_edges
    there = Graph.from_edge_index(edge_index, size).to_edge_index()
    assert isinstance(there, EdgeIndex) and tuple(there.sparse_size()) == size
    there.validate()
    back = Graph.from_edge_index(there)
    assert back.size == size and torch.equal(back.edge_index(), edge_index)


@given(edge_lists())
def test_turning_round_twice_gives_the_same_graph(given_edges):
    edge_index, size = given_edges
    graph = Graph.from_edge_index(edge_index, size)
    turned = graph.reverse()
    assert turned.size == size[::-1] and torch.equal(turned.edge_index(), edge_index.flip(0))
    assert content(turned.reverse()) == content(graph)
    assert torch.equal(turned.reverse().edge_index(), edge_index)


@pytest.mark.filterwarnings("ignore:Sparse")
@pytest.mark.parametrize("layout", [torch.sparse_coo, torch.sparse_csr, torch.sparse_csc])
def test_sparse_adjacencies_are_transposed_ones(layout):
    edge_index = torch.tensor([[0, 2, 1, 2], [0, 0, 1, 4]])
    adj_t = torch.sparse_coo_tensor(edge_index.flip(0), torch.ones(4), (5, 3))
    graph = Graph.from_edge_index(adj_t.coalesce() if layout == torch.sparse_coo else adj_t.to_sparse(layout=layout))
    assert graph.size == (3, 5) and content(graph) == content(Graph.from_edge_index(edge_index, (3, 5)))


@pytest.fixture
def cache():
    ops.clear_cache()
    yield module._CACHE
    ops.clear_cache()


def test_equal_content_is_sorted_once(cache):
    edge_index = torch.tensor([[0, 1, 2], [2, 2, 0]])
    graph = Graph.from_edge_index(edge_index)
    assert Graph.from_edge_index(edge_index.clone()) is graph
    assert Graph.from_edge_index(edge_index, (3, 4)) is not graph
    assert len(cache) == 2


def test_a_changed_edge_index_is_never_taken_for_the_old_one(cache):
    x, edge_index = torch.arange(3.0).unsqueeze(1), torch.tensor([[0, 1, 2], [2, 2, 0]])
    first = Graph.from_edge_index(edge_index)
    before = content(first)
    assert gather_reduce(x, edge_index).flatten().tolist() == [2, 0, 1]
    edge_index[0, 0] = 2
    assert gather_reduce(x, edge_index).flatten().tolist() == [2, 0, 3]
    edge_index[1, :] = torch.tensor([0, 0, 1])
    assert gather_reduce(x, edge_index).flatten().tolist() == [3, 2, 0]
    # Nor does the graph that was handed out follow the change, sorted as it was or not.
    assert content(first) == before


@pytest.mark.parametrize("dtype", [torch.int32, torch.int64])
def test_a_graph_holds_no_memory_of_the_users(dtype):
    edge_index = torch.tensor([[2, 0, 1], [0, 1, 2]], dtype=dtype)
    graph = Graph.from_edge_index(edge_index)
    edge_index.zero_()
    assert graph.col.tolist() == [2, 0, 1]


def test_what_is_made_in_inference_mode_serves_training(cache):
    edge_index = torch.tensor([[0, 1, 2], [2, 2, 0]])
    with torch.inference_mode():
        _ = Graph.from_edge_index(edge_index).transposed
    x = torch.randn(3, 2, requires_grad=True)
    gather_reduce(x, edge_index).sum().backward()
    assert x.grad is not None


def test_an_edge_index_of_pyg_knows_its_size():
    edge_index = EdgeIndex(torch.tensor([[0, 1, 2], [4, 4, 0]]), sparse_size=(3, 5))
    assert gather_reduce(torch.ones(3, 2), edge_index).shape == (5, 2)
    none_yet = EdgeIndex(torch.empty(2, 0, dtype=torch.long), sparse_size=(0, 3))
    assert gather_reduce(torch.ones(0, 2), none_yet).shape == (3, 2)


@pytest.mark.parametrize(
    ("edge_index", "size", "match"),
    [
        (torch.tensor([[0, 3], [0, 1]]), (3, 3), r"'edge_index' has sources from 0 to 3, expected \[0, 3\)"),
        (torch.tensor([[0, 1], [0, -1]]), (3, 3), r"'edge_index' has targets from -1 to 0"),
        (torch.tensor([[0, 1]]), None, r"'edge_index' must be int64 or int32 of shape \(2, num_edges\)"),
        (torch.tensor([[0.0], [1.0]]), None, r"'edge_index' must be int64 or int32"),
        ([[0], [1]], None, r"'edge_index' must be a tensor .* got list"),
        (EdgeIndex([[0], [1]], sparse_size=(3, 3)), (4, 3), r"'edge_index' has 3 source nodes by its own account"),
    ],
)
def test_bad_edges_are_refused_in_words(edge_index, size, match):
    with pytest.raises(ValueError, match=match):
        Graph.from_edge_index(edge_index, size)


def test_a_negative_number_of_nodes_is_refused():
    with pytest.raises((ValueError, RuntimeError), match="negative"):
        Graph.from_edge_index(torch.empty(2, 0, dtype=torch.long), (3, -1))


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


def test_a_graph_of_another_size_is_refused():
    graph = Graph.from_edge_index(torch.tensor([[0, 1], [1, 2]]), (9, 9))
    assert Graph.from_edge_index(graph, (9, None)) is graph
    with pytest.raises(ValueError, match="'edge_index' has 9 source nodes by its own account, but 5 are asked for"):
        Graph.from_edge_index(graph, (5, 5))
