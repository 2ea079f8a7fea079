"""Small files whose content the journal vouches for: the state of work that is too long for a line of it."""

from pathlib import Path

import torch

from graphlab.disk.errors import CorruptStoreError
from graphlab.disk.files import write_atomically
from graphlab.disk.journal import Journal
from graphlab.ops import crc32c


def save_noted(folder: Path, journal: Journal, kind: str, content: bytes) -> None:
    """Write a file, then note it as a unit of work; an older one of the same kind is dropped afterwards.

    Args:
        folder: Where to.
        journal: Where that is noted.
        kind: The kind of unit.
        content: The content.
    """
    before = journal.last(kind)
    number = before["number"] + 1 if before else 0
    write_atomically(folder / _name(kind, number), content)
    journal.append(kind, number=number, size=len(content), crc=_crc(content))
    if before:
        (folder / _name(kind, before["number"])).unlink(missing_ok=True)


def load_noted(folder: Path, journal: Journal, kind: str) -> bytes | None:
    """Read the file that was written last; ``None`` where none was.

    Args:
        folder: Where from.
        journal: Where it is noted.
        kind: The kind of unit.

    Raises:
        CorruptStoreError: It is not what was written.
    """
    unit = journal.last(kind)
    if unit is None:
        return None
    path = folder / _name(kind, unit["number"])
    content = path.read_bytes() if path.exists() else b""
    if len(content) != unit["size"] or _crc(content) != unit["crc"]:
        raise CorruptStoreError(f"{path} is damaged; delete the directory and prepare the store anew")
    return content


def _name(kind: str, number: int) -> str:
    return f"{kind}-{number}.bin"


def _crc(content: bytes) -> int:
    return crc32c(torch.frombuffer(bytearray(content), dtype=torch.uint8)) if content else 0
