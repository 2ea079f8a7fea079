"""The layers know when the fused ops give what PyG's layer gives, and leave the rest to PyG."""

import warnings
from typing import Any

import pytest
import torch
import torch_geometric.nn as pyg
from torch_geometric import EdgeIndex

from graphlab import nn
from graphlab.ops import Graph

from .twins import LAYERS, NODES, edges, rows, twins

every_layer = pytest.mark.parametrize("build", LAYERS.values(), ids=LAYERS.keys())


def conv(**kwargs):
    torch.manual_seed(0)
    return nn.SAGEConv(8, 4, **kwargs)


@every_layer
def test_fused_where_nothing_speaks_against_it(build):
    _, ours = twins(build)
    for edge_index in (edges(), edges().int(), EdgeIndex(edges()), Graph.from_edge_index(edges(), (NODES, NODES))):
        assert ours.fallback_reason(rows(), edge_index) == ""


@every_layer
def test_half_precision_is_left_to_pyg(build):
    _, ours = twins(build)
    assert ours.fallback_reason(rows().half(), edges()) == "node features are torch.float16"


@every_layer
@pytest.mark.parametrize(
    "register",
    [
        "register_propagate_forward_pre_hook",
        "register_propagate_forward_hook",
        "register_message_forward_pre_hook",
        "register_message_forward_hook",
        "register_aggregate_forward_pre_hook",
        "register_aggregate_forward_hook",
        "register_message_and_aggregate_forward_pre_hook",
        "register_message_and_aggregate_forward_hook",
        "register_edge_update_forward_pre_hook",
        "register_edge_update_forward_hook",
    ],
)
def test_hooks_run(build, register):
    _, ours = twins(build)
    handle = getattr(ours, register)(lambda *args: None)
    assert ours.fallback_reason(rows(), edges()) == "a hook watches the messages"
    handle.remove()
    assert ours.fallback_reason(rows(), edges()) == ""


def test_message_hook_changes_the_result_as_in_pyg():
    theirs, ours = twins(LAYERS["SAGEConv"])
    for layer in (theirs, ours):
        layer.register_message_forward_hook(lambda layer, inputs, out: 2 * out)
    torch.testing.assert_close(ours(rows(), edges()), theirs(rows(), edges()))


def test_overridden_message_counts():
    class Doubled(nn.SAGEConv):
        def message(self, x_j):
            return 2 * x_j

    class Late(Doubled):
        pass

    class Mixin:
        def message(self, x_j):
            return 2 * x_j

    class Mixed(Mixin, nn.SAGEConv):
        pass

    class Forward(nn.SAGEConv):
        def forward(self, x, edge_index):
            return 2 * super().forward(x, edge_index)

    plain = conv(root_weight=False, bias=False)
    expected = 2 * plain(rows(), edges())
    for cls in (Doubled, Late, Mixed, Forward):
        changed = cls(8, 4, root_weight=False, bias=False)
        changed.load_state_dict(plain.state_dict())
        assert changed.fallback_reason(rows(), edges()) == ("" if cls is Forward else "overridden: message")
        torch.testing.assert_close(changed(rows(), edges()), expected)


def test_patched_message_counts():
    layer = conv(root_weight=False, bias=False)
    expected = layer(rows(), edges())
    layer.message = lambda x_j: 2 * x_j
    assert layer.fallback_reason(rows(), edges()) == "overridden: message"
    torch.testing.assert_close(layer(rows(), edges()), 2 * expected)


def test_explaining_and_back():
    layer = conv()
    layer.explain = True
    assert layer.fallback_reason(rows(), edges()) == "an explainer is at work"
    layer.explain = None
    assert layer.fallback_reason(rows(), edges()) == ""


def test_reversed_flow():
    for layers in ("SAGEConv", "GATv2Conv"):
        torch.manual_seed(0)
        theirs = getattr(pyg, layers)(8, 4, flow="target_to_source")
        ours = getattr(nn, layers)(8, 4, flow="target_to_source")
        ours.load_state_dict(theirs.state_dict())
        assert ours.fallback_reason(rows(), edges()) == "flow is 'target_to_source'"
        torch.testing.assert_close(ours(rows(), edges()), theirs(rows(), edges()))


def test_decomposed_layers_change_nothing():
    torch.testing.assert_close(conv(decomposed_layers=2)(rows(), edges()), conv()(rows(), edges()))


def test_static_graphs_with_batches_of_features():
    theirs, ours = twins(LAYERS["SAGEConv"])
    x = torch.stack([rows(), rows(seed=2)])
    assert ours.fallback_reason(x, edges()) == "node features are not dense matrices"
    torch.testing.assert_close(ours(x, edges()), theirs(x, edges()))


def test_traced_by_torch_jit():
    theirs, ours = twins(LAYERS["SAGEConv"])
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        traced: Any = torch.jit.trace(ours, (rows(), edges()))
    torch.testing.assert_close(traced(rows(seed=2), edges(seed=1)), theirs(rows(seed=2), edges(seed=1)))


def test_uncoalesced_adjacency():
    _, ours = twins(LAYERS["SAGEConv"])
    both = torch.tensor([[0, 0, 1], [1, 1, 2]])
    adj_t = torch.sparse_coo_tensor(both, torch.ones(3), (NODES, NODES))
    assert ours.fallback_reason(rows(), adj_t) == "the adjacency is not coalesced"


def test_size_that_does_not_fit():
    _, ours = twins(LAYERS["SAGEConv"])
    graph = Graph.from_edge_index(edges(), (NODES, NODES))
    assert ours.fallback_reason(rows(5), graph) == "5 rows for 12 sources"
    with pytest.raises(ValueError, match="size"):
        ours(rows(5), graph)
    with pytest.raises(ValueError, match="size"):
        ours((rows(), rows(5)), edges(), (NODES, NODES))


def test_under_vmap():
    _, ours = twins(LAYERS["SAGEConv"])
    x, edge_index = torch.stack([rows(), rows(seed=2)]), edges()
    out = torch.func.vmap(lambda one: ours(one, edge_index))(x)
    torch.testing.assert_close(out, torch.stack([ours(one, edge_index) for one in x]))


@pytest.mark.parametrize("part", ["aggr_module.forward", "propagate"])
def test_a_replaced_part_is_used(part):
    conv = nn.SAGEConv(4, 2)
    owner, _, name = part.rpartition(".")
    setattr(conv.get_submodule(owner), name, lambda *args, **kwargs: None)
    assert conv.fallback_reason(torch.randn(3, 4), torch.tensor([[0, 1, 2], [1, 2, 0]]))


def test_backward_hooks_of_the_linear_map_run():
    conv, heard = nn.SAGEConv(4, 2), []
    conv.lin_l.register_full_backward_pre_hook(lambda module, grad: heard.append(grad))
    conv(torch.randn(3, 4, requires_grad=True), torch.tensor([[0, 1, 2], [1, 2, 0]])).sum().backward()
    assert len(heard) == 1


def test_narrow_results_keep_the_precision_of_autocast():
    edge_index, x = torch.tensor([[0, 1, 2], [1, 2, 0]]), torch.randn(3, 4)
    conv = nn.SAGEConv(4, 2)
    with torch.autocast("cpu", torch.bfloat16):
        trained = conv(x, edge_index)
        with torch.no_grad():
            evaluated = conv(x, edge_index)
    assert trained.dtype == evaluated.dtype == torch.bfloat16
    torch.testing.assert_close(trained, evaluated)
