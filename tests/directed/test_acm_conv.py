import pytest
import torch

from graphlab.directed import ACMConv
from graphlab.ops import Graph
from tests.directed.graphs import GRAPHS, incoming, looped, mean_of


def dense_formula(conv, x, edge_index):
    smooth = mean_of(incoming(looped(edge_index, len(x)), len(x))) if len(x) else x.new_zeros(0, 0)
    low = (smooth @ x @ conv.low.weight.T).clamp(min=0)
    high = ((torch.eye(len(x), dtype=x.dtype) - smooth) @ x @ conv.high.weight.T).clamp(min=0)
    own = (x @ conv.identity.weight.T).clamp(min=0)
    scores = torch.cat([h @ s.weight.T for h, s in zip((low, high, own), conv.scores, strict=True)], 1)
    alpha = torch.softmax(torch.sigmoid(scores) @ conv.mix.weight.T / 3, 1)
    return alpha[:, :1] * low + alpha[:, 1:2] * high + alpha[:, 2:] * own


@pytest.mark.parametrize("graph", GRAPHS)
@pytest.mark.parametrize("widths", [(3, 4), (9, 2)], ids=["propagated first", "transformed first"])
def test_the_dense_formula(widths, graph):
    edge_index, n = GRAPHS[graph]
    torch.manual_seed(0)
    conv = ACMConv(*widths).double()
    x = torch.randn(n, widths[0], dtype=torch.float64)
    torch.testing.assert_close(conv(x, edge_index), dense_formula(conv, x, edge_index), rtol=1e-10, atol=1e-10)


def test_equal_neighbours_leave_nothing_for_the_high_pass_filter():
    conv = ACMConv(3, 4)
    low, high, own = conv._filter(
        torch.ones(4, 3), Graph.from_edge_index(torch.tensor([[0, 1, 2], [1, 2, 3]])).with_self_loops()
    )
    assert bool((high == 0).all()) and not low.equal(own)


def test_widths_are_shown():
    assert repr(ACMConv(3, 4)) == "ACMConv(3, 4)"
