"""Graphs to vectors, many at a time."""

from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple, cast

import torch
from torch import Generator, Tensor, nn
from torch_geometric.data import Data
from torch_geometric.utils import sort_edge_index

from graphlab.train.config import ConfigError
from graphlab.train.evaluation.expressivity.networks import Network
from graphlab.train.evaluation.expressivity.protocols import UNTRAINED

Embed = Callable[[Sequence[Data]], Tensor]
"""From graphs to a vector of each, ``[num_graphs, channels]``."""


class GraphBatch(NamedTuple):
    """What networks are given: the graphs of a batch.

    Shapes:
        - x: ``[num_nodes, channels]``, edge_index: ``[2, num_edges]``, batch: ``[num_nodes]``
    """

    x: Tensor
    edge_index: Tensor
    batch: Tensor
    batch_size: int


_PAIRS_AT_ONCE = 1 << 18  # of nodes of one graph: what networks on pairs keep in memory


def untrained(network: Network, in_channels: int, seed: int = 0) -> Embed:
    """What a network makes of graphs with random weights and biases, in float64; or the colors of a refinement.

    Args:
        network: which.
        in_channels: width of the node features.
        seed: of the weights.

    Raises:
        ConfigError: if the network cannot be made.
    """
    if network.refines:
        return lambda graphs: _colors(network, graphs)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        module = made(network, in_channels, UNTRAINED.hidden_channels, UNTRAINED.channels).double().eval()
        _draw_what_is_zero(module)
    return lambda graphs: embed(module, graphs, torch.float64)


def made(network: Network, in_channels: int, hidden_channels: int, out_channels: int) -> nn.Module:
    """A new network, as a module.

    Args:
        network: which.
        in_channels: width of the node features.
        hidden_channels: width of its layers, where it does not choose that itself.
        out_channels: width of a graph's vector.

    Raises:
        ConfigError: if it cannot be made, or is no module.
    """
    module = network.make(in_channels, hidden_channels, out_channels)
    if not isinstance(module, nn.Module):
        raise ConfigError(
            f"--model: '{network.name}' cannot be made: expected a torch.nn.Module, got {type(module).__name__}"
        )
    return module


def _draw_what_is_zero(module: nn.Module) -> None:
    """Biases that start at zero are weights like others: without them, what lies behind differs by far less."""
    for parameter in module.parameters():
        if not parameter.any():
            nn.init.normal_(parameter)


@torch.no_grad()
def embed(module: nn.Module, graphs: Sequence[Data], dtype: torch.dtype) -> Tensor:
    """Run a network on graphs, in batches.

    Args:
        module: takes ``x, edge_index, batch, batch_size``.
        graphs: the graphs.
        dtype: that of the features.

    Shapes:
        - output: ``[num_graphs, channels]``

    Raises:
        ConfigError: if there is no finite vector of each graph.
    """
    return torch.cat([vectors(module, collate(batch, dtype)) for batch in batches(graphs)])


def vectors(module: nn.Module, batch: GraphBatch) -> Tensor:
    """Run a network on one batch.

    Args:
        module: takes ``x, edge_index, batch, batch_size``.
        batch: the graphs.

    Shapes:
        - output: ``[batch_size, channels]``

    Raises:
        ConfigError: if there is no finite vector of each graph.
    """
    found = module(*batch)
    if not isinstance(found, Tensor) or found.dim() != 2 or len(found) != batch.batch_size or not found.size(1):
        came = f"shape {tuple(found.shape)}" if isinstance(found, Tensor) else type(found).__name__
        raise ConfigError(f"--model: expected a vector for each of {batch.batch_size} graphs, got {came}")
    if not found.isfinite().all():
        raise ConfigError("--model: the network makes vectors that are not finite; expected numbers to compare")
    return found


def collate(graphs: Sequence[Data], dtype: torch.dtype) -> GraphBatch:
    """One batch of graphs.

    Args:
        graphs: the graphs.
        dtype: that of the features.
    """
    sizes = torch.tensor([graph.num_nodes for graph in graphs], dtype=torch.long)
    starts = (sizes.cumsum(0) - sizes).tolist()
    edges = [cast(Tensor, graph.edge_index) + start for graph, start in zip(graphs, starts, strict=True)]
    features = torch.cat([cast(Tensor, graph.x) for graph in graphs]).to(dtype)
    batch = torch.arange(len(graphs)).repeat_interleave(sizes)
    return GraphBatch(features, torch.cat(edges, dim=1), batch, len(graphs))


def batches(graphs: Sequence[Data], pairs_at_once: int = _PAIRS_AT_ONCE) -> Iterator[Sequence[Data]]:
    """Cut a list of graphs into batches whose graphs have no more than so many pairs of nodes, or a single one.

    Args:
        graphs: the graphs.
        pairs_at_once: the most pairs of a batch.
    """
    first, pairs = 0, 0
    for last, graph in enumerate(graphs):
        more = (graph.num_nodes or 0) ** 2
        if pairs + more > pairs_at_once and last > first:
            yield graphs[first:last]
            first, pairs = last, 0
        pairs += more
    if first < len(graphs):
        yield graphs[first:]


def relabelled(graph: Data, generator: Generator) -> Data:
    """The same graph with its nodes and edges in another order.

    Args:
        graph: with ``x`` and ``edge_index``.
        generator: draws the order.
    """
    assert graph.x is not None and graph.edge_index is not None  # what the readers give
    place = torch.randperm(graph.x.size(0), generator=generator)
    x = torch.empty_like(graph.x).index_copy_(0, place, graph.x)
    return Data(x=x, edge_index=sort_edge_index(place[graph.edge_index], num_nodes=place.numel()))


def _colors(network: Network, graphs: Sequence[Data]) -> Tensor:
    """The color of each graph as a number; all graphs are refined together, as colors are of no use apart."""
    batch = collate(graphs, torch.float64)
    _, node_color = torch.unique(batch.x, dim=0, return_inverse=True)
    colors = network.load()(batch.edge_index, batch.batch, batch.batch_size, node_color=node_color)
    return colors.view(-1, 1).double()
