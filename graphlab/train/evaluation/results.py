"""Results of a suite, a file per cell, that several processes may fill at once. Imports no torch."""

import json
import math
from pathlib import Path
from typing import Any

from filelock import FileLock

from graphlab.train.config import ConfigError, Protocol
from graphlab.train.evaluation.cell import Cell

_FIGURES = ("test", "valid", "epochs", "seconds")
_CURVES: dict[Protocol, tuple[str, ...]] = {"default": (), "gin": ("curve",), "nested": ()}


class Results:
    """The folder ``out/<recipe>/<cell>.json``.

    A result counts only while its recipe says what it said then. Files are replaced as a whole, and a cell is locked
    while a process trains it; a lock falls with its process, however that ends.

    Args:
        out: the folder; made where there is none.
    """

    def __init__(self, out: Path) -> None:
        self.out = out

    def path(self, cell: Cell) -> Path:
        """The file of a cell."""
        return self.out / cell.recipe.name / f"{cell.key}.json"

    def read(self, cell: Cell) -> dict[str, Any] | None:
        """The result of a cell, if it is there and of these settings.

        Raises:
            ConfigError: if the file is no result.
        """
        found = self._stored(cell)
        return found if found and found["fingerprint"] == cell.recipe.fingerprint else None

    def is_outdated(self, cell: Cell) -> bool:
        """Whether the result of a cell is there, but of other settings."""
        found = self._stored(cell)
        return found is not None and found["fingerprint"] != cell.recipe.fingerprint

    def write(self, cell: Cell, result: dict[str, Any]) -> None:
        """Replace the result of a cell."""
        from graphlab.disk.files import write_atomically  # only now: it imports torch

        about = {"config": cell.recipe.name, "split": cell.split, "protocol": cell.protocol, "seed": cell.config.seed}
        content = about | result | {"fingerprint": cell.recipe.fingerprint, "settings": cell.recipe.settings}
        write_atomically(self.path(cell), (json.dumps(content, indent=2, allow_nan=False) + "\n").encode())

    def lock(self, cell: Cell) -> FileLock:
        """The lock of a cell; to take it waits for nobody.

        Raises:
            ConfigError: if the folder cannot be made.
        """
        folder = self.out / ".locks"
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise ConfigError(f"--out: {self.out} cannot be made: {error.strerror}") from None
        return FileLock(folder / f"{cell.recipe.name}.{cell.key}", timeout=0)

    def _stored(self, cell: Cell) -> dict[str, Any] | None:
        path = self.path(cell)
        try:
            found = json.loads(path.read_text(encoding="utf-8"))
        except FileNotFoundError:
            return None
        except OSError as error:
            raise ConfigError(f"--out: {path} cannot be read: {error.strerror}") from None
        except ValueError as error:
            raise ConfigError(f"{path}: is no result of graphlab eval ({error}); remove it") from None
        if not isinstance(found, dict) or "fingerprint" not in found:
            raise ConfigError(f"{path}: is no result of graphlab eval; remove it")
        wrong = [key for key in _FIGURES if not _is_figure(found.get(key))]
        wrong += [key for key in _CURVES[cell.protocol] if not _is_curve(found.get(key))]
        if wrong and "diverged" not in found:
            raise ConfigError(f"{path}: is no result of graphlab eval (figures: {', '.join(wrong)}); remove it")
        return found


def _is_curve(value: Any) -> bool:
    return isinstance(value, list) and bool(value) and all(map(_is_figure, value))


def _is_figure(value: Any) -> bool:
    return type(value) in (int, float) and math.isfinite(value)
