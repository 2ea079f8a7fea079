import pytest
import torch
import torch_geometric.nn.aggr as pyg
from torch_geometric.nn import GraphSAGE, SAGEConv
from torch_geometric.nn.aggr import MultiAggregation

import graphlab
from graphlab.aggr import SegmentGRUAggregation, TreeLCMAggregation
from graphlab.aggr.register import OURS, REPLACEMENTS


@pytest.fixture(autouse=True)
def unregistered():
    """Other tests may have registered for good; here each test starts from PyG as it is."""
    before = {cls.__name__: vars(pyg).get(cls.__name__) for cls in (*OURS, *REPLACEMENTS)}
    for cls in OURS:
        if before[cls.__name__] is not None:
            delattr(pyg, cls.__name__)
    yield
    for name, value in before.items():
        if value is not None:
            setattr(pyg, name, value)
        elif hasattr(pyg, name):
            delattr(pyg, name)


NAMES = ["treelcm", "tree_lcm", "TreeLCMAggregation", "segmentgru", "segmentlstm", "quasiarithmetic", "genagg"]


@pytest.mark.parametrize("name", [*NAMES, "productmonoid"])
def test_layers_find_ours_by_name_and_only_when_asked(name):
    with pytest.raises(ValueError, match="Could not resolve"):
        SAGEConv(4, 4, aggr=name)
    with graphlab.register_aggregations():
        conv = SAGEConv(4, 4, aggr=name)
        assert type(conv.aggr_module) in OURS
        assert conv(torch.randn(3, 4), torch.tensor([[0, 1], [1, 2]])).shape == (3, 4)
    with pytest.raises(ValueError, match="Could not resolve"):
        SAGEConv(4, 4, aggr=name)


def test_calling_twice_changes_nothing_more_and_each_undoes_its_own():
    with graphlab.register_aggregations():
        with graphlab.register_aggregations():
            pass
        assert isinstance(SAGEConv(4, 4, aggr="treelcm").aggr_module, TreeLCMAggregation)


def test_pyg_s_names_change_only_on_request_and_back():
    theirs = pyg.LCMAggregation
    with graphlab.register_aggregations():
        assert pyg.LCMAggregation is theirs
    with graphlab.register_aggregations(override=True):
        lcm = SAGEConv(4, 4, aggr="lcm", aggr_kwargs={"in_channels": 4, "out_channels": 4}).aggr_module
        assert isinstance(lcm, TreeLCMAggregation) and type(lcm).__name__ == "LCMAggregation"
        assert isinstance(SAGEConv(4, 4, aggr="gru").aggr_module, SegmentGRUAggregation)
        assert "SegmentLSTM" in type(SAGEConv(4, 4, aggr="lstm").aggr_module).__mro__[1].__name__
    assert pyg.LCMAggregation is theirs


def test_a_foreign_class_of_our_name_is_not_shadowed(monkeypatch):
    foreign = type("TreeLCMAggregation", (pyg.SumAggregation,), {})
    monkeypatch.setattr(pyg, "TreeLCMAggregation", foreign, raising=False)
    with pytest.raises(ValueError, match=r"already has a TreeLCMAggregation from .*; pass instances"):
        graphlab.register_aggregations()
    assert pyg.TreeLCMAggregation is foreign and not hasattr(pyg, "SegmentGRUAggregation")


def test_lists_and_networks_take_the_names():
    with graphlab.register_aggregations():
        several = MultiAggregation(["mean", "treelcm", "segmentgru"])
        net = GraphSAGE(4, 8, num_layers=2, out_channels=3, aggr="treelcm")
    x, edges = torch.randn(5, 4), torch.tensor([[0, 1, 2, 3], [1, 1, 2, 4]])
    assert several(x, torch.tensor([0, 2, 0, 2, 0]), dim_size=3).shape == (3, 12)
    assert net(x, edges).shape == (5, 3)
    first, second = (conv.aggr_module for conv in net.convs)
    assert first is not second and (first.in_channels, second.in_channels) == (4, 8)
