"""Results of the suite, a file each, that several processes may fill at once. Imports no torch."""

import json
from pathlib import Path
from typing import Any
from urllib.parse import quote

from filelock import FileLock

from graphlab.train.config import ConfigError
from graphlab.train.evaluation.expressivity.cells import Cell


class Records:
    """A folder of JSON files, each with the settings that its figures are of.

    A file counts only for the settings it holds. Files are replaced as a whole; a lock falls with its process, however
    that ends.

    Args:
        out: the folder; made where there is none.
    """

    def __init__(self, out: Path) -> None:
        self.out = out

    def path(self, cell: Cell) -> Path:
        """The file of a cell: the words of its key are folders and a stem, each key another file."""
        *folders, name = (quote(word, safe="+") for word in cell.key)
        return self.out.joinpath(*folders, f"{name}.json")

    def read(self, cell: Cell) -> dict[str, Any] | None:
        """The figures of a cell, if they are there and of its settings.

        Raises:
            ConfigError: if the file is no result.
        """
        path = self.path(cell)
        try:
            found = json.loads(path.read_text(encoding="utf-8"))
            if found["settings"] != json.loads(json.dumps(cell.settings)):
                return None
            if not cell.fits(found["figures"]):
                raise ValueError
            return found["figures"]
        except FileNotFoundError:
            return None
        except OSError as error:
            raise ConfigError(f"--out: {path} cannot be read: {error.strerror}") from None
        except (ValueError, KeyError, TypeError, AttributeError):
            raise ConfigError(f"{path}: is no result of graphlab eval expressivity; remove it") from None

    def write(self, cell: Cell, figures: dict[str, Any], about: dict[str, Any]) -> None:
        """Replace the figures of a cell.

        Args:
            cell: which.
            figures: the figures.
            about: what else is worth to keep.
        """
        from graphlab.disk.files import write_atomically  # only now: it imports torch

        content = {"settings": cell.settings, "figures": figures, "environment": about}
        write_atomically(self.path(cell), (json.dumps(content, indent=2, allow_nan=False) + "\n").encode())

    def lock(self, cell: Cell) -> FileLock:
        """The lock of a cell; to take it waits for nobody.

        Raises:
            ConfigError: if the folder cannot be made.
        """
        path = self.out / ".locks" / self.path(cell).relative_to(self.out).with_suffix(".lock")
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise ConfigError(f"--out: {self.out} cannot be made: {error.strerror}") from None
        return FileLock(path, timeout=0)
