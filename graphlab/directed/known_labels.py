"""Which nodes have a class that may be looked at, and which one."""

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor


@dataclass(frozen=True)
class KnownLabels:
    """The classes of some nodes.

    Args:
        nodes: The nodes whose class is known, in ascending order.
        classes: Their classes, numbered from 0 without gaps.
        num_nodes: The number of all nodes.
    """

    nodes: np.ndarray
    classes: np.ndarray
    num_nodes: int

    @property
    def num_classes(self) -> int:
        """How many classes there are."""
        return int(self.classes.max()) + 1

    def indicator(self) -> np.ndarray:
        """One row per node with a one at its class; rows of zeros where it is unknown."""
        rows = np.zeros((self.num_nodes, self.num_classes))
        rows[self.nodes, self.classes] = 1
        return rows


def known_labels(y: Tensor, mask: Tensor | None = None) -> KnownLabels:
    """Look at the classes of the nodes in a mask.

    Args:
        y: The class of each node; negative for unknown.
        mask: Which classes may be looked at; ``None`` for all.

    Shapes:
        - **y:** ``(num_nodes,)`` or ``(num_nodes, 1)``
        - **mask:** ``(num_nodes,)``

    Raises:
        ValueError: A shape or type is wrong, or what is left has fewer than two classes.
    """
    if not isinstance(y, Tensor):
        raise ValueError(f"'y' must be a tensor of class numbers, got {type(y).__name__}; convert it with torch.tensor")
    if y.is_floating_point() or y.is_complex() or y.dim() == 0 or y.numel() != y.size(0):
        raise ValueError(f"'y' must hold one class number per node, got {y.dtype} of shape {tuple(y.shape)}")
    known = y.reshape(-1) >= 0
    if mask is not None:
        if mask.dtype != torch.bool or mask.shape != known.shape:
            raise ValueError(
                f"'mask' must be one bool for each of the {known.numel()} nodes, got {mask.dtype} of shape "
                f"{tuple(mask.shape)}; of several splits take one column"
            )
        known = known & mask.to(known.device)
    nodes = known.nonzero().flatten().cpu().numpy()
    found, classes = np.unique(y.reshape(-1)[known].cpu().numpy(), return_inverse=True)
    if found.size < 2:
        raise ValueError(f"'y' must show at least 2 classes, got {found.size} among {nodes.size} known labels")
    return KnownLabels(nodes, classes, known.numel())
