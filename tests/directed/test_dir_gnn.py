import copy

import pytest
import torch
import torch.nn.functional as F

from graphlab.directed import DirGNN
from graphlab.models import Problem, build
from graphlab.models.directed_config import DirGnnConfig
from tests.directed.layer_graphs import SHAPES, dense_adjacency, digraph, dir_normalized


@pytest.mark.parametrize("normalize", [True, False])
@pytest.mark.parametrize("jk", ["none", "max", "cat"])
def test_it_is_the_dense_formula(jk, normalize):
    torch.manual_seed(0)
    edge_index, n = digraph("twice")
    net = DirGNN(6, 4, 3, num_layers=3, alpha=0.3, jk=jk, normalize=normalize).double()
    x = h = torch.randn(n, 6, dtype=torch.float64)
    a, found = dir_normalized(dense_adjacency(edge_index, n)), []
    for conv in net.convs:
        h = 0.3 * a @ h @ conv.out.weight.t() + 0.7 * a.t() @ h @ conv.into.weight.t() + conv.bias
        h = F.relu(h)
        h = h / h.norm(dim=1, keepdim=True).clamp(min=1e-12) if normalize else h
        found.append(h)
    last = {"none": h, "max": torch.stack(found).max(0).values, "cat": torch.cat(found, 1)}[jk]
    torch.testing.assert_close(net(x, edge_index), net.head(last), rtol=0, atol=1e-10)


@pytest.mark.parametrize("conv", ["gcn", "sage", "gat"])
@pytest.mark.parametrize("kind", SHAPES)
def test_it_trains_on_every_graph(conv, kind):
    edge_index, n = digraph(kind)
    net = DirGNN(6, 4, 3, conv=conv, learn_alpha=True, normalize=True, dropout=0.5)
    net(torch.randn(n, 6), edge_index).sum().backward()
    assert all(bool(p.grad.isfinite().all()) for p in net.parameters())


def test_one_alpha_is_learned_for_all_layers_also_in_a_copy():
    built = DirGNN(6, 4, 3, num_layers=4, learn_alpha=True)
    for net in (built, copy.deepcopy(built)):
        assert len({id(conv.alpha) for conv in net.convs}) == 1
        assert sum(p.dim() == 0 for p in net.parameters()) == 1


def test_state_goes_to_another_network():
    edge_index, n = digraph("dense")
    one, other = (DirGNN(6, 4, 3, learn_alpha=True) for _ in range(2))
    other.load_state_dict(one.state_dict())
    x = torch.randn(n, 6)
    torch.testing.assert_close(other(x, edge_index), one(x, edge_index), rtol=0, atol=0)


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"conv": "gin"}, "'conv' must be one of 'gcn', 'sage', 'gat', got 'gin'"),
        ({"jk": "lstm"}, "'jk' must be one of 'none', 'max', 'cat', got 'lstm'"),
        ({"num_layers": 0}, "'num_layers' must be at least 1, got 0"),
        ({"dropout": 1.0}, r"'dropout' must be in \[0, 1\), got 1.0"),
        ({"alpha": 2.0}, "'alpha' must be between 0"),
    ],
)
def test_bad_arguments_are_refused(given, message):
    with pytest.raises(ValueError, match=message):
        DirGNN(6, 4, 3, **given)


def test_a_configuration_builds_it():
    net = build(DirGnnConfig(alpha=1.0, num_layers=2, hidden_channels=5), Problem("node-classification", 8, 3))
    assert isinstance(net, DirGNN) and len(net.convs) == 2 and net.head.out_features == 3
    with pytest.raises(ValueError, match=r"alpha: expected a number <= 1, got 1\.5"):
        DirGnnConfig(alpha=1.5)
