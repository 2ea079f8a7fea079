"""Epochs of numbered batches, made ahead by threads."""

import math
from abc import abstractmethod
from collections.abc import Callable, Generator, Iterator
from numbers import Integral
from operator import index as as_index
from typing import Any

import torch
from torch import Tensor
from torch.utils.data import DataLoader
from torch_geometric.data import Data, HeteroData
from torch_geometric.loader.utils import infer_filter_per_worker

from graphlab.loader.map_in_order import map_in_order
from graphlab.loader.seeds import seed_hash
from graphlab.ops import batch_key, seed_permutation

Batch = Data | HeteroData
#: What the threads take up: the epoch, the number of the batch, and which inputs make it up.
Planned = tuple[int, int, Tensor]

# Arguments of torch's worker processes, which threads have no use for.
_OF_PROCESSES = ("in_order", "multiprocessing_context", "persistent_workers", "timeout", "worker_init_fn")


class EpochLoader(DataLoader):
    """A loader whose batch b of epoch e is a function of (seed, e, b); what the loaders of this room have in common.

    It stands before a loader of PyG among the bases of a class, takes what concerns epochs and threads out of the
    arguments, and leaves the rest to PyG. Orders are :func:`graphlab.ops.seed_permutation`, keys of batches
    :func:`graphlab.ops.batch_key`.

    Args:
        data: The graph.
        seed: The seed of all orders and batches.
        batch_size: How many inputs make up a batch.
        shuffle: Whether each epoch has an order of its own; otherwise inputs keep theirs.
        drop_last: Whether to drop the last batch where it is short.
        num_workers: How many threads make batches ahead; 0 makes each when it is asked for.
        prefetch_factor: How many batches per thread are made ahead; 2 by default.
        rank: Which of ``world_size`` processes this is; it makes the batches b with b mod ``world_size`` = ``rank``.
        world_size: How many processes share an epoch; each gets as many batches, the first ones twice if need be.
        transform: What to do to each batch.
        transform_sampler_output: What to do to each sample.
        filter_per_worker: Whether threads look up features and transform batches, or the caller's thread does; by
            default threads, unless there are transforms, which may draw random numbers, or the graph lies on a GPU or
            in remote stores, which need not bear being asked by several threads.
        **kwargs: What PyG's loader takes, and torch's; what concerns processes (``persistent_workers`` and the like)
            has no effect.

    Raises:
        ValueError: An argument is out of its range; the message names it.
    """

    filter_fn: Callable[[Any], Batch]
    filter_per_worker: bool
    prefetch_factor: int

    def __init__(
        self,
        data: Any,
        *,
        seed: int,
        batch_size: int | None = 1,
        shuffle: bool = False,
        drop_last: bool = False,
        num_workers: int = 0,
        prefetch_factor: int | None = None,
        rank: int = 0,
        world_size: int = 1,
        transform: Callable | None = None,
        transform_sampler_output: Callable | None = None,
        filter_per_worker: bool | None = None,
        **kwargs: Any,
    ) -> None:
        num_workers = _count("num_workers", num_workers, 0)
        prefetch_factor = _count("prefetch_factor", 2 if prefetch_factor is None else prefetch_factor, 1)
        world_size = _count("world_size", world_size, 1)
        rank = _count("rank", rank, 0, world_size)
        self._ordered = kwargs.get("sampler") is None and kwargs.get("batch_sampler") is None
        if shuffle and not self._ordered:
            raise ValueError("'shuffle' must be False beside 'sampler' or 'batch_sampler', which give the order")
        if kwargs.get("batch_sampler") is None:
            batch_size = _count("batch_size", batch_size, 1)
        if filter_per_worker is None:
            filter_per_worker = _in_threads(data) and not (transform or transform_sampler_output)
        options = {name: value for name, value in kwargs.items() if name not in _OF_PROCESSES}
        options["transform"], options["transform_sampler_output"] = transform, transform_sampler_output
        options["filter_per_worker"] = filter_per_worker
        super().__init__(data, batch_size=batch_size, drop_last=drop_last, **options)
        # Unknown to torch's constructor, which would prepare for processes.
        self.num_workers, self.prefetch_factor = num_workers, prefetch_factor
        self.seed, self.shuffle = seed, shuffle
        self.rank, self.world_size = rank, world_size
        self.epoch = 0
        _learn_kinds(data)

    def set_epoch(self, epoch: int) -> None:
        """Choose the epoch that the next iteration will be; by default each is the one after the last.

        Calls of the loader with positions are of that epoch too, and so are the batches of PyG's ``ZipLoader``, which
        calls loaders and counts no epochs.

        Args:
            epoch: The number of the epoch, from 0.
        """
        self.epoch = _count("epoch", epoch, 0)

    @property
    def num_batches(self) -> int:
        """The number of batches of an epoch, over all ranks."""
        if not self._ordered:
            return len(self._batches())
        whole, rest = divmod(self._num_inputs(), self._size())
        return whole + bool(rest and not self.drop_last)

    def __len__(self) -> int:
        return -(-self.num_batches // self.world_size)

    def __iter__(self) -> Any:
        epoch, self.epoch = self.epoch, self.epoch + 1
        return self._run(epoch)

    def collate_fn(self, index: Any) -> Any:  # pyright: ignore[reportIncompatibleVariableOverride]
        """Sample around the inputs at some positions, which make up a batch without a number.

        Its key is made of the seed, the epoch and a hash of the positions.

        Args:
            index: The positions.
        """
        positions = index if isinstance(index, Tensor) else torch.tensor(index, dtype=torch.long)
        return self._looked_up(positions, batch_key(self.seed, self.epoch, seed_hash(positions.long())))

    def batch(self, epoch: int, index: int) -> Batch:
        """Make one batch by its number, whatever was iterated before.

        Args:
            epoch: The number of the epoch.
            index: The number of the batch in the epoch, over all ranks.

        Raises:
            IndexError: The epoch has no such batch.
            ValueError: The order is that of a sampler of torch, which numbers no epochs.
        """
        if not self._ordered:
            raise ValueError("'batch' needs the loader's own order, got 'sampler' or 'batch_sampler'")
        epoch, index = _count("epoch", epoch, 0), as_index(index)
        if not 0 <= index < self.num_batches:
            raise IndexError(f"'index' must lie in [0, {self.num_batches}), got {index}")
        return self._finished(self._made((epoch, index, self._positions(epoch, index))))

    def _run(self, epoch: int) -> Generator[Batch, None, None]:
        ahead = self.num_workers * self.prefetch_factor
        for made in map_in_order(self._made, self._plan(epoch), self.num_workers, ahead):
            yield self._finished(made)

    def _plan(self, epoch: int) -> Iterator[Planned]:
        """Tell what this rank's batches are; where they run out, the first ones come again."""
        if not self._ordered:
            yield from ((epoch, index, positions) for index, positions in self._given())
            return
        number = self.num_batches
        for i in range(self.rank, -(-number // self.world_size) * self.world_size, self.world_size):
            yield epoch, i % number, self._positions(epoch, i % number)

    def _given(self) -> Iterator[tuple[int, Tensor]]:
        """Number the batches that a sampler of torch gives, which may have no end."""
        first, number = [], 0
        for number, given in enumerate(self._batches(), 1):
            positions = torch.as_tensor(given)
            if number <= self.world_size:
                first.append(positions)
            if (number - 1) % self.world_size == self.rank:
                yield number - 1, positions
        if self.rank >= number % self.world_size > 0:
            index = (number - number % self.world_size + self.rank) % number
            yield index, first[index]

    def _positions(self, epoch: int, index: int) -> Tensor:
        number, size = self._num_inputs(), self._size()
        start, stop = index * size, min((index + 1) * size, number)
        if self.shuffle:
            return seed_permutation(number, self.seed, epoch, start, stop)
        return torch.arange(start, stop)

    def _made(self, planned: Planned) -> Any:
        """Do what threads do."""
        epoch, index, positions = planned
        return self._looked_up(positions, batch_key(self.seed, epoch, index))

    def _looked_up(self, positions: Tensor, key: int) -> Any:
        out = self._sampled(positions, key)
        return self.filter_fn(out) if self.filter_per_worker else out

    @abstractmethod
    def _sampled(self, positions: Tensor, key: int) -> Any:
        """Sample around the inputs at some positions."""

    def _finished(self, made: Any) -> Batch:
        """Do what is left to the caller's thread."""
        batch = made if self.filter_per_worker else self.filter_fn(made)
        return batch.pin_memory() if self.pin_memory and torch.cuda.is_available() else batch

    def _num_inputs(self) -> int:
        return len(self.dataset)  # pyright: ignore[reportArgumentType]

    def _size(self) -> int:
        return self.batch_size or 1

    def _batches(self) -> Any:
        return self.batch_sampler


def _count(name: str, value: Any, low: int, end: int | None = None) -> int:
    if isinstance(value, bool) or not isinstance(value, Integral) or not low <= int(value) < (end or math.inf):
        said = f"from {low} on" if end is None else f"in [{low}, {end})"
        raise ValueError(f"'{name}' must be an integer {said}, got {value!r}")
    return int(value)


def _in_threads(data: Any) -> bool:
    return isinstance(data, Data | HeteroData) and infer_filter_per_worker(data)


def _learn_kinds(data: Any) -> None:
    """Let a graph find out which attributes belong to nodes now: threads would get in each other's way."""
    for store in data.stores if isinstance(data, Data | HeteroData) else ():
        for name in store:
            store.is_node_attr(name)
            store.is_edge_attr(name)
