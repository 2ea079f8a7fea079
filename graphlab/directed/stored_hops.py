"""Hops that lie in a folder, read row by row."""

import json
import math
import os
import weakref
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from graphlab.directed.csr_tensor import csr_tensor
from graphlab.directed.hop_features import HopFeatures, Rows, indices, take_rows
from graphlab.directed.hop_writer import DTYPES, FORMAT, MANIFEST, ROWS
from graphlab.ops import read_rows


class StoredHops:
    """Hops in a folder, as :meth:`HopFeatures.save` and :meth:`DecoupledModel.precompute_to` write them.

    ``stored[rows]`` reads some rows, one contiguous read a node; ``stored[:]`` reads all. Sparse blocks are kept in
    memory.

    Args:
        folder: Where they lie.
        threads: How many reads may be under way at once.

    Raises:
        ValueError: The folder does not hold hops, or a file of it was cut off or replaced.

    Example:
        >>> import tempfile, torch
        >>> from graphlab.directed import HopFeatures, StoredHops
        >>> folder = tempfile.mkdtemp() + "/hops"
        >>> HopFeatures(torch.arange(12.0).view(3, 2, 2)).save(folder)
        >>> StoredHops(folder)[torch.tensor([2, 0])].dense[:, 0].tolist()
        [[8.0, 9.0], [0.0, 1.0]]
    """

    def __init__(self, folder: str | Path, *, threads: int = 8) -> None:
        self.folder, self.threads = Path(folder), threads
        noted = _noted(self.folder / MANIFEST)
        self.recipe: str = noted["recipe"]
        self.shape: tuple[int, int, int] = tuple(noted["shape"])
        self.dtype: torch.dtype = DTYPES[noted["dtype"]]
        self.sparse = {name: _sparse(self.folder / f"{name}.npz", self.shape[0]) for name in noted["sparse"]}
        self._row_bytes = math.prod(self.shape[1:]) * self.dtype.itemsize
        self._file = _opened(self.folder / ROWS, self.shape[0] * self._row_bytes)
        weakref.finalize(self, os.close, self._file)

    @property
    def num_nodes(self) -> int:
        """The number of rows."""
        return self.shape[0]

    def __len__(self) -> int:
        return self.num_nodes

    def __getitem__(self, rows: Rows) -> HopFeatures:
        """Read the hops of some nodes: indices, a boolean mask or a slice of them."""
        rows = torch.arange(self.num_nodes)[rows] if isinstance(rows, slice) else indices(rows, self.num_nodes).cpu()
        sparse = {name: take_rows(block, rows) for name, block in self.sparse.items()}
        return HopFeatures(self._read(rows), sparse, self.recipe)

    def _read(self, rows: Tensor) -> Tensor:
        ascending, order = rows.sort()
        read = torch.empty(rows.numel(), self._row_bytes, dtype=torch.uint8)
        if read.numel():
            read_rows(self._file, 0, self._row_bytes, ascending, read, threads=self.threads)
        dense = read.view(self.dtype).view(rows.numel(), *self.shape[1:])
        return dense if ascending.equal(rows) else torch.empty_like(dense).index_copy_(0, order, dense)

    def __repr__(self) -> str:
        return f"StoredHops({str(self.folder)!r}, shape={self.shape})"


def _noted(path: Path) -> dict[str, Any]:
    try:
        noted = json.loads(path.read_text(encoding="utf-8"))
    except (FileNotFoundError, NotADirectoryError) as error:
        raise ValueError(f"{path.parent} holds no hops: there is no {path.name}; write them with save()") from error
    except (UnicodeDecodeError, json.JSONDecodeError) as error:
        raise ValueError(f"{path} is not what was written ({error}); write the hops anew") from error
    found = {key: noted.get(key) for key in FORMAT} if isinstance(noted, dict) else noted
    if found != FORMAT:
        raise ValueError(f"{path} must say {FORMAT}, got {found}; write the hops anew with this version")
    wrong = [key for key, holds in _CONTENT.items() if key not in noted or not holds(noted[key])]
    if wrong:
        raise ValueError(f"{path} is not what was written ({', '.join(wrong)}); write the hops anew")
    return noted


def _are_sizes(found: Any) -> bool:
    return isinstance(found, list) and len(found) == 3 and all(type(size) is int and size >= 0 for size in found)


def _are_names(found: Any) -> bool:
    return isinstance(found, list) and all(isinstance(name, str) and name.isidentifier() for name in found)


_CONTENT: dict[str, Callable[[Any], bool]] = {
    "recipe": lambda found: isinstance(found, str),
    "shape": _are_sizes,
    "dtype": lambda found: isinstance(found, str) and found in DTYPES,
    "sparse": _are_names,
}


def _opened(path: Path, size: int) -> int:
    found = path.stat().st_size if path.exists() else None
    if found != size:
        raise ValueError(f"{path} must have {size} bytes, got {found}; it was cut off or replaced: write the hops anew")
    file = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    os.posix_fadvise(file, 0, 0, os.POSIX_FADV_RANDOM)
    return file


def _sparse(path: Path, num_nodes: int) -> Tensor:
    try:
        with path.open("rb") as file, np.load(file, allow_pickle=False) as arrays:
            crow, col, value, shape = (torch.from_numpy(arrays[key]) for key in ("crow", "col", "value", "shape"))
        matrix = csr_tensor(crow, col, value, shape.reshape(-1).tolist(), check=True)
    except (OSError, EOFError, KeyError, TypeError, ValueError, zipfile.BadZipFile) as error:
        raise ValueError(f"{path} is not what was written ({error}); write the hops anew") from error
    if matrix.size(0) != num_nodes:
        raise ValueError(f"{path} must have {num_nodes} rows, got {matrix.size(0)}; write the hops anew")
    return matrix
