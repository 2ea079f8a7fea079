from typing import Any, cast

import pytest
import torch
from torch_geometric.nn import LINKX as PyGLINKX

from graphlab.directed import LINKX
from tests.directed.graphs import GRAPHS, incoming, of, random_graph
from tests.directed.laws import check_graphs_and_features


@pytest.mark.parametrize("graph", GRAPHS)
@pytest.mark.parametrize("weighted", [False, True])
def test_the_dense_formula(graph, weighted):
    edge_index, n = GRAPHS[graph]
    torch.manual_seed(0)
    net = LINKX(3, 4, 2, num_nodes=n).double().eval()
    x = torch.randn(n, 3, dtype=torch.float64)
    weight = torch.rand(edge_index.size(1), dtype=torch.float64) if weighted else None
    edges = incoming(edge_index, n, weight) @ net.edge_linear.weight + net.edge_linear.bias
    nodes = of(x, net.node_linear)
    first, _, norm, _, last = cast(Any, net.final_mlp)
    hidden = norm(of((edges + nodes + of(edges, net.from_edges) + of(nodes, net.from_nodes)).relu(), first).relu())
    torch.testing.assert_close(net(x, edge_index, weight), of(hidden, last), rtol=1e-10, atol=1e-10)


@pytest.mark.parametrize("layers", [(1, 1, 1), (3, 2, 3)])
def test_the_weights_of_pyg_give_its_values(layers):
    torch.manual_seed(0)
    final, edge, node = layers
    theirs = PyGLINKX(12, 3, 8, 2, final, edge, node).train()
    ours = LINKX(3, 8, 2, 12, final, edge, node, dropout=0).train()
    state = {}
    for name, value in theirs.state_dict().items():
        state[_renamed(name)] = value
    if edge == 1:
        state = {name: value for name, value in state.items() if not name.startswith("edge_mlp")}
    ours.load_state_dict(state)
    x, edge_index = torch.randn(12, 3), random_graph()
    for _ in range(2):
        torch.testing.assert_close(ours(x, edge_index), theirs(x, edge_index), rtol=1e-5, atol=1e-5)
        ours.eval(), theirs.eval()


def _renamed(name: str) -> str:
    """PyG counts linear maps and norms apart, and puts the activation and norm before ``edge_mlp``."""
    head, *rest = name.split(".")
    plain = {"edge_lin": "edge_linear", "cat_lin1": "from_edges", "cat_lin2": "from_nodes", "edge_norm": "edge_mlp.1"}
    if head in plain:
        return ".".join([plain[head], *rest])
    kind, k, *tail = rest
    at = 4 * int(k) + {"lins": 0, "norms": 2}[kind]
    if head == "final_mlp":
        return ".".join([head, str(at), *([tail[-1]])])
    if head == "node_mlp":
        at -= 1
        return ".".join(["node_linear", tail[-1]]) if at < 0 else ".".join([head, str(at), tail[-1]])
    return ".".join([head, str(at + 3), tail[-1]])


def test_laws():
    check_graphs_and_features(lambda n: LINKX(5, 4, 3, num_nodes=n, num_edge_layers=2, num_node_layers=2), 5, 3)


def test_another_number_of_nodes_is_refused():
    with pytest.raises(ValueError, match="'x' has 3 rows, but the network was built for a graph of 4 nodes"):
        LINKX(2, 4, 2, num_nodes=4)(torch.zeros(3, 2), torch.tensor([[0], [1]]))
    with pytest.raises(ValueError, match="'num_edge_layers' must be at least 1, got 0"):
        LINKX(2, 4, 2, num_nodes=4, num_edge_layers=0)
