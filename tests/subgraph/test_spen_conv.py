"""The fused layer is the paper's: a bag at a time, 15 operations, mean over bags."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch.autograd import gradcheck, gradgradcheck

from graphlab.subgraph import Bags, PairPlan, SPENConv
from tests.subgraph.dense_spen import dense_layer, scattered
from tests.subgraph.graphs import nets, random_graph, shuffled

CLASSES = [(1,), (2, 3, 4), (1, 3, 6, 20)]


def layer(in_channels, node_channels, classes, product):
    torch.manual_seed(0)
    conv = SPENConv(in_channels, node_channels, 4, len(classes), product).double()
    torch.nn.init.normal_(conv.bias)
    return conv


def features(plan, conv):
    x = torch.randn(plan.num_pairs, conv.in_channels, dtype=torch.double)
    x_node = torch.randn(plan.num_nodes, conv.node_channels, dtype=torch.double) if conv.node_channels else None
    return x, x_node


@settings(max_examples=60)
@given(
    num_nodes=st.integers(1, 14),
    share=st.floats(0, 0.6),
    num_hops=st.integers(0, 2),
    classes=st.sampled_from(CLASSES),
    node_channels=st.sampled_from([0, 3]),
    product=st.booleans(),
    merge=st.booleans(),
    directed=st.booleans(),
    seed=st.integers(0, 99),
)
def test_is_the_papers_layer(num_nodes, share, num_hops, classes, node_channels, product, merge, directed, seed):
    edge_index = random_graph(num_nodes, share, seed, directed)
    plan = PairPlan(Bags.from_edge_index(edge_index, num_nodes, num_hops, merge), classes)
    conv = layer(2, node_channels, classes, product)
    x, x_node = features(plan, conv)
    pairs, nodes = conv(x, x_node, plan)
    expected = dense_layer(conv, scattered(x, plan), x_node, nets(edge_index, num_nodes, num_hops), classes)
    torch.testing.assert_close(scattered(pairs, plan), expected[0], rtol=1e-12, atol=1e-12)
    torch.testing.assert_close(nodes, expected[1], rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("seed", range(10))
@pytest.mark.parametrize(("dtype", "bound"), [(torch.double, 1e-13), (torch.float, 1e-5)])
def test_is_equivariant(seed, dtype, bound):
    n, edge_index = 30, random_graph(30, 0.15, seed)
    number, turned = shuffled(edge_index, n, seed)
    plans = [PairPlan(Bags.from_edge_index(edges, n, 1 + seed % 2), (2, 3, 4)) for edges in (edge_index, turned)]
    conv = layer(2, 3, (2, 3, 4), True).to(dtype)
    table, x_node = torch.randn(n, n, 2, dtype=dtype), torch.randn(n, 3, dtype=dtype)
    moved, moved_node = torch.empty_like(table), torch.empty_like(x_node)
    moved[number[:, None], number[None]], moved_node[number] = table, x_node
    inputs = [(table, x_node), (moved, moved_node)]
    (pairs, nodes), (pairs_2, nodes_2) = (
        conv(t[plan.row, plan.col], z, plan) for (t, z), plan in zip(inputs, plans, strict=True)
    )
    pairs, pairs_2 = scattered(pairs, plans[0]), scattered(pairs_2, plans[1])
    assert (pairs_2[number[:, None], number[None]] - pairs).abs().max() <= bound * pairs.abs().max()
    assert (nodes_2[number] - nodes).abs().max() <= bound * nodes.abs().max()


def test_identity_comes_back():
    """Gather, map by the identity, pool back: nothing changes."""
    plan = PairPlan(Bags.from_edge_index(random_graph(20, 0.2, 1), 20, 2), (2, 5))
    conv = SPENConv(4, 4, 4, 2)
    for parameter in conv.parameters():
        torch.nn.init.zeros_(parameter)
    with torch.no_grad():
        conv.weight22[:, 9] = conv.weight11[:, 0] = torch.eye(4)
    x, x_node = torch.randn(plan.num_pairs, 4), torch.randn(20, 4)
    pairs, nodes = conv(x, x_node, plan)
    assert (pairs[:, :4] - x).abs().max() <= 1e-6
    assert (nodes[:, 4:] - x_node).abs().max() <= 1e-6


@pytest.mark.parametrize("classes", CLASSES)
def test_derivatives(classes):
    plan = PairPlan(Bags.from_edge_index(random_graph(6, 0.4, 2), 6), classes)
    conv = layer(2, 2, classes, True)
    x, x_node = (t.requires_grad_() for t in features(plan, conv))
    parameters = list(conv.parameters())

    def run(x, x_node, *values):
        names = [name for name, _ in conv.named_parameters()]
        return torch.func.functional_call(conv, dict(zip(names, values, strict=True)), (x, x_node, plan))

    # Products with random vectors instead of whole Jacobians: there are hundreds of parameters.
    assert gradcheck(run, (x, x_node, *parameters), fast_mode=True)
    assert gradgradcheck(run, (x, x_node, *parameters), fast_mode=True)


def test_weights_start_with_the_papers_spread():
    conv = SPENConv(30, 10, 50, 3)
    assert conv.weight22.std().item() == pytest.approx((2 / 80) ** 0.5, rel=0.05)
    assert conv.weight12.std().item() == pytest.approx((2 / 60) ** 0.5, rel=0.05)
    assert not conv.bias.any()


def test_all_parameters_are_drawn_anew():
    conv = layer(2, 3, (2, 3), True)
    before = {name: value.clone() for name, value in conv.named_parameters()}
    conv.reset_parameters()
    assert [name for name, value in conv.named_parameters() if value.equal(before[name])] == []


def test_errors():
    plan = PairPlan(Bags.from_edge_index(random_graph(5, 0.5, 0), 5), (2,))
    x, x_node = torch.ones(plan.num_pairs, 2), torch.ones(5, 3)
    with pytest.raises(ValueError, match=r"'x' must have shape \(\d+, 2\)"):
        SPENConv(2, 3, 4)(x[:, :1], x_node, plan)
    with pytest.raises(ValueError, match=r"'x_node' must have shape \(5, 3\), got None"):
        SPENConv(2, 3, 4)(x, None, plan)
    with pytest.raises(ValueError, match="'x_node' must be None"):
        SPENConv(2, 0, 4)(x, x_node, plan)
    with pytest.raises(ValueError, match="'plan' has 1 classes of bags, the layer 3"):
        SPENConv(2, 3, 4, num_classes=3)(x, x_node, plan)


def test_repr():
    assert repr(SPENConv(2, 3, 4, product=True)) == "SPENConv(2, 3, 4, num_classes=1, product=True)"
