import pytest
import torch

from graphlab.directed import GloGNN
from graphlab.directed.edges import edges_of_gcn
from tests.directed.graphs import GRAPHS, incoming, of, symmetric, with_loops
from tests.directed.laws import check_graphs_and_features


def dense_layer(net, h, first, adjacency, powers):
    """The minimum of the quadratic function, with all coefficients."""
    g, ridge, eye = net.gamma, net.beta1 + net.beta2, torch.eye(len(h), dtype=h.dtype)
    near = sum(weight * torch.linalg.matrix_power(adjacency, k + 1) for k, weight in enumerate(powers))
    left = (1 - g) * (h - g * first) @ h.T + net.beta2 * near
    return (1 - g) * left @ torch.linalg.inv((1 - g) ** 2 * h @ h.T + ridge * eye) @ h + g * first


@pytest.mark.parametrize("graph", GRAPHS)
@pytest.mark.parametrize("weighted", [False, True])
def test_the_dense_formula(graph, weighted):
    edge_index, n = GRAPHS[graph]
    torch.manual_seed(0)
    net = GloGNN(3, 4, 2, num_nodes=n, num_hops=3, delta=0.4, beta1=0.7).double().eval()
    torch.nn.init.normal_(net.powers)
    x = torch.randn(n, 3, dtype=torch.float64)
    weight = torch.rand(edge_index.size(1), dtype=torch.float64) if weighted else None
    dense = incoming(edge_index, n, weight)
    of_edges = dense @ net.of_edges.weight + net.of_edges.bias
    first = h = of((0.6 * of(x, net.of_features) + 0.4 * of_edges).relu(), net.head)
    for powers in net.powers:
        h = dense_layer(net, h, first, symmetric(with_loops(dense)), powers)
    torch.testing.assert_close(net(x, edge_index, weight), h, rtol=1e-10, atol=1e-10)


def test_what_is_gathered_is_where_the_gradient_vanishes():
    torch.manual_seed(0)
    net = GloGNN(3, 4, 2, num_nodes=6, gamma=0.3, beta1=0.5, beta2=2.0).double()
    g, edge_index = net.gamma, GRAPHS["loops"][0]
    h, first = (torch.randn(6, 2, dtype=torch.float64) for _ in range(2))
    adjacency = symmetric(with_loops(incoming(edge_index, 6)))
    near = 0.7 * adjacency - 0.2 * adjacency @ adjacency

    def loss(z):
        left = h - (1 - g) * z @ h - g * first
        return left.square().sum() + net.beta1 * z.square().sum() + net.beta2 * (z - near).square().sum()

    operator = edges_of_gcn(torch.zeros(6, 1), edge_index)
    powers = torch.tensor([0.7, -0.2], dtype=torch.float64)
    # The loss is quadratic, so that one step of Newton from anywhere ends at its minimum.
    start = torch.zeros(6, 6, dtype=torch.float64)
    slope = torch.func.grad(loss)(start).flatten()
    z = -torch.linalg.solve(torch.func.hessian(loss)(start).reshape(36, 36), slope).view(6, 6)
    torch.testing.assert_close(net._gather_from_all(h, first, operator, powers), z @ h, rtol=1e-10, atol=1e-10)


def test_laws():
    check_graphs_and_features(lambda n: GloGNN(5, 4, 3, num_nodes=n), 5, 3)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"delta": 1.5}, "'delta' must be from 0 to 1, got 1.5"),
        ({"gamma": 1.0}, "'gamma' must be at least 0 and below 1, got 1.0"),
        ({"beta1": 0.0, "beta2": 0.0}, "'beta1' must be at least 0, and above 0 where 'beta2' is 0, got 0.0"),
        ({"beta2": -1.0, "beta1": 2.0}, "'beta2' must be at least 0, got -1.0"),
    ],
)
def test_wrong_arguments_are_named(options, message):
    with pytest.raises(ValueError, match=message):
        GloGNN(2, 2, 2, num_nodes=3, **options)


def test_another_number_of_nodes_is_refused():
    with pytest.raises(ValueError, match="'x' has 3 rows, but the network was built for a graph of 4 nodes"):
        GloGNN(2, 4, 2, num_nodes=4)(torch.zeros(3, 2), torch.tensor([[0], [1]]))


def test_a_network_in_half_precision_runs_and_learns():
    torch.manual_seed(0)
    net, x, edges = GloGNN(3, 4, 2, num_nodes=4).eval(), torch.randn(4, 3), torch.tensor([[0, 1, 2], [1, 2, 3]])
    exact = net(x, edges)
    half = net.bfloat16()(x.bfloat16(), edges)
    half.float().square().sum().backward()
    assert half.dtype == torch.bfloat16 and all(bool(p.grad.isfinite().all()) for p in net.parameters())
    torch.testing.assert_close(half.float(), exact, rtol=0.05, atol=0.05)
