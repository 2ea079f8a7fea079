from typing import Any

import pytest
import torch
from torch_geometric.nn import FAConv

from graphlab.directed import FAGCN
from tests.directed.graphs import GRAPHS, incoming, of, symmetric
from tests.directed.laws import check_node_network


def dense_formula(net, x, edge_index, weight=None):
    adjacency = symmetric(incoming(edge_index, len(x), weight))
    first = h = of(x, net.first).relu()
    for gate in net.gates:
        by_source, by_target = gate.ends.weight
        alpha = torch.tanh((h @ by_target)[:, None] + (h @ by_source)[None, :])
        h = (alpha * adjacency) @ h + net.eps * first
    return of(h, net.head)


@pytest.mark.parametrize("graph", GRAPHS)
@pytest.mark.parametrize("weighted", [False, True])
def test_the_dense_formula(graph, weighted):
    edge_index, n = GRAPHS[graph]
    torch.manual_seed(0)
    net = FAGCN(3, 4, 2, num_layers=3).double().eval()
    x = torch.randn(n, 3, dtype=torch.float64)
    weight = torch.rand(edge_index.size(1), dtype=torch.float64) if weighted else None
    expected = dense_formula(net, x, edge_index, weight)
    torch.testing.assert_close(net(x, edge_index, weight), expected, rtol=1e-10, atol=1e-10)


def test_the_layer_is_that_of_pyg():
    torch.manual_seed(0)
    edge_index = torch.tensor([[0, 1, 1, 2, 3, 0], [1, 0, 2, 1, 0, 3]])
    conv, net = FAConv(4, eps=0.3, add_self_loops=False), FAGCN(3, 4, 2, num_layers=1).eval()
    gate: Any = net.gates[0]
    with torch.no_grad():
        gate.ends.weight.copy_(torch.cat([conv.att_l.weight, conv.att_r.weight]))
    x = torch.randn(4, 3)
    first = net.first(x).relu()
    torch.testing.assert_close(net(x, edge_index), net.head(conv(first, first, edge_index)))


def test_laws():
    check_node_network(FAGCN(5, 4, 3), 5, 3)
