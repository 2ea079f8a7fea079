import networkx as nx
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from graphlab.subgraph import color_refinement
from tests.subgraph.expressivity_data import (
    BREC,
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


def reference(graphs: list[nx.Graph]) -> list[str]:
    """1-WL by nested tuples, one round per node."""
    result = []
    for graph in graphs:
        color = dict.fromkeys(graph, "")
        for _ in range(max(map(len, graphs))):
            color = {v: str((color[v], sorted(color[u] for u in graph[v]))) for v in graph}
            # What a tuple says is kept short without losing any of it: the graphs share the dictionary.
            color = {v: NAMES.setdefault(text, str(len(NAMES))) for v, text in color.items()}
        result.append(str(sorted(color.values())))
    return result


NAMES: dict[str, str] = {}


@given(st.lists(st.tuples(st.integers(0, 5), st.integers(0, 2**20)), min_size=2, max_size=5))
def test_colors_are_those_of_nested_tuples(draws):
    graphs = [nx.gnp_random_graph(n, 0.5, seed=seed) for n, seed in draws]
    batch = batch_of([graph_of(list(g.edges), len(g)) for g in graphs])
    colors = color_refinement(batch.edge_index, batch.batch, len(graphs)).tolist()
    texts = reference(graphs)
    for one, a in zip(texts, colors, strict=True):
        assert [one == other for other in texts] == [a == b for b in colors]


def test_colors_of_nodes_to_begin_with_count():
    path = graph_of([(0, 1), (1, 2)], 3)
    batch = batch_of([path, path, path])
    colors = torch.tensor([7, 0, 0, 0, 7, 0, 0, 0, 7])
    assert color_refinement(batch.edge_index, batch.batch, node_color=colors).tolist() in ([1, 0, 1], [0, 1, 0])


def test_multiplicities_directions_and_sizes_count():
    batch = torch.tensor([0, 0, 1, 1, 2, 3])
    once_twice = torch.tensor([[0, 2, 2], [1, 3, 3]])
    assert color_refinement(once_twice, batch, 5).unique().numel() == 4
    star_in, star_out = [[0, 1], [2, 2]], [[5, 5], [3, 4]]
    edges = torch.tensor([star_in[0] + star_out[0], star_in[1] + star_out[1]])
    assert color_refinement(edges, torch.tensor([0, 0, 0, 1, 1, 1])).unique().numel() == 2


def test_no_nodes_and_no_edges():
    none = torch.empty(2, 0, dtype=torch.int64)
    assert color_refinement(none, torch.empty(0, dtype=torch.int64), 2).tolist() == [0, 0]
    assert color_refinement(none, torch.tensor([0, 1, 1])).tolist() == [0, 1]


@pytest.mark.parametrize("part", BREC)
def test_no_pair_of_brec_is_told_apart(part):
    batch = batch_of(brec(part))
    assert colors_differ(color_refinement(batch.edge_index, batch.batch)) == 0


@pytest.mark.parametrize(("name", "count"), [("EXP", 0), ("CEXP", 300)])
def test_half_the_pairs_of_cexp_and_none_of_exp(name, count):
    batch = batch_of(graphsat(name))
    assert colors_differ(color_refinement(batch.edge_index, batch.batch, node_color=batch.x[:, 1].long())) == count


def test_312_pairs_of_graph8c_are_not_told_apart():
    batch = batch_of(graph6("graph8c/graph8c.g6"))
    assert equal_pairs(color_refinement(batch.edge_index, batch.batch)) == 312


def test_permuted_copies_have_one_color_and_circulants_too():
    torch.manual_seed(0)
    graphs = graph6("graph8c/graph7c.g6")
    batch = batch_of([copy for data in graphs for copy in (data, permuted(data))])
    assert colors_differ(color_refinement(batch.edge_index, batch.batch)) == 0
    circulants = batch_of(csl())
    assert color_refinement(circulants.edge_index, circulants.batch).unique().numel() == 1


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"batch": torch.tensor([0, 1, 0])}, "'batch' must be sorted"),
        ({"batch": torch.tensor([0.0, 0.0, 1.0])}, "'batch' must hold one int64 number"),
        ({"batch_size": 1}, "'batch_size' is 1, but 'batch' names 2"),
        ({"edge_index": torch.tensor([[0], [2]])}, "'edge_index' must lie within graphs, but leads from node 0"),
        ({"edge_index": torch.tensor([[0], [3]])}, "'edge_index' has targets from 3 to 3"),
        ({"node_color": torch.zeros(3)}, "'node_color' must hold one int64 number"),
    ],
)
def test_what_does_not_fit_is_refused(change, message):
    arguments = {"edge_index": torch.tensor([[0], [1]]), "batch": torch.tensor([0, 0, 1])} | change
    with pytest.raises(ValueError, match=message):
        color_refinement(**arguments)
