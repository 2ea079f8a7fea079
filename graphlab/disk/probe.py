"""A short measurement of how fast an array is read from its drive, in sequence and at random places."""

import itertools
import os
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import torch

from graphlab.disk.array_file import ArrayFile
from graphlab.disk.files import BLOCK, open_direct
from graphlab.ops import read_rows

#: Seconds that each of the two measurements takes at most.
SECONDS = 0.8
# Parts of the array that they read at most, where those are worth measuring.
_SEQUENTIAL_PART, _RANDOM_PART = 0.03, 0.01
_STEP = 4 << 20
_READERS = 4
_ROWS = 1000
_ROUNDS = 50
_DEPTH = 64


@dataclass(frozen=True)
class Speed:
    """How fast an array is read.

    Args:
        bytes_per_second: Of reads of a few MiB that follow each other.
        rows_per_second: Of rows at random places, many under way at once.
    """

    bytes_per_second: float
    rows_per_second: float


def probe(array: ArrayFile) -> Speed:
    """Measure how fast an array is read, past the page cache, in less than two seconds.

    Args:
        array: The array; it has at least one row, of at least one byte.

    Example:
        >>> import tempfile, torch
        >>> from pathlib import Path
        >>> from graphlab.disk.array_file import ArrayFile, write_array
        >>> from graphlab.disk.probe import probe
        >>> root = Path(tempfile.mkdtemp())
        >>> probe(ArrayFile(write_array(root, "x.bin", torch.zeros(5, 4)), root)).rows_per_second > 0
        True
    """
    return Speed(_sequential(array), _random(array))


def _sequential(array: ArrayFile) -> float:
    step = max(1, _STEP // array.row_bytes)
    stop = min(len(array), max(int(_SEQUENTIAL_PART * len(array)), 2 * _READERS * step))
    begin = time.perf_counter()

    def read(start: int) -> int:
        if start and time.perf_counter() - begin > SECONDS:
            return 0
        return array.read(start, min(start + step, stop)).nbytes

    with ThreadPoolExecutor(_READERS) as pool:
        total = sum(pool.map(read, itertools.islice(range(0, stop, step), 1000)))
    return total / (time.perf_counter() - begin)


def _random(array: ArrayFile) -> float:
    generator, total = torch.Generator().manual_seed(0), 0
    rows = max(1, min(_ROWS, (16 << 20) // array.row_bytes))
    rounds = max(1, int(_RANDOM_PART * array.num_bytes) // (rows * (array.row_bytes + BLOCK)))
    out = torch.empty((rows, array.row_bytes), dtype=torch.uint8)
    fd, direct = open_direct(array.path)
    begin = time.perf_counter()
    try:
        for _ in range(min(rounds, _ROUNDS)):
            ids = torch.randint(len(array), (rows,), generator=generator).sort().values
            read_rows(
                fd, array.info.offset, array.row_bytes, ids, out, threads=_DEPTH, direct_block=BLOCK if direct else 0
            )
            total += rows
            if time.perf_counter() - begin > SECONDS:
                break
    finally:
        os.close(fd)
    return total / (time.perf_counter() - begin)
