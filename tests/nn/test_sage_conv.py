import itertools

import pytest
import torch
import torch_geometric.nn as pyg

from graphlab import nn
from graphlab.ops import Graph
from graphlab.testing import check_layer
from graphlab.testing.message_passing import quiet_about_sparse

from .twins import AGGREGATORS, CHANNELS, NODES, compare, edges, make, rows, twins


@pytest.mark.parametrize("aggr", [*AGGREGATORS, "add", ["mean", "max"], ["sum", "std", "min"]], ids=str)
@pytest.mark.parametrize("out_channels", [3, 10])
def test_aggregations(aggr, out_channels):
    compare(make("SAGEConv", CHANNELS, out_channels, aggr=aggr), rows(), edges())


@pytest.mark.parametrize("aggr", ["max", "min", ["mean", "std"]], ids=str)
def test_laws(aggr):
    check_layer(lambda: nn.SAGEConv(CHANNELS, 4, aggr=aggr), CHANNELS)


@pytest.mark.parametrize("options", list(itertools.product([False, True], repeat=4)), ids=str)
def test_options(options):
    names = ("normalize", "root_weight", "project", "bias")
    build = make("SAGEConv", CHANNELS, 4, **dict(zip(names, options, strict=True)))
    compare(build, rows(), edges())
    compare(build, (rows(), rows(7, seed=3)), edges(NODES, 7))


@pytest.mark.parametrize("aggr", ["lstm", "softmax", "mul", ["mean", "mul"]], ids=str)
def test_other_aggregations_are_left_to_pyg(aggr):
    compare(make("SAGEConv", CHANNELS, 4, aggr=aggr), rows(), edges().sort(dim=1, stable=True).values, fused=False)


def test_aggregators_as_objects():
    for aggr, fused in (
        (pyg.MaxAggregation(), True),
        (pyg.SoftmaxAggregation(), False),
        (pyg.VarAggregation(True), False),
    ):
        compare(make("SAGEConv", CHANNELS, 4, aggr=aggr), rows(), edges(), fused=fused)


@pytest.mark.parametrize("aggr", ["sum", "mean", "max", pyg.SumAggregation(), ["sum", "max"]], ids=str)
def test_values_of_a_sparse_adjacency_count_where_they_count_in_pyg(aggr):
    edge_index = torch.unique(edges().flip(0), dim=1)
    values = torch.rand(edge_index.size(1), generator=torch.Generator().manual_seed(0))
    theirs, ours = twins(make("SAGEConv", CHANNELS, 10, aggr=aggr))
    with quiet_about_sparse():
        adj_t = torch.sparse_coo_tensor(edge_index, values, (NODES, NODES)).coalesce().to_sparse_csr()
        assert ours.fallback_reason(rows(), adj_t) == ""
        torch.testing.assert_close(ours(rows(), adj_t), theirs(rows(), adj_t))


def test_narrows_first_only_where_it_saves():
    conv = nn.SAGEConv(CHANNELS, 4)
    graph = Graph.from_edge_index(edges(), (NODES, NODES))
    x = rows().requires_grad_()
    assert conv._narrows_first(x, graph)
    assert not conv._narrows_first(x.detach(), graph)
    with torch.no_grad():
        assert conv._narrows_first(x.detach(), graph)
    assert not conv._narrows_first(x.bfloat16(), graph)
    assert not nn.SAGEConv(CHANNELS, CHANNELS)._narrows_first(x, graph)
    assert not nn.SAGEConv(CHANNELS, 4, aggr="max")._narrows_first(x, graph)
    conv.lin_l.register_forward_hook(lambda *args: None)
    assert not conv._narrows_first(x, graph)
