"""Classical algorithms are aggregation with the parameters set by hand: the results are exact."""

import networkx as nx
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor
from torch_geometric.nn import MessagePassing

SETTINGS = settings(max_examples=60)


class BellmanFord(MessagePassing):
    r"""One relaxation: :math:`d_i \leftarrow \min_{j \to i} (d_j + w_{ji})`."""

    def __init__(self) -> None:
        super().__init__(aggr="min")

    def forward(self, distance: Tensor, edge_index: Tensor, edge_weight: Tensor) -> Tensor:
        return self.propagate(edge_index, x=distance, edge_weight=edge_weight)

    def message(self, x_j: Tensor, edge_weight: Tensor) -> Tensor:
        return x_j + edge_weight.unsqueeze(-1)


class Reach(MessagePassing):
    r"""One step of breadth-first search: :math:`r_i \leftarrow \max_{j \to i} r_j`."""

    def __init__(self) -> None:
        super().__init__(aggr="max")

    def forward(self, reached: Tensor, edge_index: Tensor) -> Tensor:
        return self.propagate(edge_index, x=reached)


@st.composite
def graphs(draw, low: int = 0, high: int = 100, directed: bool | None = None):
    """Random weighted graphs, a node of which may have no edge at all."""
    size = draw(st.integers(1, 10))
    nodes = st.integers(0, size - 1)
    weights = draw(st.dictionaries(st.tuples(nodes, nodes), st.integers(low, high), max_size=30))
    directed = draw(st.booleans()) if directed is None else directed
    graph = nx.DiGraph() if directed else nx.Graph()
    graph.add_nodes_from(range(size))
    graph.add_weighted_edges_from((u, v, w) for (u, v), w in weights.items())
    return graph


def edges_with_loops(graph: nx.Graph) -> tuple[Tensor, Tensor]:
    """All edges in both directions they have, and a loop of weight 0 that keeps each node's value."""
    edges = list(graph.to_directed().edges(data="weight"))
    edges += [(node, node, 0) for node in graph]
    source, target, weight = zip(*edges, strict=True)
    return torch.tensor([source, target]), torch.tensor(weight, dtype=torch.float64)


def distances(graph: nx.Graph) -> Tensor:
    """Distance from every source (columns) to every node (rows), infinite where there is no path."""
    edge_index, edge_weight = edges_with_loops(graph)
    size, conv = graph.number_of_nodes(), BellmanFord()
    distance = torch.full((size, size), torch.inf, dtype=torch.float64).fill_diagonal_(0)
    for _ in range(size - 1):
        distance = conv(distance, edge_index, edge_weight)
    return distance


def expected_distances(graph: nx.Graph) -> Tensor:
    size = graph.number_of_nodes()
    out = torch.full((size, size), torch.inf, dtype=torch.float64)
    for source in graph:
        for node, distance in nx.single_source_bellman_ford_path_length(graph, source).items():
            out[node, source] = distance
    return out


@SETTINGS
@given(graphs())
def test_bellman_ford_is_min_aggregation(graph):
    assert torch.equal(distances(graph), expected_distances(graph))


@SETTINGS
@given(graphs(directed=True), st.lists(st.integers(-50, 50), min_size=10, max_size=10))
def test_negative_weights_without_negative_cycles(graph, height):
    # A difference of heights changes every cycle by nothing, and makes many weights negative.
    for u, v, data in graph.edges(data=True):
        data["weight"] += height[u] - height[v]
    assert torch.equal(distances(graph), expected_distances(graph))


@SETTINGS
@given(graphs(low=1, high=1))
def test_breadth_first_search_is_max_aggregation(graph):
    edge_index, _ = edges_with_loops(graph)
    size, conv = graph.number_of_nodes(), Reach()
    reached = torch.eye(size)
    level = torch.where(reached > 0, 0.0, torch.inf)
    for step in range(1, size + 1):
        reached = conv(reached, edge_index)
        level = torch.where((reached > 0) & level.isinf(), float(step), level)
    expected = torch.full((size, size), torch.inf)
    for source, lengths in nx.all_pairs_shortest_path_length(graph):
        for node, length in lengths.items():
            expected[node, source] = length
    assert torch.equal(level, expected)


def test_direction_of_an_edge():
    # 0 -> 1 -> 2: node 2 is reached from 0 at distance 5 + 7, node 0 from nowhere.
    graph = nx.DiGraph()
    graph.add_weighted_edges_from([(0, 1, 5), (1, 2, 7)])
    inf = torch.inf
    expected = torch.tensor([[0, inf, inf], [5, 0, inf], [12, 7, 0]], dtype=torch.float64)
    assert torch.equal(distances(graph), expected)
