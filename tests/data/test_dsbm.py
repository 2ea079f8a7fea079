from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from graphlab.data import DSBM, card, load, splits
from graphlab.data.dsbm import cluster_sizes, flow_matrix


def counts_between(graph: Any) -> torch.Tensor:
    clusters = int(graph.y.max()) + 1
    source, target = graph.y[graph.edge_index]
    return (source * clusters + target).bincount(minlength=clusters**2).view(clusters, clusters)


@pytest.mark.parametrize("meta_graph", ["cycle", "path", "complete"])
@pytest.mark.parametrize("clusters", [2, 4])
def test_edges_flow_along_the_meta_graph(meta_graph: Any, clusters: int) -> None:
    graph: Any = DSBM(400, clusters, meta_graph, p=0.2, eta=0.1, size_ratio=2.0, features="degree", seed=1)[0]
    sizes = graph.y.bincount().double()
    trials = sizes[:, None] * sizes - sizes.diag()
    probability = 0.2 * flow_matrix(meta_graph, clusters, 0.1)
    spread = (trials * probability * (1 - probability)).sqrt()
    assert bool(((counts_between(graph) - trials * probability).abs() <= 5 * spread).all())


def test_flow_matrices() -> None:
    half, most, few = 0.5, 0.75, 0.25
    cycle = [[half, most, few], [few, half, most], [most, few, half]]
    path = [[half, most, 0.0], [few, half, most], [0.0, few, half]]
    complete = [[half, most, most], [few, half, most], [few, few, half]]
    for kind, expected in (("cycle", cycle), ("path", path), ("complete", complete)):
        assert flow_matrix(kind, 3, 0.25).tolist() == expected  # pyright: ignore[reportArgumentType]
    assert flow_matrix("cycle", 2, 0.25).tolist() == [[half, most], [few, half]]


@settings(max_examples=50)
@given(st.integers(2, 60), st.integers(2, 5), st.floats(0.01, 1.0), st.floats(0, 0.5), st.integers(0, 99))
def test_edges_are_simple_and_of_this_graph(nodes: int, clusters: int, p: float, eta: float, seed: int) -> None:
    nodes = max(nodes, clusters)
    graph: Any = DSBM(nodes, clusters, p=p, eta=eta, features="degree", seed=seed)[0]
    source, target = graph.edge_index
    assert not bool((source == target).any())
    assert (source * nodes + target).unique().numel() == graph.num_edges
    assert graph.y.bincount(minlength=clusters).min() >= 1 and graph.num_nodes == nodes


def test_every_pair_is_linked_at_probability_one() -> None:
    graph: Any = DSBM(12, 3, p=1.0, eta=0.0, seed=4)[0]
    sizes = graph.y.bincount()
    counts = counts_between(graph)
    assert counts[0, 1] == sizes[0] * sizes[1] and counts[1, 0] == 0
    assert counts[2, 0] == sizes[2] * sizes[0] and counts[0, 2] == 0


def test_directions_alone_tell_the_clusters() -> None:
    graph: Any = DSBM(300, 3, p=0.3, eta=0.05, seed=2)[0]
    counts = counts_between(graph).double()
    sizes = graph.y.bincount().double()
    density = (counts + counts.T) / (sizes[:, None] * sizes - sizes.diag())
    torch.testing.assert_close(density, torch.full((3, 3), 0.3, dtype=torch.float64), rtol=0.05, atol=0)
    assert graph.is_direction_genuine is True


def test_a_seed_makes_one_graph() -> None:
    one, same, other = (DSBM(50, seed=seed)[0] for seed in (3, 3, 4))
    assert torch.equal(one.edge_index, same.edge_index) and torch.equal(one.y, same.y)
    assert not torch.equal(one.y, other.y)


def test_random_features_are_of_the_seed() -> None:
    one, same, other = (DSBM(50, features="random", seed=seed)[0].x for seed in (2**40, 2**40, 4))
    assert torch.equal(one, same) and not torch.equal(one, other)  # pyright: ignore


@pytest.mark.parametrize(
    ("nodes", "clusters", "ratio", "sizes"),
    [(10, 3, 1.0, [3, 4, 3]), (70, 3, 4.0, [10, 20, 40]), (2, 2, 1.0, [1, 1])],
)
def test_cluster_sizes_are_geometric(nodes: int, clusters: int, ratio: float, sizes: list[int]) -> None:
    assert cluster_sizes(nodes, clusters, ratio) == sizes


def test_it_is_loaded_by_name_with_ten_splits() -> None:
    dataset = load("dsbm", num_nodes=60, features="degree")
    parts = [splits(dataset, split) for split in range(10)]
    assert all([len(part) for part in each.values()] == [36, 12, 12] for each in parts)
    assert vars(dataset)["card"] is card("dsbm")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"num_nodes": 0}, "num_nodes must be a whole number of 1 or more"),
        ({"num_clusters": 1}, "num_clusters must be 2 or more, got 1"),
        ({"num_nodes": 2}, "num_nodes must give every cluster a node, got 2 nodes for 3 clusters"),
        ({"p": 0.0}, "p must be above 0 and at most 1, got 0.0"),
        ({"p": float("nan")}, "p must be above 0"),
        ({"eta": 0.6}, r"eta must be in \[0, 0.5\], got 0.6"),
        ({"size_ratio": float("inf")}, "size_ratio must be a finite number"),
        ({"seed": -1}, "seed must be a whole number of 0 or more"),
        ({"meta_graph": "star"}, "meta_graph must be one of 'cycle', 'path', 'complete', got 'star'"),
        ({"features": "words"}, "features must be one of 'degree', 'random', 'onehot', got 'words'"),
    ],
)
def test_arguments_out_of_range_are_refused(arguments: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        DSBM(**arguments)
