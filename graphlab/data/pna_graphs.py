"""The random graphs of the PNA benchmark: ten families, then edges dropped and added."""

from collections.abc import Callable
from itertools import pairwise

import networkx as nx
import numpy as np

Rng = np.random.Generator

_TREE_TRIES = 200
_KEPT = 0.9


def random_graph(n: int, rng: Rng) -> np.ndarray:
    """A graph of a random family, perturbed, in which no node is isolated.

    The mixture of Corso et al. (2020, Principal Neighbourhood Aggregation, arXiv 2004.05718). A
    graph with an isolated node is thrown away and all of it, its family too, is drawn anew.

    Args:
        n: Number of nodes, 3 or more.
        rng: The source of randomness, advanced.

    Shapes:
        - returned: ``[n, n]``, symmetric, 0 or 1, zero diagonal

    Raises:
        ValueError: If ``n`` is below 3.
    """
    if n < 3:
        raise ValueError(f"n must be 3 or more for every family to exist, got {n}")
    while True:
        family = _FAMILIES[rng.choice(len(_FAMILIES), p=_SHARES)]
        adjacency = perturb(_shuffled(family(n, rng), rng), rng)
        if adjacency.any(axis=0).all():
            return adjacency


def perturb(adjacency: np.ndarray, rng: Rng) -> np.ndarray:
    """Drop and add a few edges at random.

    With ``e`` edges and ``r`` non-edges, and ``u`` the sum of two uniform numbers on [0, 1/2) for
    each pair of nodes, an edge stays if ``u < p`` and a non-edge becomes one if ``u < q``, where
    ``p = 0.9, q = 0.1 e / r`` if ``e <= r``, else ``p = 0.9 + 0.1 (e - r) / e, q = 0.1``.

    Args:
        adjacency: The graph.
        rng: The source of randomness, advanced.

    Shapes:
        - adjacency and returned: ``[n, n]``, symmetric, 0 or 1, zero diagonal
    """
    n = len(adjacency)
    edges = adjacency.sum() / 2
    others = n * (n - 1) / 2 - edges
    if edges <= others:
        stay, appear = _KEPT, (1 - _KEPT) * edges / others
    else:
        stay, appear = _KEPT + (1 - _KEPT) * (edges - others) / edges, 1 - _KEPT
    half = rng.uniform(0, 0.5, size=(n, n))
    result = (half + half.T < np.where(adjacency > 0, stay, appear)).astype(adjacency.dtype)
    np.fill_diagonal(result, 0)
    return result


def _shuffled(graph: nx.Graph, rng: Rng) -> np.ndarray:
    order = rng.permutation(graph.number_of_nodes())
    return nx.to_numpy_array(graph)[np.ix_(order, order)]


def _erdos_renyi(n: int, rng: Rng) -> nx.Graph:
    return nx.gnp_random_graph(n, rng.uniform(), seed=rng)


def _barabasi_albert(n: int, rng: Rng) -> nx.Graph:
    return nx.barabasi_albert_graph(n, int(rng.uniform() * (n - 1)) + 1, seed=rng)


def _grid(n: int, rng: Rng) -> nx.Graph:
    return nx.grid_2d_graph(_divisor(n), n // _divisor(n))


def _caveman(n: int, rng: Rng) -> nx.Graph:
    return nx.caveman_graph(_divisor(n), n // _divisor(n))


def _divisor(n: int) -> int:
    """The largest divisor that is at most the square root."""
    return max(m for m in range(1, int(n**0.5) + 1) if n % m == 0)


def _powerlaw_tree(n: int, rng: Rng) -> nx.Graph:
    while True:
        try:
            return nx.random_powerlaw_tree(n, gamma=3, seed=rng, tries=_TREE_TRIES)
        except nx.NetworkXError:  # about one call in fifty; networkx pays for all tries in advance
            continue


def _ladder(n: int, rng: Rng) -> nx.Graph:
    """A ladder of ``n // 2`` rungs; an odd node left over hangs on the last one."""
    graph = nx.ladder_graph(n // 2)
    if n % 2:
        graph.add_edge(n - 2, n - 1)
    return graph


def _line(n: int, rng: Rng) -> nx.Graph:
    return nx.path_graph(n)


def _star(n: int, rng: Rng) -> nx.Graph:
    return nx.star_graph(n - 1)


def _caterpillar(n: int, rng: Rng) -> nx.Graph:
    backbone = int(rng.integers(1, n))
    legs = [(node, int(rng.integers(backbone))) for node in range(backbone, n)]
    return nx.Graph([*pairwise(range(backbone)), *legs])


def _lobster(n: int, rng: Rng) -> nx.Graph:
    backbone = int(rng.integers(1, n))
    feet = int(rng.integers(backbone + 1, n + 1))
    legs = [(node, int(rng.integers(backbone))) for node in range(backbone, feet)]
    ends = [(node, int(rng.integers(backbone, feet))) for node in range(feet, n)]
    return nx.Graph([*pairwise(range(backbone)), *legs, *ends])


_MIXTURE: dict[Callable[[int, Rng], nx.Graph], float] = {
    _erdos_renyi: 0.20,
    _barabasi_albert: 0.20,
    _grid: 0.05,
    _caveman: 0.05,
    _powerlaw_tree: 0.15,
    _ladder: 0.05,
    _line: 0.05,
    _star: 0.05,
    _caterpillar: 0.10,
    _lobster: 0.10,
}
_FAMILIES, _SHARES = list(_MIXTURE), list(_MIXTURE.values())
