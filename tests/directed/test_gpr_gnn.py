import pytest
import torch

from graphlab.directed import GPRGNN
from tests.directed.graphs import GRAPHS, incoming, of, symmetric, with_loops
from tests.directed.laws import check_node_network


@pytest.mark.parametrize("graph", GRAPHS)
@pytest.mark.parametrize("weighted", [False, True])
def test_the_dense_formula(graph, weighted):
    edge_index, n = GRAPHS[graph]
    torch.manual_seed(0)
    net = GPRGNN(3, 4, 2, num_hops=4).double().eval()
    torch.nn.init.normal_(net.gamma)
    x = torch.randn(n, 3, dtype=torch.float64)
    weight = torch.rand(edge_index.size(1), dtype=torch.float64) if weighted else None
    adjacency = symmetric(with_loops(incoming(edge_index, n, weight)))
    power = of(of(x, net.first).relu(), net.second)
    expected = torch.zeros_like(power)
    for gamma in net.gamma:
        expected = expected + gamma * power
        power = adjacency @ power
    torch.testing.assert_close(net(x, edge_index, weight), expected, rtol=1e-10, atol=1e-10)


def test_laws():
    check_node_network(GPRGNN(5, 4, 3), 5, 3)


@pytest.mark.parametrize("alpha", [0.0, 0.1, 1.0])
def test_the_powers_begin_as_personalised_pagerank_and_begin_anew(alpha):
    net = GPRGNN(2, 2, 2, num_hops=3, alpha=alpha)
    expected = torch.tensor([alpha * (1 - alpha) ** k for k in range(3)] + [(1 - alpha) ** 3])
    torch.testing.assert_close(net.gamma.detach(), expected)
    torch.nn.init.zeros_(net.gamma)
    net.reset_parameters()
    torch.testing.assert_close(net.gamma.detach(), expected)


def test_wrong_arguments_are_named():
    with pytest.raises(ValueError, match="'alpha' must be a probability between 0 and 1, got 2"):
        GPRGNN(2, 2, 2, alpha=2)
    with pytest.raises(ValueError, match="'num_hops' must be at least 0, got -1"):
        GPRGNN(2, 2, 2, num_hops=-1)


@pytest.mark.parametrize(("alpha", "expected"), [(0, [0, 0, 1]), (1, [1, 0, 0])])
def test_whole_numbers_are_probabilities_too(alpha, expected):
    assert GPRGNN(2, 2, 2, num_hops=2, alpha=alpha).gamma.tolist() == expected
