import pytest
import torch

from graphlab.directed import DiGCNInceptionConv
from tests.directed.layer_graphs import SHAPES, dense_adjacency, digraph, inverse_power
from tests.directed.test_digcn_conv import page_rank


def second_order(edge_index, n):
    """What two nodes share in both directions, dense."""
    a = (dense_adjacency(edge_index, n) > 0).double().fill_diagonal_(1)
    p = inverse_power(a.sum(1), 1) @ a
    out, into = p @ p.t(), p.t() @ p
    both = (out + into) / 2 * (out > 0) * (into > 0)
    scale = inverse_power(both.sum(1), 0.5)
    return scale @ both @ scale


@pytest.mark.parametrize("channels", [4, 8])
@pytest.mark.parametrize("kind", [kind for kind in SHAPES if kind != "no nodes"])
def test_it_is_the_dense_formula(kind, channels):
    torch.manual_seed(0)
    edge_index, n = digraph(kind)
    x, conv = torch.randn(n, 6, dtype=torch.float64), DiGCNInceptionConv(6, channels).double()
    expected = x @ conv.root.weight.t() + page_rank(edge_index, n, 0.1) @ x @ conv.first.weight.t()
    expected = expected + second_order(edge_index, n) @ x @ conv.second.weight.t() + conv.biases.sum(0)
    torch.testing.assert_close(conv(x, edge_index), expected, rtol=0, atol=1e-10)
    torch.testing.assert_close(conv(x.to_sparse_csr(), edge_index), expected, rtol=0, atol=1e-10)


def test_each_branch_is_dropped_by_itself():
    torch.manual_seed(0)
    edge_index, n = digraph("dense")
    conv = DiGCNInceptionConv(2, 400, dropout=0.5)
    conv.biases.data.zero_()
    conv.first.weight.data.zero_()
    conv.second.weight.data.zero_()
    x = torch.ones(n, 2)
    kept, dropped = conv.eval()(x, edge_index), conv.train()(x, edge_index)
    zero = dropped == 0
    torch.testing.assert_close(dropped[~zero], 2 * kept[~zero])
    assert 0.45 < float(zero.double().mean()) < 0.55
