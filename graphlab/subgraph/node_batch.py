"""Which graph of a batch each node belongs to, once it is found fit."""

import torch
from torch import Tensor


def checked_batch(
    batch: Tensor | None, num_nodes: int, batch_size: int | None, device: torch.device | None = None
) -> tuple[Tensor, int]:
    """Give the graph of each node and the number of graphs.

    Args:
        batch: The graph of each node, sorted; ``None`` for one graph.
        num_nodes: The number of nodes.
        batch_size: The number of graphs; ``None`` for one more than the largest in ``batch``.
        device: Where the numbers are made if ``batch`` is ``None``.

    Shapes:
        - **batch, output:** ``(num_nodes,)``

    Raises:
        ValueError: ``batch`` is not one sorted int64 number per node, or names more graphs than ``batch_size``.
    """
    if batch is None:
        if num_nodes and batch_size is not None and batch_size < 1:
            raise ValueError(f"'batch_size' must be at least 1 for {num_nodes} nodes, got {batch_size}; leave it out")
        return torch.zeros(num_nodes, dtype=torch.int64, device=device), 1 if batch_size is None else batch_size
    if batch.dim() != 1 or batch.numel() != num_nodes or batch.dtype != torch.int64:
        raise ValueError(
            f"'batch' must hold one int64 number for each of the {num_nodes} nodes, got {batch.dtype} of shape "
            f"{tuple(batch.shape)}; PyG's Batch.from_data_list makes it"
        )
    if bool((batch[1:] < batch[:-1]).any()) or bool((batch[:1] < 0).any()):
        raise ValueError("'batch' must be sorted and not negative, as PyG's Batch makes it; got other numbers")
    largest = int(batch[-1]) + 1 if num_nodes else 0
    if batch_size is not None and batch_size < largest:
        raise ValueError(f"'batch_size' is {batch_size}, but 'batch' names {largest} graphs; leave it out")
    return batch, largest if batch_size is None else batch_size
