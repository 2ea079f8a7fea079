import pytest
import torch
from torch_geometric.nn import GCNConv as PyGGCNConv

from graphlab.directed import gcn_norm
from graphlab.directed.gcn_conv import GCNConv
from tests.directed.graphs import random_graph


@pytest.mark.parametrize("widths", [(3, 6), (6, 3)], ids=["propagated first", "transformed first"])
@pytest.mark.parametrize("weighted", [False, True])
def test_the_weights_of_pyg_give_its_values_on_an_undirected_graph(widths, weighted):
    torch.manual_seed(0)
    half, weight = random_graph(), torch.rand(40) if weighted else None
    edge_index = torch.cat([half, half.flip(0)], 1)
    weight = None if weight is None else torch.cat([weight, weight])
    one_way = edge_index[0] != edge_index[1]
    edge_index, weight = edge_index[:, one_way], None if weight is None else weight[one_way]
    theirs, ours = PyGGCNConv(*widths), GCNConv(*widths)
    ours.load_state_dict({"bias": theirs.bias, "linear.weight": theirs.lin.weight})
    x = torch.randn(12, widths[0])
    torch.testing.assert_close(ours(x, edge_index, weight), theirs(x, edge_index, weight), rtol=1e-5, atol=1e-6)


def test_an_operator_made_before_serves_too():
    conv, x = GCNConv(3, 4, bias=False), torch.randn(12, 3)
    torch.testing.assert_close(conv(x, gcn_norm(random_graph(), num_nodes=12).T), conv(x, random_graph()))


def test_bias_starts_at_zero_again_and_widths_are_shown():
    conv = GCNConv(3, 4)
    assert conv.bias is not None
    torch.nn.init.ones_(conv.bias)
    conv.reset_parameters()
    assert not bool(conv.bias.any())
    assert repr(conv) == "GCNConv(3, 4)"
