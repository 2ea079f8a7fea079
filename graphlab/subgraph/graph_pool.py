"""Means and sums over the nodes of each graph of a batch."""

import torch
from torch import Tensor

from graphlab.ops import segment_reduce
from graphlab.subgraph.checked_batch import checked_batch

POOLS = ("mean", "sum")


def check_pool(pool: str) -> str:
    """Return the name of a reduction over nodes.

    Args:
        pool: ``"mean"`` or ``"sum"``.

    Raises:
        ValueError: There is no such reduction.
    """
    if pool not in POOLS:
        raise ValueError(f"'pool' must be one of {', '.join(map(repr, POOLS))}, got {pool!r}")
    return pool


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
    batch, batch_size = checked_batch(batch, batch_size, x)
    ptr = torch.searchsorted(batch, torch.arange(batch_size + 1, device=batch.device))
    return segment_reduce(x, ptr=ptr, reduce=reduce)
