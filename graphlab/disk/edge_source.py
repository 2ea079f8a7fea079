"""Edges as users have them, read in blocks of bounded memory."""

import gzip
import os
import re
import warnings
import zlib
from abc import ABC, abstractmethod
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import IO

import numpy as np
import torch
from torch import Tensor

from graphlab.disk.array_file import ArrayFile, describe
from graphlab.disk.array_source import ArrayGiven, ArraySource, array_source, npy_array
from graphlab.disk.files import Writeback, aligned_bytes, forget, write_fully
from graphlab.disk.space import Space
from graphlab.disk.store_info import ArrayInfo

#: What users may give for edges: an array of shape (2, E) or (E, 2), sources and targets apart, or a text file.
EdgesGiven = ArrayGiven | tuple[ArrayGiven, ArrayGiven]

_INTEGERS = frozenset(
    (torch.uint8, torch.int8, torch.int16, torch.int32, torch.int64, torch.uint16, torch.uint32, torch.uint64)
)
# The shortest line of a text file: "0,0" and its end.
_SHORTEST_LINE = 4
_PAIR = re.compile(rb"\s*[+-]?\d+\s*,\s*[+-]?\d+\s*")


class EdgeSource(ABC):
    """The edges of a graph in the user's order, as often as they are wanted."""

    #: Number of edges; ``None`` where only reading them tells.
    num_edges: int | None
    #: Bytes of memory that reading takes per edge of a block, the block included.
    edge_bytes: int

    @property
    @abstractmethod
    def origin(self) -> tuple[ArraySource, ...]:
        """What the edges are read from; of a text file its bytes."""

    @abstractmethod
    def blocks(self, size: int) -> Iterator[Tensor]:
        """Read all edges, block by block; each block lies where the last one was.

        Args:
            size: Most edges of a block.

        Shapes:
            - **output:** ``(2, at most size)`` each, int64: sources, then targets
        """


class ColumnEdges(EdgeSource):
    """Sources and targets apart.

    Args:
        src: The sources.
        dst: The targets.

    Shapes:
        - **src, dst:** ``(num_edges,)``
    """

    edge_bytes = 24

    def __init__(self, src: ArraySource, dst: ArraySource) -> None:
        self.num_edges = src.shape[0]
        self._columns = src, dst

    @property
    def origin(self) -> tuple[ArraySource, ...]:
        """The two arrays."""
        return self._columns

    def blocks(self, size: int) -> Iterator[Tensor]:
        """Read all edges, block by block.

        Args:
            size: Most edges of a block.
        """
        columns = [c if isinstance(c, Tensor) else ArrayFile(c, Path("/")) for c in self._columns]
        for start, block in _pieces(_buffer(size, len(columns[0])), len(columns[0])):
            stop = start + block.shape[1]
            for ids, column in zip(block, columns, strict=True):
                if isinstance(column, Tensor):
                    ids.copy_(column[start:stop])
                elif column.dtype == torch.int64:
                    column.read(start, stop, out=ids)
                else:
                    ids.copy_(column.read(start, stop))
            yield block


class PairEdges(EdgeSource):
    """Source and target of each edge beside each other in a file.

    Args:
        pairs: Where the pairs lie.

    Shapes:
        - **pairs:** ``(num_edges, 2)``
    """

    edge_bytes = 32

    def __init__(self, pairs: ArrayInfo) -> None:
        self.num_edges = pairs.shape[0]
        self._pairs = pairs

    @property
    def origin(self) -> tuple[ArraySource, ...]:
        """The array of pairs."""
        return (self._pairs,)

    def blocks(self, size: int) -> Iterator[Tensor]:
        """Read all edges, block by block.

        Args:
            size: Most edges of a block.
        """
        with ArrayFile(self._pairs, Path("/")) as pairs:
            for start, block in _pieces(_buffer(size, len(pairs)), len(pairs)):
                yield block.copy_(pairs.read(start, start + block.shape[1]).T)


