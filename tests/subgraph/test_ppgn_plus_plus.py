import pytest
import torch

from graphlab.subgraph import EquivariantPolynomials, PPGNPlusPlus
from tests.subgraph.expressivity_data import (
    BREC,
    NOISE,
    SEPARATED,
    batch_of,
    brec,
    close_pairs,
    csl,
    embed,
    gaps,
    graph6,
    graphsat,
    noise,
)
from tests.subgraph.pair_network_laws import check_pair_network, random_graphs, run

# Of the parts of BREC in their order; CFI graphs need sharp activations, and these more room for rounding.
COUNTS = dict(zip(BREC, (60, 50, 50, 100, 60, 0, 0), strict=True))
SHARP, SHARPLY_SEPARATED = 8.0, 1e-6


def network(in_channels: int = 1, frequency: float = 1.0) -> PPGNPlusPlus:
    torch.manual_seed(0)
    return PPGNPlusPlus(in_channels, 16, 16, frequency=frequency).double()


@pytest.mark.parametrize("degree", [5, 6])
def test_laws(degree):
    torch.manual_seed(0)
    check_pair_network(PPGNPlusPlus(3, 4, 2, num_layers=2, degree=degree))


@pytest.mark.parametrize("degree", [5, 6])
def test_polynomials_of_the_transform_serve(degree):
    torch.manual_seed(0)
    net = PPGNPlusPlus(3, 4, 2, degree=degree).double()
    batch = batch_of([EquivariantPolynomials(degree)(data) for data in random_graphs()])
    polynomials = batch.polynomial_index, batch.polynomial_value
    found = net(batch.x, batch.edge_index, batch.batch, batch.num_graphs, polynomials=polynomials)
    assert found.equal(run(net, batch))
    other = net(
        batch.x, batch.edge_index, batch.batch, batch.num_graphs, polynomials=(polynomials[0], polynomials[1] + 1)
    )
    assert not torch.allclose(other, found)


def test_what_does_not_fit_is_refused():
    net, x = PPGNPlusPlus(1, 4, 2), torch.ones(3, 1)
    with pytest.raises(ValueError, match="'edge_index' must list each edge both ways"):
        net(x, torch.tensor([[0], [1]]))
    both = torch.tensor([[0, 1], [1, 0]])
    with pytest.raises(ValueError, match=r"'polynomials' must hold values of shape \(2, 1\), got \(2, 12\)"):
        net(x, both, polynomials=(both, torch.ones(2, 12)))
    with pytest.raises(ValueError, match="'degree' must be 5 or 6, got 7"):
        PPGNPlusPlus(1, 4, 2, degree=7)


@pytest.mark.parametrize("part", [part for part in BREC if part != "cfi"])
def test_brec_without_cfi(part):
    graphs, net = brec(part), network()
    assert int((gaps(embed(net, graphs)) > SEPARATED).sum()) == COUNTS[part]
    assert noise(net, graphs[:8]) <= NOISE


def test_strongly_regular_graphs_of_25_nodes_and_circulants():
    net = network()
    for graphs, pairs in ((graph6("sr/sr251256.g6"), 105), (csl(), 45)):
        outputs = embed(net, graphs)
        assert len(outputs) * (len(outputs) - 1) // 2 == pairs and close_pairs(outputs, SEPARATED) == 0
        assert noise(net, graphs) <= NOISE


def test_graphs_of_seven_nodes():
    assert close_pairs(embed(network(), graph6("graph8c/graph7c.g6"), 1000), SEPARATED) == 0


def test_small_cfi_graphs():
    graphs = brec("cfi")
    small = [data for i in (5, 18, 21, 12, 56, 73) for data in graphs[2 * i : 2 * i + 2]]
    net = network(frequency=SHARP)
    assert (gaps(embed(net, small)) > SHARPLY_SEPARATED).tolist() == [True] * 5 + [False]
    assert noise(net, small[:8]) < SHARPLY_SEPARATED / 10


@pytest.mark.slow
def test_320_pairs_of_brec():
    net, counts = network(frequency=SHARP), {}
    for part in BREC:
        counts[part] = int((gaps(embed(net, brec(part), 20)) > SHARPLY_SEPARATED).sum())
    assert counts == COUNTS and sum(counts.values()) == 320


@pytest.mark.slow
def test_all_of_graph8c():
    assert close_pairs(embed(network(), graph6("graph8c/graph8c.g6"), 2000), SEPARATED) == 0


@pytest.mark.slow
@pytest.mark.parametrize("name", ["EXP", "CEXP"])
def test_all_pairs_of_exp_and_cexp(name):
    graphs, net = graphsat(name), network(2)
    assert int((gaps(embed(net, graphs)) > SEPARATED).sum()) == 600
    # Most pairs of these sparse graphs look alike: what sets the others apart is a small part of each product.
    assert noise(net, graphs[:40]) < SEPARATED / 10
