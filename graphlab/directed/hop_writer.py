"""Writing hops into a folder: complete under its name, or not there."""

import json
import os
import shutil
import tempfile
from collections.abc import Iterable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

FORMAT = {"format": "graphlab-hops", "version": 1}
MANIFEST, ROWS = "hops.json", "rows.bin"
DTYPES = {"float16": torch.float16, "float32": torch.float32, "float64": torch.float64}
# Bytes of rows that are put together at once.
_CHUNK = 64 << 20


def write_hops(folder: str | Path, dense: Tensor, sparse: Mapping[str, Tensor], recipe: str) -> None:
    """Write hops that lie in memory; a node's blocks lie side by side in the file.

    Args:
        folder: A new folder.
        dense: The dense blocks.
        sparse: The sparse blocks (CSR) by name.
        recipe: How they were made.

    Shapes:
        - **dense:** ``(num_nodes, num_blocks, channels)``

    Raises:
        ValueError: The folder is there already, or the numbers are of a kind that is not kept.
    """
    with _new_folder(folder, sparse) as made:
        with (made / ROWS).open("wb") as rows:
            step = _rows_at_once(dense.size(1) * dense.size(2) * dense.element_size())
            for part in dense.detach().split(step):
                _values(part).tofile(rows)
            os.fsync(rows.fileno())
        _finish(made, dense.shape, dense.dtype, sparse, recipe)


def write_blocks(folder: str | Path, blocks: Iterable[Tensor], sparse: Mapping[str, Tensor], recipe: str) -> None:
    """Write dense blocks as they come, of which no more than one is in memory.

    Each goes to a file of its own, and those are then read side by side: the folder holds everything twice for a
    while.

    Args:
        folder: A new folder.
        blocks: The dense blocks, at least one.
        sparse: The sparse blocks (CSR) by name.
        recipe: How they were made.

    Shapes:
        - **blocks:** ``(num_nodes, channels)`` each

    Raises:
        ValueError: The folder is there already, or the numbers are of a kind that is not kept.
    """
    with _new_folder(folder, sparse) as made:
        paths, nodes, channels, dtype = [], 0, 0, torch.float32
        for block in blocks:
            (nodes, channels), dtype = block.shape, block.dtype
            paths.append(made / f"block-{len(paths)}")
            _values(block.detach()).tofile(paths[-1])
        _interleave(made / ROWS, paths, nodes, channels, np.dtype(_name(dtype)))
        for path in paths:
            path.unlink()
        _finish(made, (nodes, len(paths), channels), dtype, sparse, recipe)


def _interleave(path: Path, blocks: list[Path], nodes: int, channels: int, dtype: np.dtype) -> None:
    """Put the rows of files side by side."""
    step = _rows_at_once(len(blocks) * channels * dtype.itemsize)
    rows = np.empty((min(step, nodes), len(blocks), channels), dtype)
    with ExitStack() as stack:
        files = [stack.enter_context(block.open("rb")) for block in blocks]
        out = stack.enter_context(path.open("wb"))
        for start in range(0, nodes, step):
            part = rows[: min(step, nodes - start)]
            for place, file in enumerate(files):
                part[:, place] = np.fromfile(file, dtype, len(part) * channels).reshape(len(part), channels)
            part.tofile(out)
        os.fsync(out.fileno())


@contextmanager
def _new_folder(folder: str | Path, names: Iterable[str]) -> Iterator[Path]:
    """Give a folder under a temporary name, which gets its own once everything is in it, files of these names too."""
    for name in names:
        if not name.isidentifier():
            raise ValueError(f"'sparse' must be named by identifiers, which become names of files, got {name!r}")
    folder = Path(folder).absolute()
    if folder.exists():
        raise ValueError(f"'folder' must be new, but {folder} is there; open it with StoredHops, or remove it")
    folder.parent.mkdir(parents=True, exist_ok=True)
    made = Path(tempfile.mkdtemp(prefix=f".{folder.name}-", dir=folder.parent))
    try:
        yield made
        made.chmod(0o755)
        made.rename(folder)
    except BaseException:
        shutil.rmtree(made, ignore_errors=True)
        raise
    _sync_path(folder.parent)


def _finish(folder: Path, shape: Iterable[int], dtype: torch.dtype, sparse: Mapping[str, Tensor], recipe: str) -> None:
    for name, block in sparse.items():
        parts = {"crow": block.crow_indices(), "col": block.col_indices(), "value": block.values()}
        arrays: dict[str, Any] = {key: _array(part.detach()) for key, part in parts.items()}
        np.savez(folder / f"{name}.npz", shape=np.array(block.shape), **arrays)
        _sync_path(folder / f"{name}.npz")
    noted = {**FORMAT, "recipe": recipe, "shape": list(shape), "dtype": _name(dtype), "sparse": list(sparse)}
    (folder / MANIFEST).write_text(json.dumps(noted, indent=2) + "\n", encoding="utf-8")
    _sync_path(folder / MANIFEST)
    _sync_path(folder)


def _rows_at_once(row_bytes: int) -> int:
    return max(1, _CHUNK // max(1, row_bytes))


def _values(tensor: Tensor) -> np.ndarray:
    _name(tensor.dtype)
    return _array(tensor)


def _array(tensor: Tensor) -> np.ndarray:
    return tensor.cpu().contiguous().numpy()


def _name(dtype: torch.dtype) -> str:
    found = [name for name, kept in DTYPES.items() if kept == dtype]
    if not found:
        raise ValueError(f"hops must be float16, float32 or float64 to be kept on disk, got {dtype}; convert them")
    return found[0]


def _sync_path(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
