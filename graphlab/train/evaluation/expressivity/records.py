"""Results of the suite, a file each, that several processes may fill at once. Imports no torch."""

import json
from pathlib import Path
from typing import Any

from filelock import FileLock

from graphlab.train.config import ConfigError

Key = tuple[str, ...]


class Records:
    """A folder of JSON files, each with the settings that its figures are of.

    A file counts only for the settings it holds. Files are replaced as a whole; a lock falls with its process, however
    that ends.

    Args:
        out: the folder; made where there is none.
    """

    def __init__(self, out: Path) -> None:
        self.out = out

    def path(self, key: Key) -> Path:
        """The file of a key, whose words are folders and a stem."""
        *folders, name = (word.replace("/", "-").replace(":", "-") for word in key)
        return self.out.joinpath(*folders, f"{name}.json")

    def read(self, key: Key, settings: dict[str, Any]) -> dict[str, Any] | None:
        """The figures of a key, if they are there and of these settings.

        Raises:
            ConfigError: if the file is no result.
        """
        path = self.path(key)
        try:
            found = json.loads(path.read_text(encoding="utf-8"))
            return found["figures"] if found["settings"] == json.loads(json.dumps(settings)) else None
        except FileNotFoundError:
            return None
        except OSError as error:
            raise ConfigError(f"--out: {path} cannot be read: {error.strerror}") from None
        except (ValueError, KeyError, TypeError):
            raise ConfigError(f"{path}: is no result of graphlab eval expressivity; remove it") from None

    def write(self, key: Key, settings: dict[str, Any], figures: dict[str, Any], about: dict[str, Any]) -> None:
        """Replace the figures of a key.

        Args:
            key: which.
            settings: what the figures depend on.
            figures: the figures.
            about: what else is worth to keep.
        """
        from graphlab.disk.files import write_atomically  # only now: it imports torch

        content = {"settings": settings, "figures": figures, "environment": about}
        write_atomically(self.path(key), (json.dumps(content, indent=2, allow_nan=False) + "\n").encode())

    def lock(self, key: Key) -> FileLock:
        """The lock of a key; to take it waits for nobody.

        Raises:
            ConfigError: if the folder cannot be made.
        """
        path = self.out / ".locks" / self.path(key).relative_to(self.out).with_suffix(".lock")
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise ConfigError(f"--out: {self.out} cannot be made: {error.strerror}") from None
        return FileLock(path, timeout=0)
