"""The cold ids of batches: those of one batch after those of another, each ascending, in one file."""

import itertools
import os
from collections.abc import Iterable
from pathlib import Path

import torch
from torch import Tensor

from graphlab.disk.array_file import ArrayFile, describe
from graphlab.disk.files import forget, sync_directory, write_fully
from graphlab.disk.journal import Journal

_FILE = "cold-ids.bin"
_UNIT = "cold"


class ColdIds:
    """The distinct nodes of each batch that are not in the hot set.

    Args:
        folder: Where the file is.
        journal: Where it is noted how far it has come.
        dtype: The dtype of ids.
    """

    def __init__(self, folder: Path, journal: Journal, dtype: torch.dtype) -> None:
        self._path, self._journal, self._dtype = folder / _FILE, journal, dtype
        #: How many each batch has.
        self.counts: list[int] = [c for unit in journal.units(_UNIT) for c in unit["counts"]]
        self._table: Tensor | ArrayFile | None = None
        self._starts: list[int] = []

    @property
    def num_bytes(self) -> int:
        """Bytes of all ids."""
        return sum(self.counts) * self._dtype.itemsize

    def append(self, ids: Iterable[Tensor]) -> None:
        """Write the ids of the next batches.

        Args:
            ids: Those of each, asked for one after the other.
        """
        counts, offset = [], self.num_bytes
        fd = os.open(self._path, os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC, 0o644)
        try:
            for each in ids:
                write_fully(fd, each.numpy().data.cast("B"), offset)
                counts.append(len(each))
                offset += each.nbytes
            os.ftruncate(fd, offset)
            os.fsync(fd)
            forget(fd)
        finally:
            os.close(fd)
        sync_directory(self._path.parent)
        self._journal.append(_UNIT, counts=counts)
        self.counts += counts

    def open(self, *, load: bool) -> None:
        """Make the ids ready to be read.

        Args:
            load: Whether to keep them in memory.
        """
        self._starts = [0, *itertools.accumulate(self.counts)]
        if not self._starts[-1]:
            self._table = torch.empty(0, dtype=self._dtype)
            return
        array = ArrayFile(describe(self._path, self._dtype, (self._starts[-1],)), self._path.parent)
        self._table = array.read(0, len(array)) if load else array

    def read(self, batch: int, start: int, stop: int) -> Tensor:
        """Return some of the ids of a batch.

        Args:
            batch: The batch.
            start: The place of the first.
            stop: One after the place of the last.
        """
        first = self._starts[batch]
        if isinstance(self._table, ArrayFile):
            return self._table.read(first + start, first + stop)
        assert self._table is not None, "call 'open' first"
        return self._table[first + start : first + stop]
