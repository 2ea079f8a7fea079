"""Neighbourhoods in stored order."""

import numpy as np
import pytest
import torch
from torch_geometric import EdgeIndex
from torch_geometric.data import Data, HeteroData

from graphlab.loader.graph_source import source_of
from graphlab.loader.stored_graph import StoredGraph, read_graph

EDGES = torch.tensor([[3, 0, 2, 0, 1], [1, 2, 1, 1, 0]])


def read(data: Data, **options) -> StoredGraph:
    options = {"time_attr": None, "weight_attr": None, "is_sorted": False, "backward": False} | options
    return read_graph(source_of(data), **options)


def test_edges_of_a_node_keep_the_users_order():
    graph = read(Data(edge_index=EDGES, num_nodes=4))
    assert graph.ptr[None].tolist() == [0, 1, 4, 5, 5]
    assert graph.neighbor[None].tolist() == [1, 3, 2, 0, 0]
    assert graph.perm[None].tolist() == [4, 0, 2, 3, 1]


def test_backward_stores_the_edges_that_leave():
    graph = read(Data(edge_index=EDGES, num_nodes=4), backward=True)
    assert graph.ptr[None].tolist() == [0, 2, 3, 4, 5]
    assert graph.neighbor[None].tolist() == [2, 1, 0, 1, 1]


@pytest.mark.parametrize("name", ["when", "edge_when"])
def test_times_order_neighbourhoods(name):
    data = Data(edge_index=EDGES, num_nodes=4, when=torch.tensor([5, 0, 2, 9]), edge_when=torch.tensor([9, 5, 2, 5, 0]))
    graph = read(data, time_attr=name)
    assert graph.neighbor[None].tolist() == [1, 2, 0, 3, 0]
    assert graph.edge_time.get(None, torch.tensor([0, 2, 5, 9, 5])).tolist() == [0, 2, 5, 9, 5]


def test_weights_follow_their_edges():
    data = Data(edge_index=EDGES, num_nodes=4, weight=torch.tensor([0.0, 1.0, 2.0, 3.0, 4.0]))
    assert read(data, weight_attr="weight").edge_weight[None].tolist() == [4, 0, 2, 3, 1]


@pytest.mark.parametrize(
    "weight", [torch.tensor([0, 1, 2, 3, 4]), torch.arange(5).half(), np.arange(5.0)], ids=["int", "half", "numpy"]
)
def test_weights_may_have_any_precision(weight):
    data = Data(edge_index=EDGES, num_nodes=4, weight=weight)
    graph = read(data, weight_attr="weight")
    assert graph.edge_weight[None].dtype is torch.float64
    assert graph.edge_weight[None].tolist() == [4, 0, 2, 3, 1]


def test_sorted_edges_stay_where_they_are():
    data = Data(edge_index=torch.tensor([[1, 3, 2, 0], [0, 1, 1, 3]]), num_nodes=5)
    graph = read(data, is_sorted=True)
    assert graph.perm[None] is None
    assert graph.ptr[None].tolist() == [0, 1, 3, 3, 4, 4]
    assert graph.neighbor[None].tolist() == [1, 3, 2, 0]


def test_claimed_order_is_checked():
    with pytest.raises(ValueError, match=r"'is_sorted' .* by target, but edges 2 and 3 are not"):
        read(Data(edge_index=EDGES.flip(1)[:, 1:], num_nodes=4), is_sorted=True)
    late_first = Data(edge_index=torch.tensor([[1, 2], [0, 0]]), num_nodes=3, when=torch.tensor([0, 2, 1]))
    with pytest.raises(ValueError, match=r"'is_sorted' .* then by time"):
        read(late_first, is_sorted=True, time_attr="when")


def test_an_edge_index_object_is_an_edge_index():
    plain = read(Data(edge_index=EDGES, num_nodes=4))
    wrapped = read(Data(edge_index=EdgeIndex(EDGES, sparse_size=(4, 4)), num_nodes=4))
    assert torch.equal(plain.neighbor[None], wrapped.neighbor[None])
    assert type(wrapped.neighbor[None]) is torch.Tensor


def test_no_edges():
    graph = read(Data(x=torch.zeros(3, 1)))
    assert graph.ptr[None].tolist() == [0, 0, 0, 0]
    assert graph.neighbor[None].numel() == 0


@pytest.mark.parametrize(
    ("change", "options", "said"),
    [
        ({"edge_index": torch.tensor([[0, 4], [1, 1]])}, {}, r"'edge_index' must name nodes in \[0, 4\), got 0 to 4"),
        ({"edge_index": torch.tensor([[0, -1], [1, 1]])}, {}, r"got -1 to 0"),
        ({"edge_index": torch.zeros(3, 2, dtype=torch.long)}, {}, r"'data.edge_index' must be \[2, num_edges\]"),
        (
            {"when": torch.zeros(4)},
            {"time_attr": "when"},
            "'time_attr' must name integers, got 'when' of torch.float32",
        ),
        ({"when": torch.zeros(3).long()}, {"time_attr": "when"}, "'time_attr' must .* got 'when', which neither have"),
        ({}, {"time_attr": "then"}, "'time_attr' must name times of nodes or of edges, got 'then'"),
        ({}, {"weight_attr": "w"}, "'weight_attr' must name weights of edges, got 'w'"),
        ({"w": -torch.ones(5)}, {"weight_attr": "w"}, "'weight_attr' must name finite weights"),
        ({"w": torch.ones(5, 2)}, {"weight_attr": "w"}, r"'w' must have one number for each of 5 edges"),
    ],
)
def test_errors_name_what_is_wrong(change, options, said):
    data = Data(edge_index=EDGES, num_nodes=4)
    data.update(change)
    with pytest.raises(ValueError, match=said):
        read(data, **options)


def test_errors_of_typed_graphs():
    data = HeteroData()
    data["a"].num_nodes = 2
    data["a", "to", "b"].edge_index = torch.tensor([[0], [0]])
    with pytest.raises(ValueError, match="how many nodes of type 'b'"):
        read(data)
    data["b"].num_nodes = 1
    data["b"].when, data["a", "to", "b"].when = torch.zeros(1).long(), torch.zeros(1).long()
    with pytest.raises(ValueError, match="which both have"):
        read(data, time_attr="when")


def test_sparse_matrices_are_refused():
    with pytest.raises(ValueError, match="must hold its edges as edge_index"):
        read(Data(x=torch.zeros(2, 1), adj_t=torch.eye(2)))


def test_other_things_are_refused():
    with pytest.raises(ValueError, match=r"'data' must be a Data, a HeteroData or a pair .*, got str"):
        source_of("graph")
