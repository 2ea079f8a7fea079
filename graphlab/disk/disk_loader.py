"""The loader that trains from a store."""

import contextlib
import os
from collections.abc import Callable, Generator, Iterator
from typing import Any

from torch_geometric.data import Data

from graphlab.disk.batch_reader import BatchReader, RawBatch
from graphlab.disk.errors import MemoryBudgetError
from graphlab.disk.footprint import Footprint
from graphlab.disk.memory import room
from graphlab.disk.store import Store
from graphlab.loader.map_in_order import map_in_order
from graphlab.ops import seed_permutation


class DiskLoader:
    """Iterates over the batches of a store, each as :class:`graphlab.loader.NeighborLoader` makes it in memory.

    With the arguments of the store's ``prepare``, batch b of its sampled epoch e is ``NeighborLoader.batch(e, b)`` to
    the bit. Threads read ahead, each batch in one piece and past the page cache. Training epoch t takes the batches of
    sampled epoch t modulo their number, in an order of its own; each iteration is the next epoch.

    Offline sampling and packing follow Liu et al., `DiskGNN: Bridging I/O Efficiency and Model Accuracy for Out-of-Core
    GNN Training`, 2024, arXiv 2405.05231.

    Args:
        path: The store.
        shuffle: Whether each epoch has an order of its own; else batches come by number.
        seed: The seed of the orders; by default the store's.
        readers: How many threads read.
        queue_depth: How many batches are read ahead.
        memory_budget: Bytes that the process may hold in all; by default it is not checked.
        rank: Which of the processes this is that train together. Of a store of all batches it gets those whose number
            is ``rank`` modulo ``world_size``; a store prepared for one rank is taken as it is.
        world_size: How many processes there are. Each gets the same number of batches: one that would have fewer
            begins again.
        transform: What to do with each batch; a thread of the loader calls it, for one batch after the other in order.
        verify: Whether to compare checksums with what is read, which costs about a millisecond for 25 MB. Rows that
            ``"online"`` mode reads from the features have none: of that file only length and time are compared, so
            that a change which keeps both is found by :func:`graphlab.disk.verify` alone.

    Raises:
        DiskError: The store can not be used; see :class:`~graphlab.disk.Store`.
        MemoryBudgetError: The budget is too small; the message says what takes how much.
        ValueError: An argument does not fit the store.

    Example:
        >>> import tempfile, torch
        >>> from torch_geometric.data import Data
        >>> from graphlab.disk import DiskLoader, prepare
        >>> data = Data(x=torch.randn(50, 8), edge_index=torch.randint(50, (2, 200)))
        >>> with tempfile.TemporaryDirectory() as out:
        ...     _ = prepare(data, out, num_neighbors=[5, 5], batch_size=16, mode="packed")
        ...     [batch.batch_size for batch in DiskLoader(out, shuffle=False)]
        [16, 16, 16, 2]
    """

    def __init__(
        self,
        path: str | os.PathLike[str],
        *,
        shuffle: bool = True,
        seed: int | None = None,
        readers: int = 2,
        queue_depth: int = 2,
        memory_budget: int | None = None,
        rank: int = 0,
        world_size: int = 1,
        transform: Callable[[Data], Any] | None = None,
        verify: bool = True,
    ) -> None:
        for name, value in (("readers", readers), ("queue_depth", queue_depth)):
            if value < 1:
                raise ValueError(f"'{name}' must be at least 1, got {value}")
        self.store = Store(path)
        self.shuffle, self.seed = shuffle, self.store.info.sampling.seed if seed is None else seed
        self.readers, self.queue_depth, self.transform = readers, queue_depth, transform
        self._numbers, self._length = _share(self.store, rank, world_size)
        if memory_budget is not None:
            self._check_budget(memory_budget)
        self._reader = BatchReader(self.store, verify=verify, batches=queue_depth + 2, readers=self.readers)
        self.epoch = self._start = 0
        self._at = (0, 0)

    def __len__(self) -> int:
        return self._length

    def __repr__(self) -> str:
        return f"{type(self).__name__}({str(self.store.path)!r}, batches={len(self)})"

    def __iter__(self) -> Iterator[Any]:
        epoch, start = self._at = (self.epoch, self._start)
        self.epoch, self._start = epoch + 1, 0
        return self._run(epoch, start)

    def set_epoch(self, epoch: int) -> None:
        """Choose the epoch that the next iteration will be; without, each iteration is the next one.

        Args:
            epoch: The number of the epoch, from 0. If the loader was set back inside of this one, it goes on there.
        """
        if epoch != self.epoch:
            self.epoch, self._start = epoch, 0
        self._at = (self.epoch, self._start)

    def batch(self, epoch: int, number: int) -> Any:
        """Return one batch, whatever was iterated before.

        Args:
            epoch: The number of the sampled epoch.
            number: The number of the batch in it, over all ranks.

        Raises:
            IndexError: The store holds no such batch.
            CorruptStoreError: Its bytes are not those that were written.
        """
        return self._finish(self._reader.read(epoch, number))

    def state_dict(self) -> dict[str, Any]:
        """Return where the loader stands: which epoch, and how many of its batches were handed out."""
        epoch, position = self._at
        if position == len(self):
            epoch, position = epoch + 1, 0
        return {"epoch": epoch, "position": position, "store": self.store.info.fingerprint, **self._order()}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Go back to where a loader stood: the next iteration gives the batches that it had not handed out.

        Args:
            state: What :meth:`state_dict` returned.

        Raises:
            ValueError: That loader had other batches, or another order.
        """
        if state.get("store") != self.store.info.fingerprint:
            raise ValueError(
                f"'state' is of a loader of another store, whose batches are not those of {self.store.path}; "
                "open the store that it was made with"
            )
        for name, value in self._order().items():
            if state[name] != value:
                raise ValueError(f"'state' is of a loader with {name} {state[name]}, expected {value}")
        self.epoch, self._start = self._at = (state["epoch"], state["position"])

    def _run(self, epoch: int, start: int) -> Generator[Any, None, None]:
        sampled, numbers = epoch % self.store.info.sampling.epochs, self._ordered(epoch)[start:]
        # Readers read the next bytes while one thread puts a batch together, so that the drive never waits.
        raw = map_in_order(lambda b: self._reader.read(sampled, b), numbers, self.readers, self.readers)
        made = map_in_order(lambda _: self._finish(next(raw)), numbers, 1, self.queue_depth)
        with contextlib.closing(made):
            for position in range(start, len(self)):
                # No name for the batch here: its buffers come back as soon as the caller lets go of it.
                yield self._hand_out(next(made), epoch, position)

    def _finish(self, raw: RawBatch) -> Any:
        data = self._reader.assemble(raw)
        if self.transform is None:
            return data
        try:
            return self.transform(data)
        except Exception as error:
            error.add_note(f"in 'transform' of batch {raw.entry.batch} of epoch {raw.entry.epoch}")
            raise

    def _hand_out(self, batch: Any, epoch: int, position: int) -> Any:
        self._at = (epoch, position + 1)
        return batch

    def _ordered(self, epoch: int) -> list[int]:
        """Return the batches of an epoch; where there are too few, it begins again."""
        numbers = self._numbers
        if self.shuffle:
            order = seed_permutation(len(numbers), self.seed, epoch)
            numbers = [numbers[i] for i in order.tolist()]
        return [numbers[i % len(numbers)] for i in range(len(self))]

    def _order(self) -> dict[str, Any]:
        return {"length": len(self), "first": self._numbers[0], "shuffle": self.shuffle, "seed": self.seed}

    def _check_budget(self, memory_budget: int) -> None:
        footprint = Footprint.of(self.store)
        try:
            room(memory_budget, footprint.total(self.readers, self.queue_depth))
        except MemoryBudgetError as error:
            raise MemoryBudgetError(
                f"{error}; loading takes {footprint.terms(self.readers, self.queue_depth)}; give a lower 'queue_depth' "
                "or fewer 'readers', or prepare with a smaller 'batch_size' or hot set"
            ) from None


def _share(store: Store, rank: int, world_size: int) -> tuple[list[int], int]:
    """Return a rank's batches of each epoch, and how many every rank takes."""
    sampling = store.info.sampling
    if not 0 <= rank < world_size:
        raise ValueError(f"'rank' must lie in [0, 'world_size' {world_size}), got {rank}")
    if sampling.world_size > 1:
        if world_size > 1 and (rank, world_size) != (sampling.rank, sampling.world_size):
            raise ValueError(
                f"'rank' and 'world_size' got {rank} and {world_size}, but {store.path} was prepared for rank "
                f"{sampling.rank} of {sampling.world_size}"
            )
        rank, world_size = sampling.rank, sampling.world_size
    numbers = [b for b in store.batches if b % world_size == rank]
    if not numbers:
        raise ValueError(
            f"'world_size' {world_size} leaves rank {rank} none of the {sampling.batches_per_epoch} batches of "
            f"{store.path}; use fewer processes, or prepare with a smaller 'batch_size'"
        )
    return numbers, -(-sampling.batches_per_epoch // world_size)
