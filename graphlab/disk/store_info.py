"""What the manifest of a store says, typed."""

import json
import math
import zlib
from dataclasses import asdict, dataclass, field, replace
from typing import Any

import torch

from graphlab.disk.record import RecordLayout


@dataclass(frozen=True)
class FileInfo:
    """A file of a store.

    Args:
        name: Its path, relative to the store.
        bytes: Its length.
        crc32c: CRC-32C of its content; of a shard that of its index.
    """

    name: str
    bytes: int
    crc32c: int


@dataclass(frozen=True)
class ArrayInfo:
    """A row-major array in a file.

    Args:
        path: The file; relative to the store, or absolute where the store only refers to it.
        offset: Where the first row starts, in bytes.
        dtype: The torch dtype by name.
        shape: The shape, rows first.
        size: Length of the whole file in bytes.
        mtime_ns: When the file was last changed; what another time means is decided by the checksum.
        crc32c: CRC-32C of the rows.
    """

    path: str
    offset: int
    dtype: str
    shape: tuple[int, ...]
    size: int
    mtime_ns: int
    crc32c: int

    @property
    def torch_dtype(self) -> torch.dtype:
        """The dtype itself."""
        return getattr(torch, self.dtype)


@dataclass(frozen=True)
class Sampling:
    """How the batches were sampled: with the same numbers the in-memory loader gives the same batches.

    Args:
        num_neighbors: Neighbours per hop.
        batch_size: Seeds per batch.
        replace: Whether with replacement.
        shuffle: Whether the seeds were permuted.
        seed: Seed of all randomness.
        epochs: Number of sampled epochs.
        num_input: Number of input nodes.
        rank: The rank whose batches these are.
        world_size: Number of ranks.
    """

    num_neighbors: tuple[int, ...]
    batch_size: int
    replace: bool
    shuffle: bool
    seed: int
    epochs: int
    num_input: int
    rank: int = 0
    world_size: int = 1

    @property
    def batches_per_epoch(self) -> int:
        """Number of batches of an epoch over all ranks."""
        return -(-self.num_input // self.batch_size)


@dataclass(frozen=True)
class StoreInfo:
    """The body of the manifest.

    Args:
        num_nodes: Number of nodes.
        num_edges: Number of edges.
        sampling: How the batches were sampled.
        mode: ``"packed"`` where each batch has its cold rows beside it, ``"online"`` where they are read from the
            features when they are wanted.
        dtype: The torch dtype of the features in batches, by name.
        row_shape: The shape of a row of features.
        hot_rows: Number of rows of the hot set.
        hot: The rows of the hot set, in ascending order of node id.
        layout: The arrays of a record.
        shards: The shards, in order.
        features: The features of all nodes.
        graph: The graph: ``"rowptr"``, ``"col"`` and, where edges were reordered, ``"perm"`` of its CSC form.
        attributes: Arrays of the whole graph by name: ``"y"``, masks, ``"input_nodes"``, ``"edge_attr"``.
        arguments: What ``prepare`` was asked for, by which it knows its store again.
        plan: What was decided and why: figures of the planner, measured ones among them.
    """

    num_nodes: int
    num_edges: int
    sampling: Sampling
    mode: str
    dtype: str
    row_shape: tuple[int, ...]
    hot_rows: int
    hot: FileInfo | None
    layout: RecordLayout
    shards: tuple[FileInfo, ...]
    features: ArrayInfo
    graph: dict[str, ArrayInfo]
    attributes: dict[str, ArrayInfo]
    arguments: dict[str, Any] = field(default_factory=dict)
    plan: dict[str, Any] = field(default_factory=dict)

    @property
    def torch_dtype(self) -> torch.dtype:
        """The dtype of the features in batches."""
        return getattr(torch, self.dtype)

    @property
    def row_bytes(self) -> int:
        """Bytes of a row of features in a batch."""
        return math.prod(self.row_shape) * self.torch_dtype.itemsize

    @property
    def fingerprint(self) -> int:
        """A checksum of all that decides the bits of the batches: equal for stores that give the same batches."""
        arrays = {"features": self.features, **self.graph, **{f"attribute {n}": a for n, a in self.attributes.items()}}
        decides = [
            asdict(replace(self.sampling, rank=0, world_size=1)),
            self.dtype,
            {name: (array.dtype, array.shape, array.crc32c) for name, array in arrays.items()},
        ]
        return zlib.crc32(json.dumps(decides, sort_keys=True).encode())

    def to_json(self) -> dict[str, Any]:
        """Describe the store for the manifest."""
        return {**asdict(self), "layout": self.layout.to_json()}

    @classmethod
    def from_json(cls, body: dict[str, Any]) -> "StoreInfo":
        """Read what :meth:`to_json` wrote.

        Args:
            body: The body of the manifest.
        """
        return cls(
            **{
                **body,
                "sampling": Sampling(**{**body["sampling"], "num_neighbors": tuple(body["sampling"]["num_neighbors"])}),
                "row_shape": tuple(body["row_shape"]),
                "hot": FileInfo(**body["hot"]) if body["hot"] else None,
                "layout": RecordLayout.from_json(body["layout"]),
                "shards": tuple(FileInfo(**s) for s in body["shards"]),
                "features": _array(body["features"]),
                "graph": {k: _array(v) for k, v in body["graph"].items()},
                "attributes": {k: _array(v) for k, v in body["attributes"].items()},
            }
        )


def _array(described: dict[str, Any]) -> ArrayInfo:
    return ArrayInfo(**{**described, "shape": tuple(described["shape"])})
