"""A sealed store: what it holds and where each part lies."""

import os
from functools import cached_property
from pathlib import Path

from graphlab.disk.array_file import ArrayFile
from graphlab.disk.errors import CorruptStoreError
from graphlab.disk.manifest import load_manifest
from graphlab.disk.shard import Entry, ShardPlan, index_crc, read_index
from graphlab.disk.store_info import FileInfo, StoreInfo


class Store:
    """A sealed store, opened and checked as far as that is cheap: manifest, lengths of files, indices of shards.

    Batches are checked when they are loaded, arrays when :meth:`~graphlab.disk.array_file.ArrayFile.read_checked` reads
    them as a whole; :func:`graphlab.disk.verify` checks all bytes.

    Args:
        path: The directory.

    Attributes:
        path: The directory.
        info: What the store holds and how it was made.
        shards: The batches of each shard.

    Raises:
        DiskError: There is no store at ``path``.
        UnsealedStoreError: Its preparation has not ended.
        CorruptStoreError: A file is missing, cut short or damaged, or of another version.
    """

    def __init__(self, path: str | os.PathLike[str]) -> None:
        self.path = Path(path).absolute()
        self.info = StoreInfo.from_json(load_manifest(self.path))
        if self.info.hot is not None:
            check_length(self.path / self.info.hot.name, self.info.hot.bytes)
        if self.info.mode == "online":
            _ = self.features
        self.shards = tuple(open_index(self.path, number, shard) for number, shard in enumerate(self.info.shards))
        self._places = {(e.epoch, e.batch): (s.number, e) for s in self.shards for e in s.entries}
        expected = expected_batches(self.info)
        if len(expected) != sum(len(s.entries) for s in self.shards) or any(b not in self._places for b in expected):
            raise CorruptStoreError(f"the shards of {self.path} do not hold the batches of its manifest; {ANEW}")

    @property
    def batches(self) -> list[int]:
        """The numbers of the batches that the store holds of each sampled epoch, ascending."""
        return list(batch_numbers(self.info))

    def entry(self, epoch: int, batch: int) -> tuple[int, Entry]:
        """Find a batch.

        Args:
            epoch: Its sampled epoch.
            batch: Its number in the epoch, over all ranks.

        Returns:
            The number of its shard, and its entry there.

        Raises:
            IndexError: The store holds no such batch.
        """
        try:
            return self._places[epoch, batch]
        except KeyError:
            sampling = self.info.sampling
            held = f"epochs 0 to {sampling.epochs - 1} and batches 0 to {sampling.batches_per_epoch - 1}"
            if sampling.world_size > 1:
                held += f" of rank {sampling.rank} of {sampling.world_size}"
            raise IndexError(f"({epoch}, {batch}) is no batch of {self.path}, which holds {held}") from None

    def shard_path(self, number: int) -> Path:
        """Return the file of a shard.

        Args:
            number: The shard's number.
        """
        return self.path / self.info.shards[number].name

    @cached_property
    def features(self) -> ArrayFile:
        """The features of all nodes, as they were given."""
        return ArrayFile(self.info.features, self.path)

    @cached_property
    def rowptr(self) -> ArrayFile:
        """Where the edges into each node begin."""
        return ArrayFile(self.info.graph["rowptr"], self.path)

    @cached_property
    def col(self) -> ArrayFile:
        """Where each edge comes from."""
        return ArrayFile(self.info.graph["col"], self.path)

    @cached_property
    def perm(self) -> ArrayFile | None:
        """Which edge of the user each stored edge is; none where the order is the user's."""
        return ArrayFile(self.info.graph["perm"], self.path) if "perm" in self.info.graph else None

    def attribute(self, name: str) -> ArrayFile:
        """Open an array of the whole graph.

        Args:
            name: Its name, such as ``"y"``.

        Raises:
            KeyError: There is none of that name.
        """
        if name not in self.info.attributes:
            raise KeyError(f"{self.path} has no attribute {name!r}; it has {', '.join(sorted(self.info.attributes))}")
        return ArrayFile(self.info.attributes[name], self.path)


#: The way out where nothing else helps.
ANEW = "prepare the store anew"
#: The way out where a file is not the store's own, or nothing else tells what was in it.
PUT_BACK = f"put the file back, or {ANEW}"


def batch_numbers(info: StoreInfo) -> range:
    """Return the numbers of the batches that a store holds of each sampled epoch.

    Args:
        info: The store's description.
    """
    sampling = info.sampling
    return range(sampling.rank, sampling.batches_per_epoch, sampling.world_size)


def expected_batches(info: StoreInfo) -> list[tuple[int, int]]:
    """Return all batches of a store as (epoch, batch), in the order of its shards.

    Args:
        info: The store's description.
    """
    return [(epoch, batch) for epoch in range(info.sampling.epochs) for batch in batch_numbers(info)]


def open_index(root: Path, number: int, shard: FileInfo) -> ShardPlan:
    """Read the index of a shard and check it against the manifest.

    Args:
        root: The store.
        number: The shard's number.
        shard: What the manifest says of it.

    Raises:
        CorruptStoreError: The shard is missing or cut short, or its header or index are damaged.
    """
    path = root / shard.name
    check_length(path, shard.bytes)
    with path.open("rb", buffering=0) as file:
        plan = read_index(file.fileno(), path)
    if (plan.number, plan.name) != (number, shard.name) or index_crc(plan.entries) != shard.crc32c:
        raise CorruptStoreError(f"{path} is not the shard that the manifest names; run 'graphlab disk repair'")
    return plan


def check_length(path: Path, expected: int, advice: str = "run 'graphlab disk repair'") -> None:
    """Check that a file is there and whole.

    Args:
        path: The file.
        expected: Its length in bytes.
        advice: The way out.

    Raises:
        CorruptStoreError: It is missing, or has another length.
    """
    try:
        size = path.stat().st_size
    except FileNotFoundError:
        raise CorruptStoreError(f"{path} is missing; {advice}") from None
    if size != expected:
        raise CorruptStoreError(f"{path} has {size:,} bytes, expected {expected:,}; {advice}")