class TextEdges(EdgeSource):
    """A text file with a line ``source,target`` per edge and no header, as OGB's ``edge.csv.gz`` is.

    Args:
        name: What the user calls it.
        path: The file; compressed if its name ends in ``.gz``.
    """

    num_edges = None
    edge_bytes = 80

    def __init__(self, name: str, path: Path) -> None:
        self.name, self.path = name, path
        if not path.is_file():
            raise FileNotFoundError(2, f"'{name}' got a file that does not exist", str(path))
        self._bytes = describe(path, torch.uint8, (path.stat().st_size,))

    @property
    def origin(self) -> tuple[ArraySource, ...]:
        """The bytes of the file."""
        return (self._bytes,)

    def blocks(self, size: int) -> Iterator[Tensor]:
        """Read all edges, block by block.

        Args:
            size: Most edges of a block.
        """
        line = 0
        with self.path.open("rb") as raw, self._open(raw) as file:
            for text in self._whole_lines(file, _SHORTEST_LINE * size):
                # What was read ahead goes with the next block.
                forget(raw.fileno(), 0, raw.tell())
                block = self._parse(text, line)
                line += block.shape[1]
                yield block
            forget(raw.fileno())

    def store(self, root: Path, file: str, size: int, space: Space) -> PairEdges:
        """Write the edges into a file, where they are read many times faster.

        Args:
            root: A folder.
            file: The file's name in it.
            size: Most edges to hold in memory.
            space: What the file may take.

        Raises:
            DiskFullError: There is no room for the file.
        """
        fd = os.open(root / file, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o644)
        try:
            end, writeback = 0, Writeback(fd)
            for block in self.blocks(size):
                space.check(space.held + end + block.nbytes, "give the edges as a .npy file")
                write_fully(fd, block.T.contiguous().numpy().data.cast("B"), end)
                end += block.nbytes
                writeback.wrote(block.nbytes)
        finally:
            os.close(fd)
        return PairEdges(describe(root / file, torch.int64, (end // 16, 2)))

    def _open(self, raw: IO[bytes]) -> IO[bytes] | gzip.GzipFile:
        return gzip.GzipFile(fileobj=raw) if self.path.suffix == ".gz" else raw

    def _whole_lines(self, file: IO[bytes] | gzip.GzipFile, size: int) -> Iterator[bytes]:
        rest = b""
        try:
            while text := file.read(size - len(rest)):
                text = rest + text
                cut = text.rfind(b"\n") + 1
                rest = text[cut:]
                if len(rest) >= size // 2:
                    raise ValueError(f"'{self.name}' got {self.path} with a line of more than {len(rest):,} bytes")
                if cut:
                    yield text[:cut]
        except (EOFError, zlib.error, gzip.BadGzipFile) as error:
            raise ValueError(f"'{self.name}' got {self.path}, which is damaged or cut short: {error}") from error
        if rest:
            yield rest + b"\n"

    def _parse(self, text: bytes, line: int) -> Tensor:
        text = text.replace(b"\r\n", b"\n")
        marks = np.frombuffer(text, np.uint8)
        marks = marks[(marks == ord(",")) | (marks == ord("\n"))]
        try:
            if len(marks) % 2 or (marks[0::2] != ord(",")).any() or (marks[1::2] != ord("\n")).any():
                raise ValueError
            with warnings.catch_warnings():
                # NumPy only warns of text that is no number.
                warnings.simplefilter("error", DeprecationWarning)
                ids = np.fromstring(text.replace(b"\n", b",")[:-1], np.int64, sep=",")
            if len(ids) != len(marks):
                raise ValueError
        except (ValueError, DeprecationWarning):
            raise self._bad_line(text, line) from None
        return torch.from_numpy(ids).view(-1, 2).T.contiguous()

    def _bad_line(self, text: bytes, line: int) -> ValueError:
        lines = text.split(b"\n")[:-1]
        at = next((i for i, each in enumerate(lines) if not _PAIR.fullmatch(each)), 0)
        shown = lines[at][:60].decode(errors="replace")
        return ValueError(
            f"'{self.name}' got {self.path} with line {line + at + 1} '{shown}', expected 'source,target' on every "
            "line and no header"
        )


def edge_source(name: str, given: EdgesGiven) -> EdgeSource:
    """Return edges in any form as what reads them in blocks.

    Args:
        name: What the user calls them.
        given: A tensor of shape ``(2, E)``; a ``.npy``, raw or safetensors file of shape ``(2, E)`` or ``(E, 2)``, in
            row-major or column-major order; sources and targets apart; or an OGB ``edge.csv.gz``. Shape ``(2, 2)`` is
            read as ``(2, E)``.

    Raises:
        FileNotFoundError: There is no such file.
        TypeError: It is nothing of these.
        ValueError: The shape is another, or the entries are no integers.
    """
    if isinstance(given, tuple):
        if len(given) != 2:
            raise ValueError(f"'{name}' got a tuple of {len(given)}, expected (sources, targets)")
        return _columns(name, *(array_source(name, column) for column in given))
    if isinstance(given, str | Path) and Path(given).suffix in (".gz", ".csv"):
        return TextEdges(name, Path(given))
    by_columns = False
    if isinstance(given, str | Path) and Path(given).suffix == ".npy":
        source, by_columns = npy_array(name, Path(given))
    else:
        source = array_source(name, given)
    shape = tuple(source.shape)[::-1] if by_columns else tuple(source.shape)
    if len(shape) != 2 or 2 not in shape:
        raise ValueError(f"'{name}' got shape {shape}, expected (2, E) or (E, 2)")
    # Column by column, (2, E) lies as (E, 2) does row by row.
    if (shape[0] == 2) == by_columns:
        return _pairs(name, source)
    return _columns(name, *(_row(source, i) for i in (0, 1)))


def check_ids(name: str, block: Tensor, first: int, num_nodes: int) -> None:
    """Check that edges join nodes of the graph.

    Args:
        name: What the user calls them.
        block: Some edges.
        first: The number of the first of them.
        num_nodes: Number of nodes.

    Shapes:
        - **block:** ``(2, any)``

    Raises:
        ValueError: One does not; the first is named.
    """
    if not block.numel() or (int(block.min()) >= 0 and int(block.max()) < num_nodes):
        return
    at = int(((block < 0) | (block >= num_nodes)).any(0).nonzero()[0])
    src, dst = block[:, at].tolist()
    raise ValueError(
        f"'{name}' has edge {first + at:,} from node {src} to node {dst}, expected nodes in [0, {num_nodes}); "
        "correct it, or 'num_nodes'"
    )


def _buffer(size: int, num_edges: int) -> Tensor:
    size = max(1, min(size, num_edges))
    return aligned_bytes(16 * size)[: 16 * size].view(torch.int64).view(2, size)


def _pieces(buffer: Tensor, num_edges: int) -> Iterator[tuple[int, Tensor]]:
    """Return the start of each block, and its part of the buffer."""
    size = buffer.shape[1]
    for start in range(0, num_edges, size):
        yield start, buffer[:, : min(size, num_edges - start)]


def _columns(name: str, src: ArraySource, dst: ArraySource) -> ColumnEdges:
    _check_integers(name, src, dst)
    if len(src.shape) != 1 or src.shape != dst.shape:
        raise ValueError(
            f"'{name}' got sources of shape {tuple(src.shape)} and targets of shape {tuple(dst.shape)}, "
            "expected two of shape (E,)"
        )
    return ColumnEdges(src, dst)


def _pairs(name: str, source: ArraySource) -> EdgeSource:
    _check_integers(name, source)
    return ColumnEdges(*source.T) if isinstance(source, Tensor) else PairEdges(source)


def _row(source: ArraySource, row: int) -> ArraySource:
    if isinstance(source, Tensor):
        return source[row]
    length = source.shape[1]
    return replace(source, shape=(length,), offset=source.offset + row * length * source.torch_dtype.itemsize)


def _check_integers(name: str, *sources: ArraySource) -> None:
    for source in sources:
        dtype = source.dtype if isinstance(source, Tensor) else source.torch_dtype
        if dtype not in _INTEGERS:
            raise ValueError(f"'{name}' got entries of {dtype}, expected integers")
