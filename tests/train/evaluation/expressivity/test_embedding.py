import networkx as nx
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch_geometric.data import Data
from torch_geometric.utils import to_networkx

from graphlab.train.config import ConfigError
from graphlab.train.evaluation.expressivity import network
from graphlab.train.evaluation.expressivity.embedding import batches, embed, relabelled, untrained
from tests.train.evaluation.expressivity.toys import HERE, HEXAGON, ClosedWalks, Infinite, PlaceInBatch, random_graphs


@given(st.integers(0, 2**16))
def test_a_relabelled_graph_is_the_same_graph_with_its_features(seed: int) -> None:
    (graph,) = random_graphs(1, seed)
    graph.x = torch.arange(graph.x.size(0)).view(-1, 1) if graph.x is not None else None
    copy = relabelled(graph, torch.Generator().manual_seed(seed))
    assert copy.x is not None and copy.is_coalesced()
    names = dict(enumerate(copy.x.view(-1).tolist()))
    renamed = nx.relabel_nodes(to_networkx(copy), names)
    assert nx.utils.graphs_equal(renamed, to_networkx(graph))


@given(st.lists(st.integers(0, 6), max_size=12), st.integers(1, 60))
def test_batches_cut_a_list(sizes: list[int], most: int) -> None:
    graphs = [Data(x=torch.ones(size, 1)) for size in sizes]
    found = [*batches(graphs, most)]
    assert [id(graph) for batch in found for graph in batch] == [*map(id, graphs)]
    assert all(len(batch) == 1 or sum((graph.num_nodes or 0) ** 2 for graph in batch) <= most for batch in found)


def test_batches_change_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    graphs = random_graphs(20)
    whole = embed(ClosedWalks(), graphs, torch.float64)
    one_by_one = torch.cat([embed(ClosedWalks(), [graph], torch.float64) for graph in graphs])
    assert whole.shape == (20, 16) and torch.equal(whole, one_by_one)


def test_weights_come_from_the_seed_and_leave_the_stream_alone() -> None:
    state = torch.get_rng_state()
    vectors = [untrained(network("gin"), 1, seed)(random_graphs(3)) for seed in (0, 0, 1)]
    assert torch.equal(vectors[0], vectors[1]) and not torch.equal(vectors[0], vectors[2])
    assert vectors[0].dtype == torch.float64 and torch.equal(torch.get_rng_state(), state)


def test_what_is_no_vector_of_each_graph_is_refused() -> None:
    with pytest.raises(ConfigError, match="vectors that are not finite"):
        embed(Infinite().double(), [HEXAGON], torch.float64)
    flat = PlaceInBatch()
    flat.register_forward_hook(lambda module, given, found: found.view(-1))
    with pytest.raises(ConfigError, match=r"expected a vector for each of 2 graphs, got shape \(2,\)"):
        embed(flat, [HEXAGON, HEXAGON], torch.float64)


def test_unknown_networks_and_parts_are_named() -> None:
    with pytest.raises(
        ConfigError, match=f"'{HERE}:absent' is not to be had: AttributeError: module .* has no attribute 'absent'"
    ):
        untrained(network(f"{HERE}:absent"), 1)
    with pytest.raises(ConfigError, match=f"'{HERE}:graph' cannot be made: .*unexpected keyword argument"):
        untrained(network(f"{HERE}:graph"), 1)
    with pytest.raises(ConfigError, match=f"'{HERE}:nothing' cannot be made: expected a .*Module, got NoneType"):
        untrained(network(f"{HERE}:nothing"), 1)
