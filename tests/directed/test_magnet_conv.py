import math

import pytest
import torch

from graphlab.directed import MagNetConv
from tests.directed.layer_graphs import SHAPES, dense_adjacency, digraph, inverse_power


def scaled_laplacian(edge_index, n, q):
    """L - I with the largest eigenvalue 2, loops and repeated edges left out."""
    a = (dense_adjacency(edge_index, n) > 0).double().fill_diagonal_(0)
    both = (a + a.t()) / 2
    scale = inverse_power(both.sum(1), 0.5)
    phase = torch.exp(2j * math.pi * q * (a - a.t()))
    eye = torch.eye(n, dtype=torch.complex128)
    return (eye - (scale @ both @ scale) * phase) - eye


def chebyshev(lap, z, weights, bias):
    """The recurrence T_k = 2 L T_{k-1} - T_{k-2}, matrix by matrix."""
    powers = [z, lap @ z]
    while len(powers) < len(weights):
        powers.append(2 * lap @ powers[-1] - powers[-2])
    return sum(t @ (w.t() + 0j) for t, w in zip(powers, weights, strict=False)) + (1 + 1j) * bias


@pytest.mark.parametrize("order", [0, 1, 2, 4])
@pytest.mark.parametrize("q", [0.0, 0.1, 0.25])
@pytest.mark.parametrize("kind", SHAPES)
def test_it_is_the_dense_complex_formula(kind, q, order):
    torch.manual_seed(0)
    edge_index, n = digraph(kind)
    conv = MagNetConv(6, 4, order, q).double()
    real, imag = torch.randn(2, n, 6, dtype=torch.float64)
    lap = scaled_laplacian(edge_index, n, q)
    weights, bias = conv.linear.weight.split(4), torch.randn(4, dtype=torch.float64)
    conv.bias.data.copy_(bias)
    for x, z in (((real, imag), torch.complex(real, imag)), (real, real * (1 + 1j))):
        ours = torch.complex(*conv(x, edge_index))
        torch.testing.assert_close(ours, chebyshev(lap, z, weights, bias), rtol=0, atol=1e-10)


def test_turning_all_edges_conjugates():
    edge_index, n = digraph("dense")
    conv = MagNetConv(6, 4, 2, 0.1).double()
    real, imag = torch.randn(2, n, 6, dtype=torch.float64)
    along, against = conv((real, imag), edge_index), conv((real, -imag), edge_index.flip(0))
    torch.testing.assert_close(against[0], along[0], rtol=0, atol=1e-10)
    torch.testing.assert_close(against[1], -along[1], rtol=0, atol=1e-10)


def test_sparse_features_and_gradients():
    edge_index, n = digraph("loops")
    conv = MagNetConv(3, 2, 2, 0.1).double()
    x = torch.randn(n, 3, dtype=torch.float64) * (torch.rand(n, 3) < 0.5)
    torch.testing.assert_close(conv(x.to_sparse_csr(), edge_index), conv(x, edge_index), rtol=0, atol=1e-10)
    assert torch.autograd.gradcheck(lambda x: conv(x, edge_index), x.requires_grad_())


def test_bad_arguments_are_refused():
    with pytest.raises(ValueError, match="'order' must be at least 0, got -1"):
        MagNetConv(2, 2, -1)
    with pytest.raises(ValueError, match="'q' must be a finite number, got nan"):
        MagNetConv(2, 2, q=float("nan"))
    with pytest.raises(ValueError, match=r"'x' must have shape \(num_nodes, 2\), got \(9, 3\)"):
        MagNetConv(2, 2)(torch.rand(9, 3), digraph("dense")[0])
