"""Ego nets in a data set: extracted once, batched by PyG."""

import pytest
import torch
from torch_geometric.data import Batch, Data, HeteroData
from torch_geometric.loader import DataLoader
from torch_geometric.transforms import Compose

from graphlab.subgraph import Bags, EgoData, EgoNets
from tests.subgraph.graphs import members, random_graph

SIZES = (5, 1, 8, 3)


def graphs(transform=None):
    made = [Data(x=torch.rand(n, 2), edge_index=random_graph(n, 0.4, n), y=torch.tensor([n])) for n in SIZES]
    return [transform(data) for data in made] if transform else made


@pytest.mark.parametrize("num_hops", [0, 1, 2])
@pytest.mark.parametrize("merge", [True, False])
def test_bags_of_a_batch_are_those_of_its_graph(num_hops, merge):
    batch = Batch.from_data_list(graphs(EgoNets(num_hops, merge)))
    bags, whole = batch.bags(num_hops), Bags.from_edge_index(batch.edge_index, batch.num_nodes, num_hops, merge)
    assert members(bags) == members(whole)
    assert bags.num_bags == whole.num_bags
    assert bags.node[bags.edge_index].equal(batch.edge_index[:, bags.edge_id])
    assert torch.equal(bags.edge_ptr, whole.edge_ptr)


def test_two_scales_live_together():
    both = Compose([EgoNets(1), EgoNets(2)])
    batch = next(iter(DataLoader(graphs(both), batch_size=4)))
    assert members(batch.bags(1)) != members(batch.bags(2))
    assert batch.y.tolist() == list(SIZES)


def test_a_batch_gives_its_graphs_back():
    batch = Batch.from_data_list(graphs(EgoNets(1)))
    for data, again in zip(graphs(EgoNets(1)), batch.to_data_list(), strict=True):
        assert isinstance(again, EgoData)
        assert members(again.bags(1)) == members(data.bags(1))
        assert again.ego1_edge_id.equal(data.ego1_edge_id)


def test_what_a_graph_holds_stays():
    (data, *_), (plain, *_) = graphs(EgoNets(1)), graphs()
    assert data.num_nodes == plain.num_nodes and data.y.equal(plain.y)
    assert "ego1_node" not in plain


def test_isolated_nodes_without_features():
    data = EgoNets(1)(Data(edge_index=torch.zeros(2, 0, dtype=torch.long), num_nodes=3))
    assert data.bags(1).size.tolist() == [1, 1, 1]


def test_errors():
    with pytest.raises(ValueError, match=r"one of the ego nets kept here, \[1\], got 2; apply EgoNets\(2\)"):
        graphs(EgoNets(1))[0].bags(2)
    with pytest.raises(ValueError, match="'num_hops' must be a whole number that is not negative, got -1"):
        EgoNets(-1)
    for wrong in (HeteroData(), Data(x=torch.ones(2, 1))):
        with pytest.raises(TypeError, match="takes a Data with an edge_index"):
            EgoNets(1)(wrong)


def test_repr_says_what_is_done():
    assert repr(EgoNets(2)) == "EgoNets(num_hops=2, merge=True)"


def test_nodes_without_features_are_counted():
    path = Data(edge_index=torch.tensor([[0, 1, 1, 2], [1, 0, 2, 1]]))
    with pytest.warns(UserWarning, match="infer 'num_nodes'"):
        data = EgoNets(1)(path)
    data = EgoNets(2)(data)
    assert data.num_nodes == 3
    assert Batch.from_data_list([data, data]).bags(1).root.tolist() == [0, 1, 2, 3, 4, 5]


def test_nets_of_a_graph_that_was_changed_are_refused():
    data = EgoNets(1)(graphs()[2])
    for changed in (
        data.subgraph(torch.tensor([0, 1, 2])),
        data.clone().update({"edge_index": data.edge_index[:, 1:]}),
    ):
        with pytest.raises(ValueError, match=r"apply EgoNets\(1\) after what changes the graph"):
            changed.bags(1)


def test_a_batch_is_refused():
    with pytest.raises(TypeError, match="before it is batched"):
        EgoNets(1)(Batch.from_data_list(graphs()))
