"""Graphs to test on."""

import itertools

import torch
from torch import Tensor
from torch_geometric.utils import k_hop_subgraph

from graphlab.subgraph import Bags


def random_graph(num_nodes: int, share: float, seed: int, directed: bool = False) -> Tensor:
    """Edges of a random graph; nodes may be isolated."""
    generator = torch.Generator().manual_seed(seed)
    chosen = torch.rand(num_nodes, num_nodes, generator=generator) < share
    chosen = chosen.fill_diagonal_(False) if directed else chosen.triu(1)
    return (chosen if directed else chosen | chosen.T).nonzero().T.contiguous()


def shuffled(edge_index: Tensor, num_nodes: int, seed: int) -> tuple[Tensor, Tensor]:
    """The same graph with other numbers: the new number of each node, and edges in another order."""
    generator = torch.Generator().manual_seed(seed)
    number = torch.randperm(num_nodes, generator=generator)
    order = torch.randperm(edge_index.size(1), generator=generator)
    return number, number[edge_index][:, order]


def nets(edge_index: Tensor, num_nodes: int, num_hops: int) -> list[list[int]]:
    """The ego net of each node, by PyG."""
    return [k_hop_subgraph(v, num_hops, edge_index, num_nodes=num_nodes)[0].tolist() for v in range(num_nodes)]


def members(bags: Bags) -> list[list[int]]:
    """The sorted nodes of the bag of each node."""
    ptr = bags.node_ptr.tolist()
    by_bag = [sorted(bags.node[a:b].tolist()) for a, b in itertools.pairwise(ptr)]
    return [by_bag[b] for b in bags.bag.tolist()]
