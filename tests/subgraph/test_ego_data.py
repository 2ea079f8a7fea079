"""A batch of graphs keeps the nets of each, with its numbers shifted."""

from dataclasses import fields

import pytest
import torch
from torch_geometric.data import Batch, Data

from graphlab.subgraph import Bags, EgoNets
from tests.subgraph.graphs import random_graph

SIZES = (5, 1, 8, 3)


def graphs(num_hops, merge):
    made = [Data(edge_index=random_graph(n, 0.4, n, directed=True), num_nodes=n) for n in SIZES]
    return [EgoNets(num_hops, merge)(data) for data in made]


@pytest.mark.parametrize("num_hops", [0, 1, 2])
@pytest.mark.parametrize("merge", [True, False])
def test_every_part_of_the_bags_comes_back(num_hops, merge):
    for data in graphs(num_hops, merge):
        found, whole = data.bags(num_hops), Bags.from_edge_index(data.edge_index, data.num_nodes, num_hops, merge)
        for field in fields(Bags):
            assert torch.equal(*(torch.as_tensor(getattr(bags, field.name)) for bags in (found, whole))), field.name


@pytest.mark.parametrize("num_hops", [0, 1, 2])
@pytest.mark.parametrize("merge", [True, False])
def test_numbers_in_a_batch_are_shifted_by_what_they_count(num_hops, merge):
    given = graphs(num_hops, merge)
    alone, found = [data.bags(num_hops) for data in given], Batch.from_data_list(given).bags(num_hops)
    nodes = torch.tensor([0, *SIZES]).cumsum(0).tolist()
    edges = torch.tensor([0, *(data.num_edges for data in given)]).cumsum(0).tolist()
    bags = torch.tensor([0, *(b.num_bags for b in alone)]).cumsum(0).tolist()
    places = torch.tensor([0, *(b.node.numel() for b in alone)]).cumsum(0).tolist()
    of_bags = torch.tensor([0, *(b.edge_id.numel() for b in alone)]).cumsum(0).tolist()
    none = [0] * len(SIZES)
    counted = {"root": nodes, "node": nodes, "hop": none, "edge_id": edges, "bag": bags, "edge_index": places}
    for name, shifts in counted.items():
        parts = [getattr(b, name) + shift for b, shift in zip(alone, shifts, strict=False)]
        assert getattr(found, name).equal(torch.cat(parts, dim=-1)), name
    for name, shifts in {"node_ptr": places, "edge_ptr": of_bags}.items():
        parts = [getattr(b, name)[1:] + shift for b, shift in zip(alone, shifts, strict=False)]
        assert getattr(found, name).equal(torch.cat([torch.zeros(1, dtype=torch.long), *parts])), name


def test_attributes_of_ones_own_are_batched_as_before():
    given = [data for data in graphs(1, True)]
    for data in given:
        data.ego_index, data.y = torch.zeros(2, 1, dtype=torch.long), torch.ones(1)
    batch = Batch.from_data_list(given)
    assert batch.y.shape == (4,) and batch.ego_index.tolist() == [[0, 5, 6, 14]] * 2
