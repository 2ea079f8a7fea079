"""The readout is the invariant maps of each bag, written down."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch.autograd import gradcheck

from graphlab.subgraph import Bags, PairPlan
from graphlab.subgraph.spen_readout import SPENReadout
from tests.subgraph.dense_networks import dense_readout, drawn
from tests.subgraph.dense_spen import scattered
from tests.subgraph.graphs import nets, random_graph

CLASSES = [(1,), (2, 3, 4), (1, 3, 6, 20)]


def planned(num_nodes, share, num_hops, classes, seed=0, merge=True):
    edge_index = random_graph(num_nodes, share, seed, directed=True)
    return edge_index, PairPlan(Bags.from_edge_index(edge_index, num_nodes, num_hops, merge), classes)


@settings(max_examples=40)
@given(
    num_nodes=st.integers(1, 12),
    share=st.floats(0, 0.6),
    num_hops=st.integers(0, 2),
    classes=st.sampled_from(CLASSES),
    merge=st.booleans(),
    seed=st.integers(0, 99),
)
def test_is_the_invariant_maps_of_each_bag(num_nodes, share, num_hops, classes, merge, seed):
    edge_index, plan = planned(num_nodes, share, num_hops, classes, seed, merge)
    readout = drawn(SPENReadout(3, 2, 4, len(classes)))
    x, x_node = torch.randn(plan.num_pairs, 3).double(), torch.randn(num_nodes, 2).double()
    expected = dense_readout(readout, scattered(x, plan), x_node, nets(edge_index, num_nodes, num_hops), classes)
    torch.testing.assert_close(readout(x, x_node, plan)[plan.bags.bag], expected, rtol=1e-12, atol=1e-12)


def test_derivatives():
    _, plan = planned(6, 0.4, 1, (2, 3))
    readout = drawn(SPENReadout(2, 3, 2, 2))

    def run(x, x_node, *values):
        names = [name for name, _ in readout.named_parameters()]
        return torch.func.functional_call(readout, dict(zip(names, values, strict=True)), (x, x_node, plan))

    x, x_node = torch.randn(plan.num_pairs, 2).double(), torch.randn(6, 3).double()
    assert gradcheck(run, (x.requires_grad_(), x_node.requires_grad_(), *readout.parameters()))


def test_weights_start_with_the_papers_spread():
    readout = SPENReadout(30, 10, 50, 3)
    before = readout.weight20.clone(), readout.weight10.clone()
    assert readout.weight20.std().item() == pytest.approx((2 / 80) ** 0.5, rel=0.05)
    assert readout.weight10.std().item() == pytest.approx((2 / 60) ** 0.5, rel=0.1)
    torch.nn.init.ones_(readout.bias)
    readout.reset_parameters()
    assert not readout.bias.any()
    assert not readout.weight20.equal(before[0]) and not readout.weight10.equal(before[1])


def test_repr():
    assert repr(SPENReadout(2, 3, 4)) == "SPENReadout(2, 3, 4)"
