"""Laws that every network on nodes obeys."""

import copy
from collections.abc import Callable

import pytest
import torch
from torch import nn
from torch_geometric import EdgeIndex

from graphlab.ops import Graph
from tests.directed.graphs import GRAPHS, random_graph


def check_node_network(net: nn.Module, in_channels: int, out_channels: int) -> None:
    """Check what holds for each network that knows nothing of single nodes."""
    net = net.double()
    torch.manual_seed(1)
    permutation_of_nodes_and_edges(net, in_channels)
    check_graphs_and_features(lambda num_nodes: net, in_channels, out_channels)


def check_graphs_and_features(make: Callable[[int], nn.Module], in_channels: int, out_channels: int) -> None:
    """Check what holds for each network; ``make`` takes the number of nodes."""
    torch.manual_seed(1)
    for edge_index, num_nodes in GRAPHS.values():
        finite_logits_and_gradients(make(num_nodes).double(), edge_index, num_nodes, in_channels, out_channels)
    net = make(12).double()
    sparse_features_equal_dense_ones(net, in_channels)
    one_seed_gives_one_result(net, in_channels)
    copies_and_reset(net, in_channels)
    every_form_of_edges_serves(net, in_channels)
    bad_edges_are_refused(make(3).double(), in_channels)


def permutation_of_nodes_and_edges(net: nn.Module, in_channels: int) -> None:
    net.eval()
    x, edge_index = torch.randn(12, in_channels, dtype=torch.float64), random_graph()
    perm, order = torch.randperm(12), torch.randperm(edge_index.size(1))
    moved = torch.empty_like(x)
    moved[perm] = x
    torch.testing.assert_close(net(moved, perm[edge_index[:, order]])[perm], net(x, edge_index), rtol=1e-9, atol=1e-9)


def sparse_features_equal_dense_ones(net: nn.Module, in_channels: int) -> None:
    net.eval()
    x = torch.randn(12, in_channels, dtype=torch.float64).relu()
    for sparse in (x.to_sparse_csr(), x.to_sparse_coo()):
        torch.testing.assert_close(net(sparse, random_graph()), net(x, random_graph()), rtol=1e-9, atol=1e-9)
    net.train()
    net(x.to_sparse_csr(), random_graph()).sum().backward()


def finite_logits_and_gradients(
    net: nn.Module, edge_index: torch.Tensor, num_nodes: int, in_channels: int, out_channels: int
) -> None:
    for training in (False, True):
        net.train(training).zero_grad()
        logits = net(torch.randn(num_nodes, in_channels, dtype=torch.float64), edge_index)
        assert logits.shape == (num_nodes, out_channels) and bool(logits.isfinite().all())
        logits.square().sum().backward()
        grads = [p.grad for p in net.parameters() if p.grad is not None]
        assert grads and all(bool(g.isfinite().all()) for g in grads)


def one_seed_gives_one_result(net: nn.Module, in_channels: int) -> None:
    x = torch.randn(12, in_channels, dtype=torch.float64)
    results = []
    for _ in range(2):
        twin = copy.deepcopy(net).train()
        torch.manual_seed(3)
        twin(x, random_graph()).square().sum().backward()
        results.append([p.grad for p in twin.parameters() if p.grad is not None])
    assert all(a.equal(b) for a, b in zip(*results, strict=True))


def copies_and_reset(net: nn.Module, in_channels: int) -> None:
    net.eval()
    x, twin = torch.randn(12, in_channels, dtype=torch.float64), copy.deepcopy(net)
    before = net(x, random_graph())
    torch.manual_seed(5)
    twin.reset_parameters()  # pyright: ignore[reportCallIssue]
    assert not twin(x, random_graph()).equal(before)
    twin.load_state_dict(net.state_dict())
    assert twin(x, random_graph()).equal(before)
    assert type(net).__name__ in repr(net)


def every_form_of_edges_serves(net: nn.Module, in_channels: int) -> None:
    net.eval()
    x, edge_index = torch.randn(12, in_channels, dtype=torch.float64), random_graph().unique(dim=1).contiguous()
    adj_t = torch.sparse_coo_tensor(edge_index.flip(0), torch.ones(edge_index.size(1)), (12, 12))
    for form in (
        EdgeIndex(edge_index, sparse_size=(12, 12)),
        adj_t,
        adj_t.to_sparse_csr(),
        Graph.from_edge_index(adj_t),
    ):
        torch.testing.assert_close(net(x, form), net(x, edge_index), rtol=1e-9, atol=1e-9)


def bad_edges_are_refused(net: nn.Module, in_channels: int) -> None:
    x = torch.zeros(3, in_channels, dtype=torch.float64)
    for bad in (torch.tensor([[0, 1], [1, 3]]), torch.tensor([[0.0], [1.0]]), torch.tensor([0, 1])):
        with pytest.raises(ValueError, match="'edge_index'"):
            net(x, bad)


def check_ignored_weights_are_refused(net: nn.Module, in_channels: int) -> None:
    """Check that weights which nothing reads are refused."""
    x = torch.zeros(3, in_channels, dtype=torch.float64)
    with pytest.raises(ValueError, match="'edge_weight' is not read by"):
        net.double()(x, torch.tensor([[0], [1]]), torch.ones(1))
    with pytest.raises(ValueError, match="'edge_weight' is not read by"):
        net(x, torch.sparse_coo_tensor([[1], [0]], [2.0], (3, 3)))
