"""Means over the nodes of each graph of a batch."""

import torch
from torch import Tensor

from graphlab.ops import segment_reduce


def graph_mean(x: Tensor, batch: Tensor | None, batch_size: int | None = None) -> Tensor:
    """Return the mean of the rows of each graph; zero for a graph without nodes.

    Args:
        x: A row of each node.
        batch: The graph of each node, ascending; ``None`` where all are of one.
        batch_size: The number of graphs; by default up to the last that has a node.

    Shapes:
        - **x:** ``(num_nodes, channels)``
        - **batch:** ``(num_nodes,)``
        - **output:** ``(batch_size, channels)``

    Raises:
        ValueError: ``batch`` does not fit ``x``, descends, or has more graphs than ``batch_size``.
    """
    if batch is None:
        batch = torch.zeros(x.size(0), dtype=torch.long, device=x.device)
        batch_size = 1 if batch_size is None else batch_size
    if batch.shape != x.shape[:1] or bool((batch.diff() < 0).any()):
        raise ValueError(f"'batch' must hold an ascending number for each of the {x.size(0)} nodes, got {batch.shape}")
    last = int(batch[-1]) if batch.numel() else -1
    batch_size = last + 1 if batch_size is None else batch_size
    if last >= batch_size:
        raise ValueError(f"'batch' has numbers up to {last}, expected less than batch_size={batch_size}")
    ptr = torch.searchsorted(batch, torch.arange(batch_size + 1, device=batch.device))
    return segment_reduce(x, ptr=ptr, reduce="mean")
