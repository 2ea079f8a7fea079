import pytest
import torch
from torch_geometric.nn import GATConv as PyGGATConv

from graphlab.directed.gat_conv import GATConv
from tests.directed.graphs import random_graph
from tests.directed.laws import check_ignored_weights_are_refused


@pytest.mark.parametrize("heads", [1, 2, 6])
def test_the_weights_of_pyg_give_its_values(heads):
    torch.manual_seed(0)
    theirs, ours = PyGGATConv(3, 6 // heads, heads), GATConv(3, 6, heads)
    state = {name: value.squeeze(0) if "att" in name else value for name, value in theirs.state_dict().items()}
    state["linear.weight"] = state.pop("lin.weight")
    ours.load_state_dict(state)
    x = torch.randn(12, 3)
    torch.testing.assert_close(ours(x, random_graph()), theirs(x, random_graph()), rtol=1e-5, atol=1e-6)


def test_wrong_arguments_are_refused_and_widths_shown():
    check_ignored_weights_are_refused(GATConv(3, 4), 3)
    with pytest.raises(ValueError, match="'heads' must divide the width of 4, got 0"):
        GATConv(3, 4, heads=0)
    assert repr(GATConv(3, 4, heads=2)) == "GATConv(3, 4, heads=2)"
