import pytest
import torch
from torch import nn

from graphlab.directed.node_norm import NodeBatchNorm, make_norm


def test_two_nodes_or_more_are_normalised_as_by_torch():
    x = torch.randn(5, 3)
    ours, theirs = NodeBatchNorm(3), nn.BatchNorm1d(3)
    torch.testing.assert_close(ours(x), theirs(x))
    torch.testing.assert_close(ours.state_dict(), theirs.state_dict())


@pytest.mark.parametrize("num_nodes", [0, 1])
def test_fewer_nodes_leave_the_statistics_as_they_are(num_nodes):
    norm = NodeBatchNorm(3).train()
    norm(torch.randn(9, 3))
    before = {name: value.clone() for name, value in norm.state_dict().items()}
    x = torch.randn(num_nodes, 3)
    torch.testing.assert_close(norm(x), norm.eval()(x))
    torch.testing.assert_close(norm.state_dict(), before)


def test_names():
    assert isinstance(make_norm("none", 3), nn.Identity) and isinstance(make_norm("layer", 3), nn.LayerNorm)
    with pytest.raises(ValueError, match="'norm' must be one of 'none', 'batch', 'layer', got 'x'"):
        make_norm("x", 3)
