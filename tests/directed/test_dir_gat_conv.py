import pytest
import torch
from torch_geometric import nn as pyg

from graphlab.directed import DirGATConv
from tests.directed.layer_graphs import SHAPES, digraph


def attended(x, edges, part):
    """One direction of the layer, node by node: softmax over the edges that point at it."""
    h = x @ part.weight.t()
    rows = []
    for i in range(x.size(0)):
        near = h[[s for s, t in edges if t == i]]
        score = torch.nn.functional.leaky_relu(near @ part.att_source + h[i] @ part.att_target, 0.2)
        rows.append(score.softmax(0) @ near)
    return torch.stack(rows) if rows else h


@pytest.mark.parametrize("loops", [True, False])
@pytest.mark.parametrize("kind", SHAPES)
def test_it_is_the_formula_node_by_node(kind, loops):
    torch.manual_seed(0)
    edge_index, n = digraph(kind)
    x = torch.randn(n, 6, dtype=torch.float64)
    conv = DirGATConv(6, 4, alpha=0.3, add_self_loops=loops).double()
    into = [(s, t) for s, t in edge_index.t().tolist() if not loops or s != t] + [(i, i) for i in range(n) if loops]
    out = [(t, s) for s, t in into]
    expected = 0.3 * attended(x, out, conv.out) + 0.7 * attended(x, into, conv.into) + conv.bias
    torch.testing.assert_close(conv(x, edge_index), expected, rtol=0, atol=1e-10)


@pytest.mark.parametrize("root", [True, False])
@pytest.mark.parametrize("alpha", [0.0, 0.3, 1.0])
def test_with_copied_weights_it_is_pygs_gradients_too(alpha, root):
    torch.manual_seed(0)
    edge_index, n = digraph("twice")
    x = torch.randn(n, 6)
    theirs = pyg.DirGNNConv(pyg.GATConv(6, 4), alpha=alpha, root_weight=root)
    ours = DirGATConv(6, 4, alpha, root_weight=root, add_self_loops=False)
    pairs = {"root.weight": theirs.lin.weight} if root else {}
    for name, part in (("out", theirs.conv_out), ("into", theirs.conv_in)):
        if getattr(ours, name) is not None:
            pairs[f"{name}.weight"] = part.lin.weight
            pairs |= {f"{name}.att_source": part.att_src, f"{name}.att_target": part.att_dst}
    bias = alpha * theirs.conv_out.bias + (1 - alpha) * theirs.conv_in.bias
    bias = bias + theirs.lin.bias if root else bias
    parameters = dict(ours.named_parameters())
    ours.load_state_dict({"bias": bias} | {name: p.reshape(parameters[name].shape) for name, p in pairs.items()})
    torch.testing.assert_close(ours(x, edge_index), theirs(x, edge_index), rtol=1e-5, atol=1e-5)
    ours(x, edge_index).square().sum().backward()
    theirs(x, edge_index).square().sum().backward()
    for name, p in pairs.items():
        torch.testing.assert_close(parameters[name].grad, p.grad.reshape(parameters[name].shape), rtol=1e-5, atol=1e-4)


def test_weights_of_edges_are_refused():
    with pytest.raises(ValueError, match="'edge_weight' must be None"):
        DirGATConv(2, 2)(torch.rand(9, 2), digraph("dense")[0], torch.ones(24))
