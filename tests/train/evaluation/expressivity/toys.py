"""Small graphs, and networks whose power is known."""

from collections.abc import Sequence
from typing import Any

import networkx as nx
import torch
from torch import Tensor, nn
from torch_geometric.data import Data
from torch_geometric.utils import scatter, to_dense_adj, to_undirected


def graph(found: nx.Graph) -> Data:
    found = nx.convert_node_labels_to_integers(found)
    edges = torch.tensor([*found.edges], dtype=torch.long).view(-1, 2).t()
    return Data(x=torch.ones(len(found), 1), edge_index=to_undirected(edges, num_nodes=len(found)))


def random_graphs(count: int, seed: int = 0) -> list[Data]:
    return [graph(nx.gnp_random_graph(4 + number % 9, 0.4, seed + number)) for number in range(count)]


HEXAGON = graph(nx.cycle_graph(6))
TRIANGLES = graph(nx.disjoint_union(nx.cycle_graph(3), nx.cycle_graph(3)))
PATH = graph(nx.path_graph(6))
STAR = graph(nx.star_graph(5))


class ClosedWalks(nn.Module):
    """Counts closed walks of each length, exactly: tells graphs of different spectra apart, and trains nothing."""

    def __init__(self, in_channels: int = 1, out_channels: int = 16) -> None:
        super().__init__()
        self.out_channels = out_channels

    def forward(self, x: Tensor, edge_index: Tensor, batch: Tensor, batch_size: int) -> Tensor:
        adjacency = to_dense_adj(edge_index, batch, batch_size=batch_size).double()
        walks, powers = [], adjacency
        for _ in range(self.out_channels):
            walks.append(powers.diagonal(dim1=1, dim2=2).sum(dim=1))
            powers = powers @ adjacency
        return torch.stack(walks, dim=1).to(x.dtype)


class LearnedWalks(ClosedWalks):
    """A perceptron on the logarithms of those counts: has weights to train."""

    def __init__(self, in_channels: int = 1, out_channels: int = 16) -> None:
        super().__init__(in_channels, 8)
        self.head = nn.Sequential(nn.Linear(8, 32), nn.Tanh(), nn.Linear(32, out_channels))

    def forward(self, x: Tensor, edge_index: Tensor, batch: Tensor, batch_size: int) -> Tensor:
        return self.head(super().forward(x, edge_index, batch, batch_size).log1p())


class Constant(nn.Module):
    """Gives every graph of ones the same vector."""

    def __init__(self, in_channels: int = 1, out_channels: int = 16) -> None:
        super().__init__()
        self.head = nn.Linear(in_channels, out_channels)

    def forward(self, x: Tensor, edge_index: Tensor, batch: Tensor, batch_size: int) -> Tensor:
        return scatter(self.head(x), batch, dim_size=batch_size, reduce="max")


class OrderedDegrees(nn.Module):
    """Looks at the order of the nodes: no network on graphs."""

    def __init__(self, in_channels: int = 1, out_channels: int = 16) -> None:
        super().__init__()

    def forward(self, x: Tensor, edge_index: Tensor, batch: Tensor, batch_size: int) -> Tensor:
        place = torch.arange(len(batch)).to(x.dtype) - scatter(x.new_ones(len(batch)), batch).cumsum(0)[batch]
        return scatter(place[edge_index[0]], batch[edge_index[0]], dim_size=batch_size).view(-1, 1)


class PlaceInBatch(nn.Module):
    """Tells a graph by its place in the batch, and so from itself."""

    def __init__(self, in_channels: int = 1, out_channels: int = 16) -> None:
        super().__init__()

    def forward(self, x: Tensor, edge_index: Tensor, batch: Tensor, batch_size: int) -> Tensor:
        return (torch.arange(batch_size) % 2).to(x.dtype).view(-1, 1) + 1


class Infinite(Constant):
    """Overflows."""

    def forward(self, x: Tensor, edge_index: Tensor, batch: Tensor, batch_size: int) -> Tensor:
        return super().forward(x, edge_index, batch, batch_size) / 0


class Flat(LearnedWalks):
    """Forgets a dimension."""

    def forward(self, x: Tensor, edge_index: Tensor, batch: Tensor, batch_size: int) -> Tensor:
        return super().forward(x, edge_index, batch, batch_size).sum(dim=1)


class Boom(Constant):
    """Fails as it runs."""

    def forward(self, x: Tensor, edge_index: Tensor, batch: Tensor, batch_size: int) -> Tensor:
        raise KeyError("boom")


def nothing(in_channels: int, out_channels: int) -> None:
    """A function that makes no network."""


def degree_colors(edge_index: Tensor, batch: Tensor, batch_size: int, node_color: Tensor) -> Tensor:
    """A refinement of one round: colors of graphs by their sorted degrees."""
    degree = torch.bincount(edge_index[0], minlength=len(batch))
    words = [tuple(sorted(degree[batch == one].tolist())) for one in range(batch_size)]
    return torch.tensor([sorted(set(words)).index(word) for word in words])


def fixed_graphs(graphs: Sequence[Data]) -> Any:
    """In place of ``graphlab.data.load``: these graphs, whatever is asked for."""
    return lambda name: graphs


HERE = __name__
