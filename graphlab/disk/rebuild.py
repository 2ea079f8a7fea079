"""Batches made anew from what they were made from: the same bytes as ``prepare`` wrote."""

from dataclasses import dataclass, replace
from pathlib import Path

import torch
from torch import Tensor

from graphlab.disk import memory
from graphlab.disk.array_file import ArrayFile
from graphlab.disk.hot_set import HotSet, hot_nodes
from graphlab.disk.lookup import Lookup
from graphlab.disk.sampling import Batches, MemorySampler, RecordWriter, Sampled, Sampler
from graphlab.disk.store_info import ArrayInfo, StoreInfo
from graphlab.disk.streaming import StreamingSampler

# What is left at least beside the pointers, so that sampling gets along.
_LEAST = 32 << 20


@dataclass(frozen=True)
class _Until(Batches):
    """The batches before one, where a group ends."""

    stop: int

    def __len__(self) -> int:
        return self.stop


class BatchSource:
    """Makes records of a store again, from its graph and its attributes.

    Args:
        root: The store.
        info: Its description.
        memory_budget: Bytes of memory that the process may hold in all.
        threads: How many threads sample.

    Raises:
        DiskError: A file is missing.
        CorruptStoreError: A file that is read as a whole is damaged.
        MemoryBudgetError: The memory budget is too small.
    """

    def __init__(self, root: Path, info: StoreInfo, memory_budget: int, threads: int = 2) -> None:
        self._root, self._info, self._budget = root, info, memory_budget
        inputs = info.attributes.get("input_nodes")
        self._batches = Batches(info.sampling, None if inputs is None else self._open(inputs).read_checked())
        pointers = 12 * (info.num_nodes + 1)
        # Half of the room is for tables, as many as it takes; the other half for samples.
        self._left = memory.room(memory_budget, least=pointers + _LEAST) // 2 - pointers
        # The samplers take pointers and nodes of one type.
        dtype = torch.int32 if max(info.num_nodes, info.num_edges) < 2**31 else torch.int64
        rowptr, col = self._open(info.graph["rowptr"]).read_checked().to(dtype), self._table(info.graph["col"], dtype)
        fields = {f.name for f in info.layout.fields}
        self._writer = RecordWriter(
            self._batches,
            info.layout,
            self._table(info.graph["perm"]) if "perm" in info.graph else None,
            {name: self._table(array) for name, array in info.attributes.items() if name in fields},
        )
        cost = self._writer.cost(dtype)
        self._sampler: Sampler = (
            StreamingSampler(rowptr, col, info.sampling, cost, threads)
            if col.table is None
            else MemorySampler(rowptr, col.table.to(dtype), info.sampling, cost, first=1)
        )

    def record(self, epoch: int, batch: int, hot: HotSet) -> Tensor:
        """Make a record.

        Args:
            epoch: The sampled epoch.
            batch: The number of the batch.
            hot: The nodes of the hot set.

        Shapes:
            - **output:** ``(record_bytes,)``
        """
        number = epoch * self._info.sampling.batches_per_epoch + batch
        one = _Until(self._info.sampling, self._batches.input_nodes, number + 1)
        (data,) = self._writer.write(number, self._sample(one, number))
        counts, arrays = self._info.layout.decode(data)
        cold = hot.cold(arrays["n_id"])
        arrays["place"] = hot.place(arrays["n_id"], cold)
        return self._info.layout.encode(replace(counts, cold=len(cold)), arrays)

    def hot_nodes(self) -> Tensor:
        """Find the nodes of the hot set, by sampling all batches of all ranks."""
        counts, one = torch.zeros(self._info.num_nodes, dtype=torch.int32), torch.ones(1, dtype=torch.int32)
        done = 0
        while done < len(self._batches):
            group = self._sample(self._batches, done)
            for sampled in group:
                counts.index_add_(0, sampled.node, one.expand(len(sampled.node)))
            done += len(group)
        return hot_nodes(counts, self._info.hot_rows)

    def _sample(self, batches: Batches, start: int) -> list[Sampled]:
        memory.give_back()
        return self._sampler.sample(batches, start, memory.room(self._budget) * 3 // 4)

    def _table(self, info: ArrayInfo, dtype: torch.dtype | None = None) -> Lookup:
        array = self._open(info)
        # Rows that are converted are held twice, and once more wider.
        needed = array.num_bytes * (1 if dtype in (None, array.dtype) else 3)
        load = needed <= self._left
        self._left -= needed * load
        return Lookup(array, load=load)

    def _open(self, info: ArrayInfo) -> ArrayFile:
        return ArrayFile(info, self._root)


def pack_of(ids: Tensor, features: ArrayFile, info: StoreInfo) -> Tensor:
    """Read rows as they stand in a pack.

    Args:
        ids: Whose, ascending.
        features: The features.
        info: The store's description.

    Shapes:
        - **ids:** ``(num_rows,)``
        - **output:** ``(num_rows * row_bytes,)``, bytes
    """
    return features.gather(ids).to(info.torch_dtype).view(-1).view(torch.uint8)
