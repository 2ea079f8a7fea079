import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch_geometric.data import Data

from graphlab.ops import Graph
from graphlab.subgraph import EquivariantPolynomials, equivariant_polynomials, folklore_refinement, polynomial_ref
from graphlab.subgraph.equivariant_polynomials import POLYNOMIALS
from tests.subgraph.expressivity_data import batch_of, brec, colors_differ, equal_pairs, graph6, permuted


def multigraph(num_nodes: int, seed: int) -> tuple[torch.Tensor, torch.Tensor]:
    """A symmetric matrix of numbers of edges, loops too, and its edges in any order."""
    generator = torch.Generator().manual_seed(seed)
    upper = torch.randint(0, 3, (num_nodes, num_nodes), generator=generator).triu()
    upper *= torch.rand(num_nodes, num_nodes, generator=generator) < 0.6
    adjacency = upper + upper.triu(1).T
    row, col = adjacency.nonzero().T
    edges = torch.repeat_interleave(torch.stack([row, col]), adjacency[row, col], dim=1)
    return adjacency, edges[:, torch.randperm(edges.size(1), generator=generator)]


@given(st.integers(0, 7), st.integers(0, 2**20))
def test_values_are_those_of_the_definition(num_nodes, seed):
    adjacency, edge_index = multigraph(num_nodes, seed)
    dense = equivariant_polynomials(edge_index, num_nodes, degree=6).dense(num_nodes)
    for found, (edges, outputs) in zip(dense, POLYNOMIALS, strict=True):
        assert found.equal(polynomial_ref(adjacency, edges, outputs))
    assert equivariant_polynomials(edge_index, num_nodes).dense(num_nodes).equal(dense[:1])


def test_definition_of_degree_5_by_rows():
    adjacency, _ = multigraph(7, 1)
    for i, one in enumerate(adjacency):
        for j, other in enumerate(adjacency):
            both = one * other
            assert polynomial_ref(adjacency, *POLYNOMIALS[0])[i, j] == both @ adjacency @ both


@given(st.integers(2, 7), st.integers(0, 2**20))
def test_permuted_nodes_permute_the_values(num_nodes, seed):
    _, edge_index = multigraph(num_nodes, seed)
    place = torch.randperm(num_nodes, generator=torch.Generator().manual_seed(seed))
    moved = equivariant_polynomials(place[edge_index], num_nodes, degree=6).dense(num_nodes)
    assert moved[:, place][:, :, place].equal(equivariant_polynomials(edge_index, num_nodes, degree=6).dense(num_nodes))


@pytest.mark.parametrize("degree", [5, 6])
def test_batches_join_what_single_graphs_have(degree):
    graphs = [Data(edge_index=multigraph(n, n)[1], num_nodes=n) for n in (5, 1, 0, 6, 3)]
    add = EquivariantPolynomials(degree)
    joined, whole = batch_of([add(data) for data in graphs]), add(batch_of(graphs))
    assert joined.polynomial_index.equal(whole.polynomial_index)
    assert joined.polynomial_value.equal(whole.polynomial_value)
    assert "polynomial_index" not in graphs[0] and repr(add) == f"EquivariantPolynomials(degree={degree})"


def test_pairs_are_listed_once_in_order_and_only_where_there_is_a_value():
    for degree in (5, 6):
        index, value = equivariant_polynomials(multigraph(7, 3)[1], 7, degree)
        keys = index[0] * 7 + index[1]
        assert bool((keys[1:] > keys[:-1]).all()) and bool((value != 0).any(dim=1).all())


def test_sparse_graphs_take_no_square_of_their_nodes():
    """A star of a hundred thousand rays and one triangle: 10^10 pairs have a common neighbor, three have a value."""
    rays = torch.stack([torch.zeros(100_000, dtype=torch.int64), torch.arange(1, 100_001)])
    one_way = torch.cat([rays, torch.tensor([[1], [2]])], dim=1)
    index, value = equivariant_polynomials(torch.cat([one_way, one_way.flip(0)], dim=1))
    assert index.tolist() == [[0, 1, 2], [0, 1, 2]] and value.flatten().tolist() == [2, 2, 2]


def test_the_graph_that_is_read_stays_as_it_is():
    _, edge_index = multigraph(6, 2)
    graph = Graph.from_edge_index(edge_index, (6, 6))
    col = graph.col.clone()
    equivariant_polynomials(graph, degree=6)
    assert graph.col.equal(col) and graph.edge_index().equal(edge_index)


def test_the_polynomial_of_degree_5_tells_strongly_regular_graphs_apart():
    batch = batch_of(brec("strongly_regular"))
    index, value = equivariant_polynomials(batch.edge_index, batch.num_nodes)
    parts = batch.edge_index, batch.batch
    assert colors_differ(folklore_refinement(*parts, pair_index=index, pair_color=value[:, 0])) == 50
    for family in ("sr251256", "sr261034", "sr281264", "sr291467"):
        batch = batch_of(graph6(f"sr/{family}.g6"))
        index, value = equivariant_polynomials(batch.edge_index, batch.num_nodes)
        colors = folklore_refinement(batch.edge_index, batch.batch, pair_index=index, pair_color=value[:, 0])
        assert equal_pairs(colors) == 0
        copies = batch_of([permuted(data) for data in graph6(f"sr/{family}.g6")])
        moved = equivariant_polynomials(copies.edge_index, copies.num_nodes).value
        assert moved.sum() == value.sum()


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"degree": 4}, "'degree' must be 5 or 6, got 4"),
        ({"edge_index": torch.tensor([[0], [1]])}, "'edge_index' must list each edge both ways"),
        ({"edge_index": torch.tensor([[0, 1, 0], [1, 0, 1]])}, "'edge_index' must list each edge both ways"),
        ({"edge_index": torch.tensor([[0, 3], [3, 0]])}, "'edge_index' has sources from 0 to 3"),
        ({"batch": torch.tensor([0, 1, 1])}, "'edge_index' must lie within graphs"),
        ({"batch": torch.tensor([0, 0])}, "'batch' must hold one int64 number for each of the 3 nodes"),
    ],
)
def test_what_does_not_fit_is_refused(change, message):
    arguments = {"edge_index": torch.tensor([[0, 1], [1, 0]]), "num_nodes": 3} | change
    with pytest.raises(ValueError, match=message):
        equivariant_polynomials(**arguments)
