"""The listed polynomials are all that PPGN does not compute up to degree 6."""

from collections.abc import Iterator
from itertools import permutations

import networkx as nx
import pytest
from networkx.algorithms.isomorphism import GraphMatcher

from graphlab.subgraph.equivariant_polynomials import POLYNOMIALS

Outputs = tuple[int, ...]


def is_computable(pattern: nx.Graph, outputs: Outputs) -> bool:
    """Contract nodes that are no outputs and have at most two neighbors; parallel edges multiply into one."""
    graph = nx.Graph(pattern)
    while small := [v for v in graph if v not in outputs and graph.degree(v) <= 2]:
        neighbors = list(graph[small[0]])
        graph.remove_node(small[0])
        if len(neighbors) == 2:
            graph.add_edge(*neighbors)
    return all(u in outputs and v in outputs for u, v in graph.edges)


def kinds_of_outputs(pattern: nx.Graph) -> Iterator[Outputs]:
    """No, one or two output nodes, one choice of those that an automorphism turns into each other."""
    turns = list(GraphMatcher(pattern, pattern).isomorphisms_iter())
    for number in range(3):
        for outputs in permutations(pattern, number):
            if outputs == min(tuple(turn[v] for v in outputs) for turn in turns):
                yield outputs


def not_computable(degree: int) -> list[tuple[nx.Graph, Outputs]]:
    patterns = [g for g in nx.graph_atlas_g() if g.number_of_edges() == degree and nx.is_connected(g)]
    return [(g, outputs) for g in patterns for outputs in kinds_of_outputs(g) if not is_computable(g, outputs)]


def marked(pattern: nx.Graph, outputs: Outputs) -> nx.Graph:
    pattern = nx.Graph(pattern)
    nx.set_node_attributes(pattern, {v: outputs.index(v) if v in outputs else -1 for v in pattern}, "mark")
    return pattern


@pytest.mark.parametrize(("degree", "count"), [(1, 0), (2, 0), (3, 0), (4, 0), (5, 1), (6, 11)])
def test_numbers_of_polynomials_that_ppgn_does_not_compute(degree, count):
    assert len(not_computable(degree)) == count


def test_these_are_the_listed_ones():
    same = nx.algorithms.isomorphism.categorical_node_match("mark", None)
    left = [marked(*found) for degree in (5, 6) for found in not_computable(degree)]
    for edges, outputs in POLYNOMIALS:
        matching = [g for g in left if nx.is_isomorphic(g, marked(nx.Graph(edges), outputs), node_match=same)]
        assert len(matching) == 1
        left.remove(matching[0])
    assert not left
