"""SPEN of nodes is equivariant and sees what lies in ego nets only as far as layers reach."""

import torch

from graphlab.subgraph import NodeSPEN
from tests.subgraph.graphs import random_graph, shuffled


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
