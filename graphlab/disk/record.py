"""The record of a batch: everything of it but the rows of features.

A record is a header of 64 bytes and one array per field, each starting at a multiple of 64 bytes. How long an array is
follows from the counts in the header, so nothing else describes the bytes. All numbers are little-endian.
"""

import math
import struct
import sys
from dataclasses import dataclass, fields
from typing import Any

import torch
from torch import Tensor

from graphlab.disk.errors import CorruptStoreError
from graphlab.disk.files import align

_HEADER = struct.Struct("<4sIQQQQQQQ")
_MAGIC = b"GLBR"
_LINE = 64

if sys.byteorder != "little":
    raise ImportError("graphlab.disk writes little-endian files only; this machine is big-endian")


@dataclass(frozen=True)
class Counts:
    """How many of each there are in a batch.

    Args:
        epoch: The sampled epoch of the batch.
        batch: Its number in the epoch.
        nodes: Number of nodes.
        edges: Number of edges.
        seeds: Number of seed nodes.
        hops: Number of hops.
        cold: Number of distinct nodes whose features are not in the hot set.
    """

    epoch: int
    batch: int
    nodes: int
    edges: int
    seeds: int
    hops: int
    cold: int


@dataclass(frozen=True)
class Field:
    """An array of a record.

    Args:
        name: Its name.
        per: What it has a row for: ``"node"``, ``"edge"``, ``"seed"``, ``"hop"`` or ``"layer"`` (one more than hops).
        dtype: The torch dtype of the entries by name, such as ``"int32"``.
        shape: The shape of a row.
    """

    name: str
    per: str
    dtype: str
    shape: tuple[int, ...] = ()

    @property
    def torch_dtype(self) -> torch.dtype:
        """The dtype itself."""
        return getattr(torch, self.dtype)

    @property
    def row_bytes(self) -> int:
        """Bytes of a row."""
        return math.prod(self.shape) * self.torch_dtype.itemsize

    def rows(self, counts: Counts) -> int:
        """Return the number of rows in a batch.

        Args:
            counts: The counts of the batch.
        """
        return {
            "node": counts.nodes,
            "edge": counts.edges,
            "seed": counts.seeds,
            "hop": counts.hops,
            "layer": counts.hops + 1,
        }[self.per]


@dataclass(frozen=True)
class RecordLayout:
    """Which arrays a record holds, in order.

    Args:
        fields: The arrays.
    """

    fields: tuple[Field, ...]

    @classmethod
    def of(cls, num_nodes: int, num_edges: int, *, e_id: bool, attributes: tuple[Field, ...] = ()) -> "RecordLayout":
        """Return the layout of records over a graph.

        Args:
            num_nodes: Number of nodes of the graph: decides the width of ``n_id``.
            num_edges: Number of edges of the graph: decides the width of ``e_id``.
            e_id: Whether records name the edges.
            attributes: Further arrays per node, edge or seed, copied from the graph.
        """
        ids = [Field("e_id", "edge", _width(num_edges))] if e_id else []
        return cls(
            (
                Field("n_id", "node", _width(num_nodes)),
                Field("place", "node", "int32"),
                Field("row", "edge", "int32"),
                Field("col", "edge", "int32"),
                *ids,
                Field("input_id", "seed", "int64"),
                Field("num_sampled_nodes", "layer", "int64"),
                Field("num_sampled_edges", "hop", "int64"),
                *attributes,
            )
        )

    def size(self, counts: Counts) -> int:
        """Return the bytes of a record.

        Args:
            counts: The counts of the batch.
        """
        return _LINE + sum(align(f.rows(counts) * f.row_bytes, _LINE) for f in self.fields)

    def encode(self, counts: Counts, arrays: dict[str, Tensor]) -> Tensor:
        """Write a record.

        Args:
            counts: The counts of the batch.
            arrays: An array per field; integers are narrowed to the field's width.

        Shapes:
            - **output:** ``(size,)``, bytes
        """
        data = torch.zeros(self.size(counts), dtype=torch.uint8)
        header = _HEADER.pack(_MAGIC, 1, *[getattr(counts, f.name) for f in fields(Counts)])
        data[: len(header)] = torch.frombuffer(bytearray(header), dtype=torch.uint8)
        start = _LINE
        for field in self.fields:
            size = field.rows(counts) * field.row_bytes
            if size:
                array = arrays[field.name].to(field.torch_dtype).reshape(field.rows(counts), *field.shape)
                data[start : start + size] = array.contiguous().view(-1).view(torch.uint8)
            start += align(size, _LINE)
        return data

    def counts(self, data: Tensor) -> Counts:
        """Read the counts of a record.

        Args:
            data: Its bytes.

        Raises:
            CorruptStoreError: These are not the bytes of a record.
        """
        magic, version, *numbers = _HEADER.unpack(bytes(data[: _HEADER.size].numpy()))
        if magic != _MAGIC or version != 1:
            raise CorruptStoreError(f"a record starts with {magic!r} version {version}, expected {_MAGIC!r} version 1")
        return Counts(*numbers)

    def decode(self, data: Tensor) -> tuple[Counts, dict[str, Tensor]]:
        """Read a record without copying: the arrays are views of its bytes.

        Args:
            data: Its bytes, which start at a multiple of 64.

        Raises:
            CorruptStoreError: These are not the bytes of a record.

        Shapes:
            - **data:** ``(size,)``, or more
        """
        counts = self.counts(data)
        if self.size(counts) > data.numel():
            raise CorruptStoreError(f"a record has {data.numel():,} bytes, expected {self.size(counts):,}")
        arrays, start = {}, _LINE
        for field in self.fields:
            size = field.rows(counts) * field.row_bytes
            flat = data[start : start + size].view(field.torch_dtype)
            arrays[field.name] = flat.view(field.rows(counts), *field.shape)
            start += align(size, _LINE)
        return counts, arrays

    def to_json(self) -> list[dict[str, Any]]:
        """Describe the fields for the manifest."""
        return [{"name": f.name, "per": f.per, "dtype": f.dtype, "shape": list(f.shape)} for f in self.fields]

    @classmethod
    def from_json(cls, described: list[dict[str, Any]]) -> "RecordLayout":
        """Read what :meth:`to_json` wrote.

        Args:
            described: The description.
        """
        return cls(tuple(Field(f["name"], f["per"], f["dtype"], tuple(f["shape"])) for f in described))


def _width(count: int) -> str:
    return "int32" if count < 2**31 else "int64"
