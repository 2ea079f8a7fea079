"""Batches made anew from what they were made from: the same bytes as ``prepare`` wrote."""

import mmap
from functools import cached_property
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from graphlab.disk.array_file import ArrayFile
from graphlab.disk.files import align
from graphlab.disk.record import Counts
from graphlab.disk.store_info import ArrayInfo, StoreInfo
from graphlab.ops import batch_key, neighbor_sample, seed_permutation

_HOT = 1 << 31


class BatchSource:
    """Makes records and packs of a store from its graph, its attributes and the features.

    Args:
        root: The store.
        info: Its description.
        hot: The nodes of the hot set, ascending, if they are known; else they are counted.

    Raises:
        DiskError, OSError: A file is missing.
    """

    def __init__(self, root: Path, info: StoreInfo, hot: Tensor | None = None) -> None:
        self._root, self._info = root, info
        self._col = self._map("col", info.graph["col"])
        # The sampler takes both of one type.
        self._rowptr = self._map("rowptr", info.graph["rowptr"])
        if info.num_edges < 2**31:
            self._rowptr, self._col = self._rowptr.to(self._col.dtype), self._col
        else:
            self._col = self._col.to(self._rowptr.dtype)
        if hot is not None:
            self.hot = hot

    def record(self, epoch: int, batch: int) -> Tensor:
        """Make a record.

        Args:
            epoch: The sampled epoch.
            batch: The number of the batch.

        Shapes:
            - **output:** ``(size,)``, bytes up to where the pack begins
        """
        info = self._info
        arrays = self._sample(epoch, batch)
        place, cold = self._places(arrays["n_id"])
        arrays["place"] = place
        rows_of = {"node": arrays["n_id"], "edge": arrays["e_id"]}
        for field in info.layout.fields:
            if field.name not in arrays:
                arrays[field.name] = self._map(field.name, info.attributes[field.name])[rows_of[field.per]]
        counts = Counts(
            epoch,
            batch,
            nodes=arrays["n_id"].numel(),
            edges=arrays["row"].numel(),
            seeds=arrays["input_id"].numel(),
            hops=arrays["num_sampled_edges"].numel(),
            cold=cold.numel(),
        )
        return _padded(info.layout.encode(counts, arrays), 64)

    @cached_property
    def hot(self) -> Tensor:
        """The nodes of the hot set, ascending, counted by sampling all batches of all ranks."""
        info = self._info
        times = torch.zeros(info.num_nodes, dtype=torch.int64)
        for epoch in range(info.sampling.epochs):
            for batch in range(info.sampling.batches_per_epoch):
                times += torch.bincount(self._sample(epoch, batch)["n_id"], minlength=info.num_nodes)
        return times.argsort(descending=True, stable=True)[: info.hot_rows].sort().values

    def _sample(self, epoch: int, batch: int) -> dict[str, Tensor]:
        s = self._info.sampling
        start, stop = batch * s.batch_size, min((batch + 1) * s.batch_size, s.num_input)
        input_id = torch.arange(start, stop)
        if s.shuffle:
            input_id = seed_permutation(s.num_input, s.seed, epoch, start, stop)
        inputs = self._map("input_nodes", self._info.attributes["input_nodes"])
        row, col, node, edge, nodes_per_hop, edges_per_hop = neighbor_sample(
            self._rowptr,
            self._col,
            inputs[input_id].long(),
            list(s.num_neighbors),
            replace=s.replace,
            csc=True,
            key=batch_key(s.seed, epoch, batch),
        )
        assert edge is not None
        if "perm" in self._info.graph:
            edge = self._map("perm", self._info.graph["perm"])[edge.long()]
        return {
            "n_id": node.long(),
            "row": row,
            "col": col,
            "e_id": edge.long(),
            "input_id": input_id,
            "num_sampled_nodes": torch.tensor(nodes_per_hop),
            "num_sampled_edges": torch.tensor(edges_per_hop),
        }

    def _places(self, n_id: Tensor) -> tuple[Tensor, Tensor]:
        slot = torch.searchsorted(self.hot, n_id)
        is_hot = torch.isin(n_id, self.hot)
        cold = n_id[~is_hot].unique()
        return torch.where(is_hot, slot - _HOT, torch.searchsorted(cold, n_id)), cold

    def _map(self, name: str, info: ArrayInfo) -> Tensor:
        if name not in self._mapped:
            self._mapped[name] = map_array(self._root, info)
        return self._mapped[name]

    @cached_property
    def _mapped(self) -> dict[str, Tensor]:
        return {}


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


def map_array(root: Path, info: ArrayInfo) -> Tensor:
    """Map an array into memory: its pages are read when they are looked at, each for itself.

    Args:
        root: The store.
        info: The array.
    """
    if not np.prod(info.shape):
        return torch.empty(info.shape, dtype=info.torch_dtype)
    with (root / info.path).open("rb") as file:
        # A private copy, or torch would warn that it can be written to.
        room = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_COPY)
    room.madvise(mmap.MADV_RANDOM)
    flat = torch.frombuffer(room, dtype=info.torch_dtype, count=int(np.prod(info.shape)), offset=info.offset)
    return flat.view(info.shape)


def _padded(data: Tensor, block: int) -> Tensor:
    room = torch.zeros(align(data.numel(), block), dtype=torch.uint8)
    room[: data.numel()] = data
    return room
