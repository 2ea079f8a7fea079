import pytest
import torch
from torch_geometric.nn import SAGEConv as PyGSAGEConv

from graphlab.directed.sage_conv import SAGEConv
from tests.directed.graphs import random_graph
from tests.directed.laws import check_ignored_weights_are_refused


@pytest.mark.parametrize("widths", [(3, 6), (6, 3)], ids=["propagated first", "transformed first"])
def test_the_weights_of_pyg_give_its_values(widths):
    torch.manual_seed(0)
    theirs, ours = PyGSAGEConv(*widths), SAGEConv(*widths)
    names = {"own.weight": "lin_r.weight", "own.bias": "lin_l.bias", "neighbors.weight": "lin_l.weight"}
    ours.load_state_dict({name: theirs.state_dict()[other] for name, other in names.items()})
    x = torch.randn(12, widths[0])
    torch.testing.assert_close(ours(x, random_graph()), theirs(x, random_graph()), rtol=1e-5, atol=1e-6)


def test_weights_are_refused_and_widths_shown():
    check_ignored_weights_are_refused(SAGEConv(3, 4), 3)
    assert repr(SAGEConv(3, 4)) == "SAGEConv(3, 4)"
