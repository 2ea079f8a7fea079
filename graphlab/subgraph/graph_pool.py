"""Means and sums over the nodes of each graph of a batch."""

import torch
from torch import Tensor, nn

from graphlab.ops import segment_reduce
from graphlab.subgraph.node_batch import checked_batch
from graphlab.subgraph.pair_norm import pair_norm

POOLS = ("mean", "sum")


def graph_pool(x: Tensor, batch: Tensor | None, batch_size: int | None = None, reduce: str = "mean") -> Tensor:
    """Return the mean or the sum of the rows of each graph; zero for a graph without nodes.

    Args:
        x: A row of each node.
        batch: The graph of each node, ascending; ``None`` where all are of one.
        batch_size: The number of graphs; by default up to the last that has a node.
        reduce: ``"mean"`` or ``"sum"``.

    Shapes:
        - **x:** ``(num_nodes, channels)``
        - **batch:** ``(num_nodes,)``
        - **output:** ``(batch_size, channels)``

    Raises:
        ValueError: ``batch`` does not fit ``x``, does not ascend, or has more graphs than ``batch_size``.
    """
    batch, batch_size = checked_batch(batch, x.size(0), batch_size, x.device)
    ptr = torch.searchsorted(batch, torch.arange(batch_size + 1, device=batch.device))
    return segment_reduce(x, ptr=ptr, reduce=reduce)


class GraphPool(nn.Module):
    """The mean or the sum over the nodes of each graph; sums, which grow with a graph, are normalised over the batch.

    Args:
        channels: Width of the rows.
        pool: ``"mean"`` or ``"sum"``.
        norm: Normalisation of the network; sums are not normalised where it is ``None``.

    Shapes:
        - **x:** ``(num_nodes, channels)``
        - **output:** ``(batch_size, channels)``

    Raises:
        ValueError: There is no such ``pool``.
    """

    def __init__(self, channels: int, pool: str, norm: str | None) -> None:
        super().__init__()
        if pool not in POOLS:
            raise ValueError(f"'pool' must be one of {', '.join(map(repr, POOLS))}, got {pool!r}")
        self.pool = pool
        self.norm = pair_norm(norm and "batch_norm" if pool == "sum" else None, channels)

    def reset_parameters(self) -> None:
        """Draw the parameters anew."""
        self.norm.reset_parameters()  # pyright: ignore

    def forward(self, x: Tensor, batch: Tensor | None, batch_size: int | None = None) -> Tensor:
        """Return a row of each graph.

        Args:
            x: A row of each node.
            batch: The graph of each node, ascending; ``None`` where all are of one.
            batch_size: The number of graphs.
        """
        return self.norm(graph_pool(x, batch, batch_size, self.pool), None)

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.pool!r})"
