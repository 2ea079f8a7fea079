import networkx as nx
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from graphlab.subgraph import folklore_refinement
from graphlab.subgraph.folklore_refinement import _EXACT_TERMS, _PRIME, _residues
from tests.subgraph.expressivity_data import (
    batch_of,
    brec,
    colors_differ,
    csl,
    equal_pairs,
    graph6,
    graph_of,
    graphsat,
    permuted,
)

NAMES: dict[str, int] = {}


def reference(graph: nx.Graph) -> list[int]:
    """2-FWL by nested lists, sorted and numbered by a dictionary that the graphs share."""
    color = {(i, j): name((i == j, graph.has_edge(i, j))) for i in graph for j in graph}
    for _ in range(len(graph) ** 2 // 2):
        color = {
            (i, j): name((color[i, j], sorted((color[i, w], color[w, j]) for w in graph))) for i in graph for j in graph
        }
    return sorted(color.values())


def name(content: object) -> int:
    return NAMES.setdefault(str(content), len(NAMES))


@given(st.lists(st.tuples(st.integers(0, 4), st.integers(0, 2**20)), min_size=2, max_size=4))
def test_colors_are_those_of_nested_lists(draws):
    graphs = [nx.gnp_random_graph(n, 0.5, seed=seed) for n, seed in draws]
    batch = batch_of([graph_of(list(g.edges), len(g)) for g in graphs])
    colors = folklore_refinement(batch.edge_index, batch.batch, len(graphs)).tolist()
    lists = [(len(g), reference(g)) for g in graphs]
    for one, a in zip(lists, colors, strict=True):
        # The lists of two sizes were refined a different number of times.
        assert [one == other for other in lists] == [a == b for b in colors]


def test_two_hexagons_by_the_reference():
    hexagon, triangles = nx.cycle_graph(6), nx.disjoint_union(nx.cycle_graph(3), nx.cycle_graph(3))
    batch = batch_of([graph_of(list(g.edges), 6) for g in (hexagon, triangles, hexagon)])
    assert folklore_refinement(batch.edge_index, batch.batch).tolist() in ([0, 1, 0], [1, 0, 1])
    assert reference(hexagon) != reference(triangles)


def test_residues_are_those_of_whole_numbers():
    torch.manual_seed(0)
    n = _EXACT_TERMS + 5
    left, right = torch.full((1, 1, 1, n), _PRIME - 1.0), torch.full((1, 1, n, 1), _PRIME - 1.0)
    assert _residues(left.double(), right.double()).tolist() == [[[[n * (_PRIME - 1) ** 2 % _PRIME]]]]
    assert all(_PRIME % d for d in range(2, 1449)) and _PRIME**3 < 2**63 and _EXACT_TERMS * _PRIME**2 < 2**53


@pytest.mark.parametrize(
    ("part", "count"),
    [
        ("basic", 60),
        ("simple_regular", 50),
        ("strongly_regular", 0),
        ("extension", 100),
        ("four_vertex_condition", 0),
        ("distance_regular", 0),
    ],
)
def test_counts_on_brec(part, count):
    batch = batch_of(brec(part))
    assert colors_differ(folklore_refinement(batch.edge_index, batch.batch)) == count


@pytest.mark.slow
def test_60_cfi_pairs_are_told_apart():
    batch = batch_of(brec("cfi"))
    assert colors_differ(folklore_refinement(batch.edge_index, batch.batch)) == 60


@pytest.mark.slow
@pytest.mark.parametrize("name", ["EXP", "CEXP"])
def test_all_pairs_of_exp_and_cexp_are_told_apart(name):
    batch = batch_of(graphsat(name))
    assert colors_differ(folklore_refinement(batch.edge_index, batch.batch, node_color=batch.x[:, 1].long())) == 600


def test_graphs_of_seven_nodes_and_circulants_are_all_told_apart():
    for graphs in (graph6("graph8c/graph7c.g6"), csl()):
        batch = batch_of(graphs)
        assert equal_pairs(folklore_refinement(batch.edge_index, batch.batch)) == 0


@pytest.mark.slow
def test_all_of_graph8c_are_told_apart():
    batch = batch_of(graph6("graph8c/graph8c.g6"))
    assert equal_pairs(folklore_refinement(batch.edge_index, batch.batch)) == 0


def test_permuted_copies_have_one_color():
    torch.manual_seed(0)
    graphs = graph6("graph8c/graph6c.g6") + brec("extension")[:20]
    batch = batch_of([copy for data in graphs for copy in (data, permuted(data))])
    assert colors_differ(folklore_refinement(batch.edge_index, batch.batch)) == 0


def test_colors_to_begin_with_count():
    square = graph_of([(0, 1), (1, 2), (2, 3), (3, 0)], 4)
    batch = batch_of([square, square, square])
    nodes = torch.tensor([1, 0, 0, 0, 0, 0, 1, 0, 1, 0, 1, 0])
    one, same, other = folklore_refinement(batch.edge_index, batch.batch, node_color=nodes).tolist()
    assert one == same != other
    pairs = torch.tensor([[0, 6, 8], [1, 5, 10]])
    colors = folklore_refinement(batch.edge_index, batch.batch, pair_index=pairs, pair_color=torch.ones(3).long())
    one, same, other = colors.tolist()
    assert one == same != other


def test_directions_and_sizes_count_and_empty_graphs_do_too():
    batch = torch.tensor([0, 0, 0, 2, 2, 2, 3])
    edges = torch.tensor([[0, 1, 5, 5], [2, 2, 3, 4]])
    assert folklore_refinement(edges, batch, 4).unique().numel() == 4
    none = torch.empty(2, 0, dtype=torch.int64)
    assert folklore_refinement(none, torch.empty(0, dtype=torch.int64), 2).tolist() == [0, 0]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"pair_index": torch.tensor([[0], [1]])}, "'pair_color' must be int64, one for each column.*got None"),
        ({"pair_index": torch.tensor([[0], [1]]), "pair_color": torch.ones(1)}, "got torch.float32"),
        ({"pair_index": torch.tensor([[0, 0], [1, 1]]), "pair_color": torch.tensor([1, 2])}, "each pair once"),
        ({"pair_index": torch.tensor([[0], [2]]), "pair_color": torch.tensor([1])}, "'pair_index' must lie within"),
        ({"pair_index": torch.tensor([[0], [5]]), "pair_color": torch.tensor([1])}, r"nodes in \[0, 3\), got 0 to 5"),
        ({"edge_index": torch.tensor([[0], [2]])}, "'edge_index' must lie within graphs"),
    ],
)
def test_what_does_not_fit_is_refused(change, message):
    arguments = {"edge_index": torch.tensor([[0], [1]]), "batch": torch.tensor([0, 0, 1])} | change
    with pytest.raises(ValueError, match=message):
        folklore_refinement(**arguments)
