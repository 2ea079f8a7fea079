"""Generated sets: flat tensors, made once a choice of arguments and kept in the root folder."""

import hashlib
import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import torch
from filelock import FileLock
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import Tensor
from torch_geometric.data import Data, InMemoryDataset

from graphlab.data.pyg import Transform
from graphlab.data.sources import root_folder


class SyntheticDataset(InMemoryDataset):
    """A generated set with natural splits, which lie one after another.

    Args:
        tensors: The attributes of the items, concatenated.
        slices: Where each item's part of an attribute begins, and the end of the last.
        counts: Number of items of each split, in order.
        transform: Applied to an item at every access.

    Shapes:
        - slices: ``[num_items + 1]`` each
    """

    def __init__(
        self,
        tensors: Mapping[str, Tensor],
        slices: Mapping[str, Tensor],
        counts: Mapping[str, int],
        transform: Transform | None = None,
    ) -> None:
        super().__init__(transform=transform)
        self.data, self.slices = Data.from_dict(dict(tensors)), dict(slices)
        self._counts = dict(counts)

    def get_idx_split(self) -> dict[str, Tensor]:
        """Indices of the items of each split."""
        index = torch.arange(sum(self._counts.values()))
        parts = index.split(list(self._counts.values()))
        return dict(zip(self._counts, parts, strict=True))


def cached(
    root: str | Path | None,
    name: str,
    arguments: Mapping[str, Any],
    make: Callable[[], dict[str, Tensor]],
) -> dict[str, Tensor]:
    """The tensors that ``make`` makes, read back if the same arguments were asked for before.

    Args:
        root: The root folder, or None for the default; files lie in its folder ``name``.
        name: Name of the set.
        arguments: All that the tensors depend on, the version of the recipe included; JSON values.
        make: Generates the tensors.
    """
    described = json.dumps(arguments, sort_keys=True)
    folder = root_folder(root) / name
    file = folder / f"{hashlib.sha256(described.encode()).hexdigest()[:16]}.safetensors"
    folder.mkdir(exist_ok=True)
    with FileLock(file.with_suffix(".lock")):
        found = _read(file)
        if found is None:
            found = make()
            part = file.with_suffix(".part")
            save_file(found, part, metadata={"arguments": described})
            part.replace(file)
    return found


def _read(file: Path) -> dict[str, Tensor] | None:
    try:
        return load_file(file)
    except (FileNotFoundError, SafetensorError):
        # A file that another program cut short is made again like one that is not there.
        return None


def check_counts(**counts: int) -> None:
    """Check arguments that count something.

    Args:
        counts: The arguments by name.

    Raises:
        ValueError: If one is not a whole number of 1 or more.
    """
    for name, count in counts.items():
        if type(count) is not int or count < 1:
            raise ValueError(f"{name} must be a whole number of 1 or more, got {count!r}")


def check_seed(seed: int) -> None:
    """Check a seed.

    Args:
        seed: The seed.

    Raises:
        ValueError: If it is not a whole number of 0 or more.
    """
    if type(seed) is not int or seed < 0:
        raise ValueError(f"seed must be a whole number of 0 or more, got {seed!r}")
