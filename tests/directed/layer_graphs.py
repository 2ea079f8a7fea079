"""Small directed graphs that hold every awkward case, and dense formulas to hold layers against."""

import torch
from torch import Tensor

from graphlab.ops import Graph

SHAPES = ("dense", "empty", "no nodes", "loops", "twice", "sinks and sources")


def digraph(kind: str, seed: int = 0) -> tuple[Tensor, int]:
    """Edges of one kind, and the number of nodes."""
    generator = torch.Generator().manual_seed(seed)
    edges = torch.randint(0, 9, (2, 24), generator=generator)
    if kind == "empty":
        return edges[:, :0], 4
    if kind == "no nodes":
        return edges[:, :0], 0
    if kind == "loops":
        return torch.cat([edges, torch.arange(9).expand(2, 9)], dim=1), 9
    if kind == "twice":
        return torch.cat([edges, edges[:, :7]], dim=1), 9
    if kind == "sinks and sources":
        return torch.stack([edges[0] % 4, 4 + edges[1] % 4]), 10
    return edges, 9


def dense_adjacency(edge_index: Tensor, num_nodes: int, weight: Tensor | None = None) -> Tensor:
    """The matrix with an entry for each edge ``i -> j``, what is stored twice added up."""
    dense = torch.zeros(num_nodes, num_nodes, dtype=torch.float64)
    for e, (i, j) in enumerate(edge_index.t().tolist()):
        dense[i, j] += 1.0 if weight is None else weight[e]
    return dense


def inverse_power(degree: Tensor, power: float) -> Tensor:
    """``degree ** -power`` on the diagonal, with 0 for 0."""
    inverse = degree**-power
    inverse[degree == 0] = 0
    return torch.diag(inverse)


def dir_normalized(a: Tensor, power: float = 0.5) -> Tensor:
    """``D_out^-p A D_in^-p``."""
    return inverse_power(a.sum(1), power) @ a @ inverse_power(a.sum(0), power)


def balanced(num_nodes: int, degree: int) -> Tensor:
    """A directed graph in which every node has as many edges out as in."""
    nodes = torch.arange(num_nodes)
    steps = torch.randperm(num_nodes - 1)[:degree] + 1
    return torch.stack([nodes.repeat(degree), (nodes + steps.unsqueeze(1)).flatten() % num_nodes])


def forms(edge_index: Tensor, num_nodes: int) -> list:
    """The same edges as everything that a layer takes; no edge may be there twice."""
    from torch_geometric import EdgeIndex

    adj_t = torch.sparse_coo_tensor(edge_index.flip(0), torch.ones(edge_index.size(1)), (num_nodes, num_nodes))
    graph = Graph.from_edge_index(edge_index, (num_nodes, num_nodes))
    return [EdgeIndex(edge_index.contiguous(), sparse_size=(num_nodes, num_nodes)), adj_t.to_sparse_csr(), graph]  # pyright: ignore
