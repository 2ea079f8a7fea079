"""Mini-batches of rows of hops."""

from collections.abc import Iterator
from typing import NamedTuple

import torch
from torch import Tensor

from graphlab.directed.hop_features import HopFeatures, indices
from graphlab.directed.stored_hops import StoredHops
from graphlab.ops import seed_permutation


class HopBatch(NamedTuple):
    """Some nodes."""

    rows: Tensor
    """Which nodes."""
    hops: HopFeatures
    """Their hops."""
    y: Tensor | None
    """Their classes, where the loader knows them."""


class DecoupledLoader:
    r"""Mini-batches of nodes for a network that propagated before training, from memory or from disk.

    Batch :math:`b` of epoch :math:`e` is a function of (seed, e, b) alone; each iteration is the next epoch.

    Args:
        hops: What ``precompute`` gave, or :class:`graphlab.directed.StoredHops`.
        input_nodes: The nodes of an epoch, as indices or mask; ``None`` for all.
        y: Classes of all nodes, which batches then bring along.
        batch_size: Nodes in a batch.
        shuffle: Whether each epoch has an order of its own.
        seed: The seed of the orders.

    Raises:
        ValueError: An argument is out of its range.

    Example:
        >>> import torch
        >>> from graphlab.directed import DecoupledLoader, HopFeatures
        >>> hops = HopFeatures(torch.rand(5, 3, 4))
        >>> [batch.rows.tolist() for batch in DecoupledLoader(hops, batch_size=2)]
        [[0, 1], [2, 3], [4]]
    """

    def __init__(
        self,
        hops: HopFeatures | StoredHops,
        input_nodes: Tensor | None = None,
        *,
        y: Tensor | None = None,
        batch_size: int = 1000,
        shuffle: bool = False,
        seed: int = 0,
    ) -> None:
        if batch_size < 1:
            raise ValueError(f"'batch_size' must be at least 1, got {batch_size}")
        if y is not None and y.size(0) != len(hops):
            raise ValueError(f"'y' must hold a class for each of the {len(hops)} nodes, got {y.size(0)}")
        self.hops, self.y = hops, y
        self.nodes = torch.arange(len(hops)) if input_nodes is None else indices(input_nodes, len(hops))
        self.batch_size, self.shuffle, self.seed = batch_size, shuffle, seed
        self.epoch = 0

    def set_epoch(self, epoch: int) -> None:
        """Choose the epoch that the next iteration will be.

        Args:
            epoch: The number of the epoch, from 0.
        """
        self.epoch = epoch

    def __len__(self) -> int:
        return -(-self.nodes.numel() // self.batch_size)

    def __iter__(self) -> Iterator[HopBatch]:
        epoch, self.epoch = self.epoch, self.epoch + 1
        return (self.batch(epoch, index) for index in range(len(self)))

    def batch(self, epoch: int, index: int) -> HopBatch:
        """Make one batch by its number, whatever was iterated before.

        Args:
            epoch: The number of the epoch.
            index: The number of the batch in the epoch.

        Raises:
            IndexError: The epoch has no such batch.
        """
        if not 0 <= index < len(self):
            raise IndexError(f"'index' must lie in [0, {len(self)}), got {index}")
        total, start = self.nodes.numel(), index * self.batch_size
        stop = min(start + self.batch_size, total)
        order = seed_permutation(total, self.seed, epoch, start, stop) if self.shuffle else slice(start, stop)
        rows = self.nodes[order]
        return HopBatch(rows, self.hops[rows], None if self.y is None else self.y[rows])
