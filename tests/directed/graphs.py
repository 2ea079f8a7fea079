"""Small graphs that break careless code, and their dense matrices."""

import torch
from torch import Tensor, nn

GRAPHS = {
    "plain": (torch.tensor([[0, 1, 2, 3, 0, 4], [1, 2, 0, 2, 4, 3]]), 5),
    "empty": (torch.zeros(2, 0, dtype=torch.int64), 4),
    "loops": (torch.tensor([[0, 1, 1, 2], [0, 1, 2, 2]]), 3),
    "isolated": (torch.tensor([[0, 1], [1, 0]]), 4),
    "duplicates": (torch.tensor([[0, 0, 0, 1, 2, 2], [1, 1, 2, 0, 2, 2]]), 4),
    "one node": (torch.zeros(2, 0, dtype=torch.int64), 1),
    "no node": (torch.zeros(2, 0, dtype=torch.int64), 0),
}


def incoming(edge_index: Tensor, num_nodes: int, edge_weight: Tensor | None = None) -> Tensor:
    """Entry ``i, j`` is the weight of all edges from ``j`` to ``i``."""
    dense = torch.zeros(num_nodes, num_nodes, dtype=torch.float64)
    for e, (source, target) in enumerate(edge_index.T.tolist()):
        dense[target, source] += 1 if edge_weight is None else edge_weight[e]
    return dense


def with_loops(dense: Tensor) -> Tensor:
    """Put ones on the diagonal where there is nothing."""
    return dense + torch.diag((dense.diag() == 0).to(dense))


def symmetric(dense: Tensor) -> Tensor:
    """Divide rows and columns by the roots of their sums."""
    rows, columns = (
        torch.tensor([d.item() ** -0.5 if d > 0 else 0.0 for d in dense.sum(dim)], dtype=dense.dtype) for dim in (1, 0)
    )
    return rows[:, None] * dense * columns


def mean_of(dense: Tensor) -> Tensor:
    """Divide each row by its sum."""
    return dense / dense.sum(1, keepdim=True).clamp(min=1)


def attention(score: Tensor, edge_index: Tensor) -> Tensor:
    """Softmax over the edges into each node, of the scores ``[target, source]``; edges that stand twice count twice."""
    count = incoming(edge_index, len(score))
    weight = count * score.exp()
    return weight / weight.sum(1, keepdim=True).clamp(min=1e-300)


def looped(edge_index: Tensor, num_nodes: int) -> Tensor:
    """The same edges with exactly one loop per node."""
    kept = edge_index[:, edge_index[0] != edge_index[1]]
    return torch.cat([kept, torch.arange(num_nodes).expand(2, -1)], 1)


def random_graph(num_nodes: int = 12, num_edges: int = 40, seed: int = 0) -> Tensor:
    """Edges at random, loops and duplicates among them."""
    return torch.randint(num_nodes, (2, num_edges), generator=torch.Generator().manual_seed(seed))


def of(x: Tensor, linear: nn.Linear) -> Tensor:
    """What a linear layer makes of ``x``."""
    out = x @ linear.weight.T
    return out if linear.bias is None else out + linear.bias
