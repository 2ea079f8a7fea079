"""Batches made anew from what they were made from: the same bytes as ``prepare`` wrote."""

from dataclasses import replace
from pathlib import Path

import torch
from torch import Tensor

from graphlab.disk import memory
from graphlab.disk.array_file import ArrayFile
from graphlab.disk.hot_set import HotSet, hot_nodes
from graphlab.disk.lookup import Lookup
from graphlab.disk.sampling import Batches, MemorySampler, RecordWriter, Sampler
from graphlab.disk.store_info import ArrayInfo, StoreInfo
from graphlab.disk.streaming import StreamingSampler


class BatchSource:
    """Makes records of a store again, from its graph and its attributes.

    Args:
        root: The store.
        info: Its description.
        threads: How many threads sample.

    Raises:
        DiskError: A file is missing.
    """

    def __init__(self, root: Path, info: StoreInfo, threads: int = 2) -> None:
        self._root, self._info = root, info
        self._room = memory.default_budget() // 4
        inputs = info.attributes.get("input_nodes")
        self._batches = Batches(info.sampling, None if inputs is None else _all(self._open(inputs)))
        fields = {f.name for f in info.layout.fields}
        self._writer = RecordWriter(
            self._batches,
            info.layout,
            self._table(info.graph["perm"]) if "perm" in info.graph else None,
            {name: self._table(array) for name, array in info.attributes.items() if name in fields},
        )
        self._sampler = self._open_sampler(threads)

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
        (data,) = self._writer.write(number, self._sampler.sample(self._batches, number, room=self._room)[:1])
        counts, arrays = self._info.layout.decode(data)
        cold = hot.cold(arrays["n_id"])
        arrays["place"] = hot.place(arrays["n_id"], cold)
        return self._info.layout.encode(replace(counts, cold=len(cold)), arrays)

    def hot_nodes(self) -> Tensor:
        """Find the nodes of the hot set, by sampling all batches of all ranks."""
        counts, one = torch.zeros(self._info.num_nodes, dtype=torch.int32), torch.ones(1, dtype=torch.int32)
        done = 0
        while done < len(self._batches):
            group = self._sampler.sample(self._batches, done, self._room)
            for sampled in group:
                counts.index_add_(0, sampled.node, one.expand(len(sampled.node)))
            done += len(group)
        return hot_nodes(counts, self._info.hot_rows)

    def _open_sampler(self, threads: int) -> Sampler:
        info = self._info
        # The samplers take pointers and nodes of one type.
        dtype = torch.int32 if max(info.num_nodes, info.num_edges) < 2**31 else torch.int64
        cost = self._writer.cost(dtype)
        rowptr, col = _all(self._open(info.graph["rowptr"])).to(dtype), self._table(info.graph["col"])
        if col.table is not None:
            return MemorySampler(rowptr, col.table.to(dtype), info.sampling, cost, first=1)
        return StreamingSampler(rowptr, col, info.sampling, cost, threads)

    def _table(self, info: ArrayInfo) -> Lookup:
        array = self._open(info)
        return Lookup(array, load=array.num_bytes < self._room // 4)

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


def _all(array: ArrayFile) -> Tensor:
    return array.read(0, len(array))
