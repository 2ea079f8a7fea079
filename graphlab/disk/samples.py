"""Sampled batches on the way into shards: files of records, one for each group of batches."""

import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor

from graphlab.disk.errors import CorruptStoreError
from graphlab.disk.files import forget, read_fully, sync_directory, write_fully
from graphlab.disk.journal import Journal
from graphlab.ops import crc32c

_UNIT = "sample"


@dataclass(frozen=True)
class Piece:
    """Where the bytes of a batch lie.

    Args:
        file: The file.
        offset: Where they start.
        size: How many there are.
        crc: Their CRC-32C.
        nodes: Number of nodes of the batch.
    """

    file: str
    offset: int
    size: int
    crc: int
    nodes: int


class Samples:
    """The bytes that sampling left for each batch, in order.

    A group of batches is written as a whole, then noted in the journal. A group that is not noted is written again.

    Args:
        folder: Where the files are.
        journal: Where groups are noted.
    """

    def __init__(self, folder: Path, journal: Journal) -> None:
        self._folder, self._journal = folder, journal
        self._pieces: list[Piece] = []
        folder.mkdir(exist_ok=True)
        for unit in journal.units(_UNIT):
            self._note(**unit)

    def __len__(self) -> int:
        return len(self._pieces)

    def append(self, batches: Iterable[Tensor], nodes: list[int]) -> None:
        """Write the next batches.

        Args:
            batches: The bytes of each, asked for one after the other.
            nodes: The number of nodes of each.
        """
        start, sizes, crcs = len(self), [], []
        path = self._folder / _name(start)
        fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o644)
        try:
            for batch in batches:
                write_fully(fd, batch.numpy().data, sum(sizes))
                sizes.append(batch.numel())
                crcs.append(crc32c(batch))
            os.fsync(fd)
            forget(fd)
        finally:
            os.close(fd)
        sync_directory(self._folder)
        self._journal.append(_UNIT, start=start, sizes=sizes, crcs=crcs, nodes=nodes)
        self._note(start, sizes, crcs, nodes)

    def size(self, number: int) -> int:
        """Return the bytes of a batch.

        Args:
            number: The batch.
        """
        return self._pieces[number].size

    def nodes(self, number: int) -> int:
        """Return the number of nodes of a batch.

        Args:
            number: The batch.
        """
        return self._pieces[number].nodes

    def read(self, numbers: Iterable[int]) -> Iterator[Tensor]:
        """Read batches one after the other.

        Args:
            numbers: The batches.

        Yields:
            The bytes of each.

        Raises:
            CorruptStoreError: They are not those that were written.
        """
        fd, name = -1, ""
        try:
            for number in numbers:
                piece = self._pieces[number]
                if piece.file != name:
                    if fd >= 0:
                        os.close(fd)
                    fd, name = os.open(self._folder / piece.file, os.O_RDONLY | os.O_CLOEXEC), piece.file
                data = torch.empty(piece.size, dtype=torch.uint8)
                read_fully(fd, data.numpy().data, piece.offset)
                forget(fd, piece.offset, piece.size)
                if crc32c(data) != piece.crc:
                    raise CorruptStoreError(
                        f"{self._folder / name} is damaged: the checksum of batch {number} does not fit; "
                        "delete the directory and prepare the store anew"
                    )
                yield data
        finally:
            if fd >= 0:
                os.close(fd)

    def _note(self, start: int, sizes: list[int], crcs: list[int], nodes: list[int]) -> None:
        offset = 0
        for size, crc, count in zip(sizes, crcs, nodes, strict=True):
            self._pieces.append(Piece(_name(start), offset, size, crc, count))
            offset += size


def _name(start: int) -> str:
    return f"samples-{start:08d}.bin"
