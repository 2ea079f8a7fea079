import pytest
import torch

from graphlab.subgraph import PPGN
from tests.subgraph.expressivity_data import SEPARATED, brec, csl, embed, gaps, graph6, graphsat, noise
from tests.subgraph.pair_network_laws import check_pair_network, random_graphs


def network(in_channels: int = 1, frequency: float = 1.0) -> PPGN:
    torch.manual_seed(0)
    return PPGN(in_channels, 16, 16, frequency=frequency).double()


def test_laws():
    torch.manual_seed(0)
    check_pair_network(PPGN(3, 4, 2, num_layers=2))


def test_a_block_is_what_its_equation_says():
    torch.manual_seed(0)
    net, data = PPGN(3, 4, 2, num_layers=1, frequency=2.0).double(), random_graphs()[12]
    x = torch.zeros(12, 12, 4).double()
    for u, v in data.edge_index.T.tolist():
        x[u, v, 0] += 1
    x[range(12), range(12), 1:] = data.x
    left, right = x, x
    block = net.blocks[0]
    for one, other in zip(block.left, block.right, strict=True):
        left = torch.sin(2 * torch.nn.functional.linear(left, one.weight, one.bias))
        right = torch.sin(2 * torch.nn.functional.linear(right, other.weight, other.bias))
    product = torch.einsum("iwc,wjc->ijc", left, right) / 12**0.5
    y = torch.nn.functional.linear(torch.cat([x, product], dim=2), block.out.weight, block.out.bias)
    y = (y - y.mean((0, 1))) / (y.var((0, 1), correction=0) + 1e-5).sqrt()
    y = torch.cat([torch.sin(2 * torch.nn.functional.linear(y, net.last.weight, net.last.bias)), x], dim=2)
    one = torch.eye(12, dtype=torch.bool)
    expected = net.head(torch.cat([y[one].mean(0), y[~one].mean(0)]))
    torch.testing.assert_close(net(data.x, data.edge_index)[0], expected, rtol=1e-12, atol=1e-12)


def test_features_of_edges_directions_and_multiplicities_count():
    torch.manual_seed(0)
    net = PPGN(1, 8, 4, edge_dim=2).double()
    x, edges = torch.ones(3, 1).double(), torch.tensor([[0, 1, 1], [1, 2, 2]])
    attributes = torch.randn(3, 2).double()
    out = net(x, edges, edge_attr=attributes)
    torch.testing.assert_close(net(x, edges.flip(1), edge_attr=attributes.flip(0)), out, rtol=1e-12, atol=1e-12)
    for other in (
        net(x, edges, edge_attr=attributes.flip(0)),
        net(x, edges.flip(0), edge_attr=attributes),
        net(x, edges[:, :2], edge_attr=attributes[:2]),
    ):
        assert not torch.allclose(other, out)


@pytest.mark.parametrize("name", ["hidden_channels", "num_layers"])
def test_no_width_and_no_depth_are_refused(name):
    widths = {"in_channels": 1, "hidden_channels": 2, "out_channels": 2} | {name: 0}
    with pytest.raises(ValueError, match=f"'{name}' must be at least 1, got 0"):
        PPGN(**widths)


@pytest.mark.parametrize(
    ("part", "count"), [("basic", 60), ("simple_regular", 50), ("strongly_regular", 0), ("extension", 100)]
)
def test_brec_as_far_as_2_fwl_goes(part, count):
    graphs = brec(part)
    assert int((gaps(embed(network(), graphs)) > SEPARATED).sum()) == count
    assert noise(network(), graphs[:40]) < SEPARATED / 10


def test_strongly_regular_graphs_of_25_nodes_and_circulants():
    graphs = graph6("sr/sr251256.g6")
    assert torch.pdist(embed(network(), graphs)).max() <= SEPARATED
    assert torch.pdist(embed(network(), csl())).min() > 1e-6


@pytest.mark.parametrize("name", ["EXP", "CEXP"])
def test_first_pairs_of_exp_and_cexp(name):
    graphs = graphsat(name)[:40]
    assert bool((gaps(embed(network(2), graphs)) > SEPARATED).all())
