"""What holds of all three layers; the formula of each stands in its own file."""

import copy

import pytest
import torch

from graphlab.directed import DirGATConv, DirGCNConv, DirSAGEConv
from tests.directed.layer_graphs import SHAPES, digraph, forms

CONVS = [DirGCNConv, DirSAGEConv, DirGATConv]
every_conv = pytest.mark.parametrize("make", CONVS)


def features(num_nodes: int, channels: int = 6) -> torch.Tensor:
    torch.manual_seed(1)
    return torch.randn(num_nodes, channels, dtype=torch.float64)


@every_conv
@pytest.mark.parametrize("kind", SHAPES)
def test_transposing_the_graph_swaps_the_directions(make, kind):
    edge_index, n = digraph(kind)
    conv = make(6, 4, alpha=0.3).double()
    turned = copy.deepcopy(conv)
    turned.out, turned.into, turned.alpha = conv.into, conv.out, make(6, 4, alpha=0.7).alpha
    x = features(n)
    torch.testing.assert_close(turned(x, edge_index.flip(0)), conv(x, edge_index), rtol=0, atol=1e-10)


@every_conv
@pytest.mark.parametrize("alpha", [0.0, 1.0])
def test_a_direction_that_does_not_count_has_no_parameters_and_is_not_seen(make, alpha):
    edge_index, n = digraph("dense")
    conv = make(6, 4, alpha=alpha).double()
    assert (conv.out is None) == (alpha == 0) and (conv.into is None) == (alpha == 1)
    x = features(n)
    out = conv(x, edge_index)
    # Another neighbour in the other direction changes nothing but the degrees of the one it came to.
    both = make(6, 4, alpha=0.5).double()
    both.alpha.value = alpha
    both.load_state_dict({**both.state_dict(), **conv.state_dict()})
    torch.testing.assert_close(both(x, edge_index), out, rtol=0, atol=1e-10)


@every_conv
def test_learned_alpha_and_all_parameters_have_right_gradients(make):
    edge_index, n = digraph("loops")
    conv = make(3, 2, alpha=0.4, learn_alpha=True).double()
    names, values = zip(*conv.named_parameters(), strict=True)
    x = features(n, 3).requires_grad_()

    def run(x, *values):
        return torch.func.functional_call(conv, dict(zip(names, values, strict=True)), (x, edge_index))

    assert torch.autograd.gradcheck(run, (x, *values))
    (grad,) = torch.autograd.grad(conv(x, edge_index).square().sum(), conv.alpha.logit)
    assert grad != 0


@every_conv
@pytest.mark.parametrize("channels", [6, 2])
def test_sparse_features_give_what_dense_ones_give(make, channels):
    edge_index, n = digraph("dense")
    x = features(n) * (features(n) > 0.5)
    conv = make(6, channels).double()
    dense, sparse = conv(x, edge_index), conv(x.to_sparse_csr(), edge_index)
    torch.testing.assert_close(sparse, dense, rtol=0, atol=1e-10)
    parameters = list(conv.parameters())
    expected = torch.autograd.grad(dense.square().sum(), parameters)
    torch.testing.assert_close(torch.autograd.grad(sparse.square().sum(), parameters), expected, rtol=0, atol=1e-10)


@every_conv
def test_every_form_of_edges_gives_the_same(make):
    edge_index = torch.unique(digraph("dense")[0], dim=1)
    conv, x = make(6, 4).double(), features(9)
    for edges in forms(edge_index, 9):
        torch.testing.assert_close(conv(x, edges), conv(x, edge_index), rtol=0, atol=1e-10)


@every_conv
def test_permuting_nodes_permutes_rows(make):
    edge_index, n = digraph("twice")
    conv, x, order = make(6, 4).double(), features(n), torch.randperm(n)
    permuted = conv(x[order], torch.argsort(order)[edge_index])
    torch.testing.assert_close(permuted, conv(x, edge_index)[order], rtol=0, atol=1e-10)


@every_conv
def test_bad_input_is_refused(make):
    conv = make(6, 4)
    with pytest.raises(ValueError, match=r"'x' must have shape \(num_nodes, 6\), got \(9, 5\)"):
        conv(torch.rand(9, 5), digraph("dense")[0])
    with pytest.raises(ValueError, match=r"expected \[0, 9\)"):
        conv(torch.rand(9, 6), torch.tensor([[0], [9]]))
    with pytest.raises(ValueError, match="must be int64 or int32"):
        conv(torch.rand(9, 6), torch.rand(2, 3))


@pytest.mark.parametrize("make", [DirGCNConv, DirSAGEConv])
def test_weights_without_a_root_are_refused(make):
    edge_index, n = digraph("dense")
    for bad in (-torch.ones(24), torch.full((24,), torch.nan), torch.full((24,), torch.inf)):
        with pytest.raises(ValueError, match="'edge_weight' has negative or infinite"):
            make(6, 4)(torch.rand(n, 6), edge_index, bad)
    for bad in (torch.ones(23), torch.ones(24, dtype=torch.int64)):
        with pytest.raises(ValueError, match="'edge_weight' must hold one floating-point number for each of the 24"):
            make(6, 4)(torch.rand(n, 6), edge_index, bad)


@every_conv
def test_new_parameters_are_drawn_alike_for_a_seed(make):
    conv = make(6, 4, learn_alpha=True)
    for _ in range(2):
        torch.manual_seed(3)
        conv.reset_parameters()
        drawn = copy.deepcopy(conv.state_dict())
    torch.manual_seed(3)
    conv.reset_parameters()
    torch.testing.assert_close(conv.state_dict(), drawn, rtol=0, atol=0)
