"""SPEN of nodes is equivariant and sees what lies in ego nets only as far as layers reach."""

import pytest
import torch

from graphlab.subgraph import Bags, NodeSPEN
from tests.subgraph.dense_networks import dense_encoder, dense_head, drawn
from tests.subgraph.graphs import nets, random_graph, shuffled


def make():
    torch.manual_seed(0)
    return NodeSPEN(3, 4, 2, norm=None).double().eval()


def test_is_equivariant():
    net, edge_index, x = make(), random_graph(40, 0.08, 0), torch.rand(40, 3).double()
    number, turned = shuffled(edge_index, 40, 1)
    moved = torch.empty_like(x)
    moved[number] = x
    torch.testing.assert_close(net(moved, turned)[number], net(x, edge_index), rtol=1e-12, atol=1e-12)


def test_a_nodes_result_depends_on_what_its_layers_reach():
    path = torch.arange(12)
    edge_index = torch.stack([torch.cat([path[:-1], path[1:]]), torch.cat([path[1:], path[:-1]])])
    net, x = make(), torch.rand(12, 3).double().requires_grad_()
    (gradient,) = torch.autograd.grad(net(x, edge_index)[0].sum(), x)
    reached = gradient.abs().sum(1) > 0
    # A bag reaches 1 hop, and pooling back takes from the bags around: 2 hops a layer, 1 of the readout.
    assert reached.tolist() == [True] * 6 + [False] * 6


def test_is_the_encoder_of_narrowed_features():
    x, edge_index = torch.rand(9, 3).double(), random_graph(9, 0.3, 1, directed=True)
    edge_attr = torch.rand(edge_index.size(1), 2).double()
    for options in ({"size_classes": (2, 4), "num_hops": 2}, {"normalize": False}, {"jk": "cat"}, {"product": True}):
        net = drawn(NodeSPEN(3, 4, 2, edge_dim=2, head_channels=(5,), **options)).eval()
        sets, classes = nets(edge_index, 9, options.pop("num_hops", 1)), options.pop("size_classes", (1,))
        options.pop("product", None)
        narrow, batch = x @ net.narrow.weight.T + net.narrow.bias, torch.zeros(9, dtype=torch.long)
        nodes = dense_encoder(net.encoder, narrow, edge_index, sets, classes, batch, edge_attr, **options)
        found = net(x, edge_index, edge_attr=edge_attr)
        torch.testing.assert_close(found, dense_head(net.head, nodes), rtol=1e-11, atol=1e-11)


def test_bags_that_are_given_are_what_is_computed_on():
    net, x, edge_index = make(), torch.rand(9, 3).double(), random_graph(9, 0.2, 1)
    more = torch.cat([edge_index, random_graph(9, 0.2, 2)], 1)
    found = net(x, edge_index, bags=Bags.from_edge_index(more, 9))
    narrow, batch = net.narrow(x), torch.zeros(9, dtype=torch.long)
    nodes = dense_encoder(net.encoder, narrow, edge_index, nets(more, 9, 1), (1,), batch)
    torch.testing.assert_close(found, dense_head(net.head, nodes), rtol=1e-11, atol=1e-11)
    assert not torch.allclose(found, net(x, edge_index))


@pytest.mark.parametrize(("dropout", "repeats"), [(0.5, False), (0.0, True)])
def test_dropout_is_of_training_alone(dropout, repeats):
    net, x, edge_index = NodeSPEN(3, 4, 2, norm=None, dropout=dropout), torch.rand(9, 3), random_graph(9, 0.3, 1)
    assert net(x, edge_index).equal(net(x, edge_index)) == repeats
    net.eval()
    assert net(x, edge_index).equal(net(x, edge_index))
