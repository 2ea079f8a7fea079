import pytest
import torch

from graphlab.directed import ACMGCN
from tests.directed.graphs import GRAPHS
from tests.directed.laws import check_ignored_weights_are_refused, check_node_network
from tests.directed.test_acm_conv import dense_formula


@pytest.mark.parametrize("graph", GRAPHS)
def test_the_dense_formula(graph):
    edge_index, n = GRAPHS[graph]
    torch.manual_seed(0)
    net = ACMGCN(3, 4, 2, num_layers=3).double().eval()
    x = expected = torch.randn(n, 3, dtype=torch.float64)
    for conv in net.convs:
        expected = dense_formula(conv, expected, edge_index)
    torch.testing.assert_close(net(x, edge_index), expected, rtol=1e-10, atol=1e-10)


def test_laws():
    check_node_network(ACMGCN(5, 4, 3), 5, 3)
    check_ignored_weights_are_refused(ACMGCN(5, 4, 3), 5)
