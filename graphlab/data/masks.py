"""Fixed stratified node masks."""

from collections.abc import Sequence

import numpy as np
import torch
from sklearn.model_selection import train_test_split
from torch import Tensor


def stratified_masks(y: Tensor, nodes: Tensor, sizes: Sequence[int]) -> list[Tensor]:
    """Split ``nodes`` into parts of given sizes and a remainder, each with the same class shares.

    The parts come from scikit-learn's ``train_test_split(stratify=..., random_state=0)``, one after
    another: the same nodes in every run and on every machine.

    Args:
        y: Class of each node of the graph.
        nodes: Indices of the nodes to split.
        sizes: Number of nodes of each part but the last, which takes what remains.

    Shapes:
        - y: ``[N]``, nodes: ``[n]``
        - each mask: ``[N]``

    Raises:
        ValueError: If the sizes leave no node for the last part.
    """
    labels, rest = y.numpy(), nodes.numpy()
    masks = []
    for size in sizes:
        part, rest = train_test_split(rest, train_size=size, stratify=labels[rest], random_state=0)
        masks.append(_mask(np.asarray(part), y.numel()))
    return [*masks, _mask(np.asarray(rest), y.numel())]


def _mask(nodes: np.ndarray, num_nodes: int) -> Tensor:
    mask = torch.zeros(num_nodes, dtype=torch.bool)
    mask[torch.from_numpy(nodes)] = True
    return mask
