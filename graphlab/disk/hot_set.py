"""The hot set: nodes whose rows stay in memory, and where the rows of a batch are because of it."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from graphlab.disk.journal import Journal
from graphlab.disk.noted_file import load_noted, save_noted

_UNIT = "hot"


def hot_nodes(counts: Tensor, rows: int) -> Tensor:
    """Return the nodes that occur most often, in ascending order; of equal ones those with smaller ids.

    Args:
        counts: How often each node occurs.
        rows: How many to return; fewer where fewer occur at all.

    Shapes:
        - **counts:** ``(num_nodes,)``, int32
        - **output:** ``(rows,)``, or fewer

    Example:
        >>> import torch
        >>> from graphlab.disk.hot_set import hot_nodes
        >>> hot_nodes(torch.tensor([2, 0, 5, 2], dtype=torch.int32), 2)
        tensor([0, 2])
    """
    rows = min(rows, int(torch.count_nonzero(counts)))
    if rows <= 0:
        return torch.empty(0, dtype=torch.int64)
    ordered = counts.numpy().copy()
    ordered.partition(len(ordered) - rows)
    least = int(ordered[len(ordered) - rows])
    del ordered
    above = torch.nonzero(counts > least).view(-1)
    level = torch.nonzero(counts == least).view(-1)[: rows - len(above)]
    return torch.cat([above, level]).sort().values


@dataclass(frozen=True)
class HotSet:
    """The nodes of the hot set.

    Args:
        ids: Their ids, ascending.

    Example:
        >>> import torch
        >>> from graphlab.disk.hot_set import HotSet
        >>> hot, nodes = HotSet(torch.tensor([2, 7])), torch.tensor([9, 7, 4, 9])
        >>> cold = hot.cold(nodes)
        >>> cold, hot.place(nodes, cold)
        (tensor([4, 9]), tensor([          1, -2147483647,           0,           1], dtype=torch.int32))
    """

    ids: Tensor

    def __len__(self) -> int:
        return len(self.ids)

    def cold(self, nodes: Tensor) -> Tensor:
        """Return the distinct nodes that are not in the set, ascending.

        Args:
            nodes: Nodes.
        """
        slot = torch.searchsorted(self.ids, nodes)
        return nodes[~self._found(slot, nodes)].unique()

    def place(self, nodes: Tensor, cold: Tensor) -> Tensor:
        """Return where the row of each node is: its slot in the set with the top bit set, or its place among the cold.

        Args:
            nodes: Nodes.
            cold: What :meth:`cold` says of them.
        """
        slot = torch.searchsorted(self.ids, nodes)
        place = torch.searchsorted(cold, nodes)
        return torch.where(self._found(slot, nodes), slot - 2**31, place).to(torch.int32)

    def save(self, folder: Path, journal: Journal) -> None:
        """Write the set down.

        Args:
            folder: Where to.
            journal: Where that is noted.
        """
        save_noted(folder, journal, _UNIT, self.ids.to(torch.int64).numpy().tobytes())

    @classmethod
    def load(cls, folder: Path, journal: Journal, dtype: torch.dtype) -> "HotSet | None":
        """Read the set that was written down; ``None`` where none was.

        Args:
            folder: Where from.
            journal: Where that is noted.
            dtype: The dtype of ids.

        Raises:
            CorruptStoreError: It is not what was written.
        """
        content = load_noted(folder, journal, _UNIT)
        return None if content is None else cls(torch.from_numpy(np.frombuffer(content, np.int64).copy()).to(dtype))

    def _found(self, slot: Tensor, nodes: Tensor) -> Tensor:
        if not len(self.ids):
            return torch.zeros(len(nodes), dtype=torch.bool)
        return self.ids[slot.clamp(max=len(self.ids) - 1)] == nodes
