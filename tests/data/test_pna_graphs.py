from typing import Any

import networkx as nx
import numpy as np
import pytest

from graphlab.data import pna_graphs
from graphlab.data.pna_graphs import perturb, random_graph

FAMILIES = pna_graphs._MIXTURE
EDGES = {
    "_grid": {15: 22, 24: 38, 23: 22},  # 3 x 5, 4 x 6, 1 x 23
    "_caveman": {15: 30, 24: 60, 23: 253},  # cliques: 3 of 5, 4 of 6, 1 of 23
    "_ladder": {15: 20, 24: 34, 23: 32},  # rungs: 7 and one node, 12, 11 and one node
    "_line": {15: 14, 24: 23, 23: 22},
    "_star": {15: 14, 24: 23, 23: 22},
}
TREES = ("_powerlaw_tree", "_caterpillar", "_lobster", "_line", "_star")


def test_the_mixture_is_the_paper_s() -> None:
    shares = [FAMILIES[family] for family in FAMILIES]
    assert shares == [0.20, 0.20, 0.05, 0.05, 0.15, 0.05, 0.05, 0.05, 0.10, 0.10]
    assert sum(shares) == pytest.approx(1)


@pytest.mark.parametrize("family", FAMILIES, ids=lambda family: family.__name__)
@pytest.mark.parametrize("n", [3, 15, 23, 24])
def test_families_have_their_nodes_and_edges(family: Any, n: int) -> None:
    for seed in range(20):
        graph = family(n, np.random.default_rng(seed))
        assert graph.number_of_nodes() == n
        assert nx.number_of_selfloops(graph) == 0
        if family.__name__ in TREES:
            assert nx.is_tree(graph)
        if n in EDGES.get(family.__name__, {}):
            assert graph.number_of_edges() == EDGES[family.__name__][n]


def without_leaves(graph: nx.Graph) -> nx.Graph:
    return graph.subgraph([node for node, degree in graph.degree if degree > 1])


def is_path(graph: nx.Graph) -> bool:
    return all(degree <= 2 for _, degree in graph.degree)


@pytest.mark.parametrize("seed", range(30))
def test_caterpillars_and_lobsters_lose_their_leaves_to_a_path(seed: int) -> None:
    rng = np.random.default_rng(seed)
    assert is_path(without_leaves(pna_graphs._caterpillar(20, rng)))
    assert is_path(without_leaves(without_leaves(pna_graphs._lobster(20, rng))))


def triangular(threshold: float) -> float:
    """Probability that two uniform numbers on [0, 1/2) sum to less than ``threshold``."""
    return 2 * threshold**2 if threshold < 0.5 else 1 - 2 * (1 - threshold) ** 2


@pytest.mark.parametrize("density", [0.2, 0.8])
def test_edges_stay_and_appear_at_the_stated_rates(density: float) -> None:
    n, rng = 600, np.random.default_rng(0)
    before = nx.to_numpy_array(nx.gnp_random_graph(n, density, seed=0))
    after = perturb(before, rng)
    pairs = np.triu_indices(n, 1)
    was, now = before[pairs] > 0, after[pairs] > 0
    edges, others = was.sum(), (~was).sum()
    if edges <= others:
        stay, appear = 0.9, 0.1 * edges / others
    else:
        stay, appear = 0.9 + 0.1 * (edges - others) / edges, 0.1
    for group, threshold in ((was, stay), (~was, appear)):
        expected = triangular(threshold)
        error = (expected * (1 - expected) / group.sum()) ** 0.5
        assert abs(now[group].mean() - expected) < 5 * error
    assert np.array_equal(after, after.T)
    assert not after.diagonal().any()


def test_a_complete_graph_stays_complete() -> None:
    complete = nx.to_numpy_array(nx.complete_graph(9))
    assert np.array_equal(perturb(complete, np.random.default_rng(0)), complete)


@pytest.mark.parametrize("n", [3, 15, 24])
def test_graphs_are_simple_and_no_node_is_isolated(n: int) -> None:
    rng = np.random.default_rng(n)
    for _ in range(50):
        graph = random_graph(n, rng)
        assert graph.shape == (n, n)
        assert set(np.unique(graph)) <= {0, 1}
        assert np.array_equal(graph, graph.T)
        assert not graph.diagonal().any()
        assert graph.sum(axis=0).min() >= 1


def test_too_small_graphs_are_refused() -> None:
    with pytest.raises(ValueError, match=r"n must be 3 or more .*, got 2"):
        random_graph(2, np.random.default_rng(0))
