import copy

import pytest
import torch

from graphlab.directed import FaberConv
from tests.directed.layer_graphs import SHAPES, dense_adjacency, digraph, dir_normalized

WEIGHTS = {"none": lambda k: 1.0, "exp": lambda k: 2.0**-k, "lin": lambda k: 1 / max(k, 1)}


def polynomial(t, x, weights, powers, decay):
    """Sum over powers, each formed as a dense matrix."""
    result = 0
    for weight, k in zip(weights, powers, strict=True):
        result = result + (WEIGHTS[decay](k) if k else 1) * torch.linalg.matrix_power(t, k) @ x @ weight.t()
    return result


@pytest.mark.parametrize("order", [1, 3])
@pytest.mark.parametrize("zero_order", [True, False])
@pytest.mark.parametrize("decay", ["none", "exp", "lin"])
@pytest.mark.parametrize("kind", SHAPES)
def test_it_is_the_dense_formula(kind, decay, zero_order, order):
    torch.manual_seed(0)
    edge_index, n = digraph(kind)
    x = torch.randn(n, 6, dtype=torch.float64)
    conv = FaberConv(6, 4, order, alpha=0.3, decay=decay, zero_order=zero_order).double()
    powers = range(0 if zero_order else 1, order + 1)
    t = dir_normalized(dense_adjacency(edge_index, n), 0.25)
    along, against = (part.linear.weight.split(4) for part in (conv.out, conv.into))
    expected = 0.3 * polynomial(t, x, along, powers, decay) + 0.7 * polynomial(t.t(), x, against, powers, decay)
    torch.testing.assert_close(conv(x, edge_index), expected + conv.bias, rtol=0, atol=1e-10)


def test_transposing_the_graph_swaps_the_directions():
    edge_index, n = digraph("twice")
    conv = FaberConv(6, 4, 3, alpha=0.3).double()
    turned = copy.deepcopy(conv)
    turned.out, turned.into, turned.alpha = conv.into, conv.out, FaberConv(6, 4, alpha=0.7).alpha
    x = torch.randn(n, 6, dtype=torch.float64)
    torch.testing.assert_close(turned(x, edge_index.flip(0)), conv(x, edge_index), rtol=0, atol=1e-10)


@pytest.mark.parametrize("alpha", [0.0, 1.0])
def test_a_direction_that_does_not_count_has_no_parameters(alpha):
    conv = FaberConv(6, 4, 3, alpha=alpha)
    assert (conv.out is None) == (alpha == 0) and (conv.into is None) == (alpha == 1)
    assert sum(p.numel() for p in conv.parameters()) == 3 * 6 * 4 + 4


def test_gradients_are_right_and_sparse_features_give_what_dense_ones_give():
    torch.manual_seed(0)
    edge_index, n = digraph("loops")
    conv = FaberConv(3, 2, 2, alpha=0.4, learn_alpha=True, zero_order=True).double()
    names, values = zip(*conv.named_parameters(), strict=True)
    x = torch.randn(n, 3, dtype=torch.float64) * (torch.rand(n, 3) < 0.5)

    def run(*values):
        return torch.func.functional_call(conv, dict(zip(names, values, strict=True)), (x, edge_index))

    assert torch.autograd.gradcheck(run, values)
    torch.testing.assert_close(conv(x.to_sparse_csr(), edge_index), conv(x, edge_index), rtol=0, atol=1e-10)


@pytest.mark.parametrize(
    ("given", "message"),
    [({"order": 0}, "'order' must be 1 or more, got 0"), ({"decay": "log"}, "'decay' must be one of 'none', 'exp'")],
)
def test_bad_arguments_are_refused(given, message):
    with pytest.raises(ValueError, match=message):
        FaberConv(6, 4, **given)
