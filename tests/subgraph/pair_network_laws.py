"""Laws that networks on all pairs of nodes obey."""

import copy

import pytest
import torch
from torch_geometric import EdgeIndex
from torch_geometric.data import Data
from torch_geometric.utils import erdos_renyi_graph

from graphlab.subgraph import PPGN
from tests.subgraph.expressivity_data import batch_of, permuted


def random_graphs(count: int = 20) -> list[Data]:
    """Undirected graphs of 0 to 20 nodes, many with isolated ones, some without edges."""
    torch.manual_seed(0)
    graphs = []
    for i in range(count):
        num_nodes = i % 21
        edge_index = erdos_renyi_graph(num_nodes, (i % 5) / 8) if num_nodes else torch.empty(2, 0, dtype=torch.int64)
        graphs.append(Data(edge_index=edge_index, x=torch.randn(num_nodes, 3).double(), num_nodes=num_nodes))
    return graphs


def run(net: PPGN, data: Data) -> torch.Tensor:
    return net(data.x, data.edge_index, data.batch, data.num_graphs if data.batch is not None else None)


def check_pair_network(net: PPGN) -> None:
    """Check what holds for each network on three node features."""
    net = net.double()
    nodes_in_any_order_give_one_output(net)
    batches_give_what_single_graphs_give(net)
    gradients_are_those_of_differences(net)
    every_form_of_edges_serves(net)
    copies_and_reset(net)
    what_does_not_fit_is_refused(net)


def nodes_in_any_order_give_one_output(net: PPGN) -> None:
    graphs = random_graphs()
    expected, found = run(net, batch_of(graphs)), run(net, batch_of([permuted(data) for data in graphs]))
    torch.testing.assert_close(found, expected, rtol=1e-12, atol=1e-12)
    single = run(copy.deepcopy(net).float(), batch_of(graphs).apply(float32))
    torch.testing.assert_close(single.double(), expected, rtol=1e-4, atol=1e-4)


def float32(value: torch.Tensor) -> torch.Tensor:
    return value.float() if value.is_floating_point() else value


def batches_give_what_single_graphs_give(net: PPGN) -> None:
    graphs = random_graphs()
    together, alone = run(net, batch_of(graphs)), torch.cat([run(net, data) for data in graphs])
    assert bool(together.isfinite().all())
    torch.testing.assert_close(together, alone, rtol=1e-12, atol=1e-12)
    batch = batch_of(graphs)
    more = net(batch.x, batch.edge_index, batch.batch, len(graphs) + 2)
    torch.testing.assert_close(more, torch.cat([together, more[-2:]]), rtol=1e-12, atol=1e-12)
    assert more[-1].equal(run(net, graphs[0])[0])


def gradients_are_those_of_differences(net: PPGN) -> None:
    batch = batch_of(random_graphs(5))
    parameters = list(net.parameters())
    inputs = (batch.x.requires_grad_(), *parameters)

    def output(x: torch.Tensor, *_: torch.Tensor) -> torch.Tensor:
        return net(x, batch.edge_index, batch.batch, 5)

    assert torch.autograd.gradcheck(output, inputs, fast_mode=True)


def every_form_of_edges_serves(net: PPGN) -> None:
    data = random_graphs()[12]
    expected = run(net, data)
    size = (data.num_nodes, data.num_nodes)
    adj_t = torch.sparse_coo_tensor(data.edge_index.flip(0), torch.ones(data.num_edges), size)
    for edges in (EdgeIndex(data.edge_index, sparse_size=size), adj_t, data.edge_index.int(), data.edge_index.flip(1)):
        torch.testing.assert_close(net(data.x, edges), expected, rtol=1e-12, atol=1e-12)


def copies_and_reset(net: PPGN) -> None:
    data = random_graphs()[12]
    twin = copy.deepcopy(net)
    expected = run(net, data)
    twin.reset_parameters()
    assert not torch.allclose(run(twin, data), expected)
    twin.load_state_dict(net.state_dict())
    assert run(twin, data).equal(expected)


def what_does_not_fit_is_refused(net: PPGN) -> None:
    x, edges, batch = torch.ones(3, 3).double(), torch.tensor([[0, 1], [1, 0]]), torch.tensor([0, 0, 1])
    for arguments, message in (
        ((x.float(), edges), "'x' must be torch.float64 of shape"),
        ((x[:, :2], edges), r"'x' must be .* \(num_nodes, 3\)"),
        ((x, edges + 2), "'edge_index' has sources from 2 to 3"),
        ((x, edges, batch.flip(0)), "'batch' must be sorted"),
        ((x, edges + 1, batch), "'edge_index' must lie within graphs"),
        ((x, edges, batch, 1), "'batch_size' is 1"),
        ((x, edges, batch, 2, x[:2]), "'edge_attr' must have shape"),
    ):
        with pytest.raises(ValueError, match=message):
            net(*arguments)
