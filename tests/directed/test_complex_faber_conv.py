import pytest
import torch

from graphlab.directed import ComplexFaberConv
from tests.directed.layer_graphs import SHAPES, dense_adjacency, digraph, dir_normalized


def complex_weights(part, terms):
    """The maps of all powers as complex matrices ``(in, out)``."""
    parts = torch.complex(part.linear.real.weight, part.linear.imag.weight).chunk(terms)
    return [weight.t() for weight in parts]


@pytest.mark.parametrize("zero_order", [True, False])
@pytest.mark.parametrize("real_input", [True, False])
@pytest.mark.parametrize("kind", SHAPES)
def test_it_is_the_dense_complex_formula(kind, real_input, zero_order):
    torch.manual_seed(0)
    edge_index, n = digraph(kind)
    x = torch.randn(n, 6, dtype=torch.float64)
    z = x + 0j if real_input else torch.complex(x[:, :3], x[:, 3:])
    conv = ComplexFaberConv(6, 8, 2, alpha=0.3, real_input=real_input, zero_order=zero_order).double()
    t = dir_normalized(dense_adjacency(edge_index, n), 0.25) + 0j
    expected, powers = torch.complex(conv.bias[:4], conv.bias[4:]), range(0 if zero_order else 1, 3)
    for share, matrix, part in ((0.3, t, conv.out), (0.7, t.t(), conv.into)):
        for k, weight in zip(powers, complex_weights(part, len(powers)), strict=True):
            expected = expected + share * 2.0**-k * torch.linalg.matrix_power(matrix, k) @ z @ weight
    torch.testing.assert_close(
        conv(x, edge_index), torch.cat([expected.real, expected.imag], 1).expand(n, 8), rtol=0, atol=1e-10
    )


def test_sparse_real_features_give_what_dense_ones_give():
    edge_index, n = digraph("dense")
    x = torch.randn(n, 5, dtype=torch.float64) * (torch.rand(n, 5) < 0.4)
    conv = ComplexFaberConv(5, 4, 3, real_input=True).double()
    torch.testing.assert_close(conv(x.to_sparse_csr(), edge_index), conv(x, edge_index), rtol=0, atol=1e-10)


def test_gradients_are_right():
    edge_index, n = digraph("dense")
    conv, x = ComplexFaberConv(4, 4, 2, learn_alpha=True).double(), torch.randn(n, 4, dtype=torch.float64)
    names, values = zip(*conv.named_parameters(), strict=True)

    def run(*values):
        return torch.func.functional_call(conv, dict(zip(names, values, strict=True)), (x, edge_index))

    assert torch.autograd.gradcheck(run, values)


@pytest.mark.parametrize(("widths", "real"), [((4, 3), True), ((3, 4), False)])
def test_odd_widths_are_refused(widths, real):
    with pytest.raises(ValueError, match="must be even, for real and imaginary parts"):
        ComplexFaberConv(*widths, real_input=real)
