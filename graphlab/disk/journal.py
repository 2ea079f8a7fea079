"""The journal: which units of work are done, so that work cut off at any moment goes on where it stood.

It is a text file to which a line is appended, and made durable, for each unit done: a checksum and a JSON object. Work
is safe to do twice, so a unit whose line is missing is simply done again.
"""

import io
import json
import os
import zlib
from pathlib import Path
from typing import Any

from graphlab.disk.errors import CorruptStoreError
from graphlab.disk.files import sync_directory

NAME = "journal.jsonl"


class Journal:
    """The units of work done in a directory, in the order they were done.

    Args:
        directory: The directory; its journal is made where there is none.
        fingerprint: What work this is the journal of.

    Raises:
        CorruptStoreError: A line but the last one is damaged, or the journal is of other work.

    Example:
        >>> import tempfile
        >>> from pathlib import Path
        >>> from graphlab.disk.journal import Journal
        >>> with tempfile.TemporaryDirectory() as directory:
        ...     with Journal(Path(directory), "work") as journal:
        ...         journal.append("sample", start=0, stop=10)
        ...     with Journal(Path(directory), "work") as journal:
        ...         journal.units("sample")
        [{'start': 0, 'stop': 10}]
    """

    def __init__(self, directory: Path, fingerprint: str) -> None:
        self._path = directory / NAME
        self._fd = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o644)
        try:
            self._units = self._load()
            if not self._units:
                self.append("start", fingerprint=fingerprint)
                sync_directory(directory)
            (start,) = self.units("start")
            if start["fingerprint"] != fingerprint:
                raise CorruptStoreError(f"{self._path} is the journal of other work; give another 'out'")
        except BaseException:
            self.close()
            raise

    def append(self, kind: str, **facts: Any) -> None:
        """Note that a unit is done; returns when that is on the disk.

        Args:
            kind: The kind of unit.
            **facts: What later steps need to know of it: JSON.
        """
        text = json.dumps({"kind": kind, **facts}, sort_keys=True, separators=(",", ":"))
        line = f"{zlib.crc32(text.encode()):08x} {text}\n".encode()
        written = 0
        while written < len(line):
            written += os.write(self._fd, line[written:])
        os.fsync(self._fd)
        self._units.append({"kind": kind, **facts})

    def units(self, kind: str) -> list[dict[str, Any]]:
        """Return the units of a kind that are done, in order.

        Args:
            kind: The kind of unit.
        """
        return [{k: v for k, v in unit.items() if k != "kind"} for unit in self._units if unit["kind"] == kind]

    def last(self, kind: str) -> dict[str, Any] | None:
        """Return the unit of a kind that was done last, if there is one.

        Args:
            kind: The kind of unit.
        """
        units = self.units(kind)
        return units[-1] if units else None

    def close(self) -> None:
        """Close the file."""
        if self._fd >= 0:
            os.close(self._fd)
            self._fd = -1

    def __enter__(self) -> "Journal":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _load(self) -> list[dict[str, Any]]:
        content, end, units = self._path.read_bytes(), 0, []
        for number, line in enumerate(io.BytesIO(content), 1):
            unit = _parse(line)
            if unit is None:
                if end + len(line) < len(content):
                    raise CorruptStoreError(
                        f"{self._path} is damaged in line {number}: its checksum does not fit; "
                        "delete the directory and prepare the store anew"
                    )
                os.ftruncate(self._fd, end)
                break
            units.append(unit)
            end += len(line)
        return units


def _parse(line: bytes) -> dict[str, Any] | None:
    checksum, _, text = line.partition(b" ")
    if not text.endswith(b"\n") or checksum != f"{zlib.crc32(text[:-1]):08x}".encode():
        return None
    return json.loads(text)
