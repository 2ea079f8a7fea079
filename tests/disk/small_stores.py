"""Graphs and stores that tests of the disk room share."""

from pathlib import Path
from typing import Any

import torch
from torch import Tensor
from torch_geometric.data import Data

from graphlab.disk.store_info import Sampling, StoreInfo
from tests.disk.naive_store import batch_of, sample, write_store

SAMPLING = Sampling(num_neighbors=(3, 2), batch_size=8, replace=False, shuffle=True, seed=5, epochs=2, num_input=30)
BATCHES = [(e, b) for e in range(SAMPLING.epochs) for b in range(SAMPLING.batches_per_epoch)]


def graph(width: int = 7, dtype: torch.dtype = torch.float32, num_nodes: int = 60) -> Data:
    """Random nodes, one in three of them without an edge, and edges between the others."""
    g = torch.Generator().manual_seed(width)
    edge_index = torch.randint(0, num_nodes // 3 * 2, (2, 4 * num_nodes), generator=g)
    data = Data(x=torch.randn(num_nodes, width, generator=g).to(dtype), edge_index=edge_index)
    data.y = torch.randint(0, 9, (num_nodes,), generator=g)
    data.train_mask = torch.rand(num_nodes, generator=g) < 0.5
    data.edge_attr = torch.randn(edge_index.size(1), 3, generator=g).bfloat16()
    return data


def inputs(num_nodes: int = 60) -> Tensor:
    """Input nodes, some of them twice, some without edges; the last batch is short."""
    return torch.randint(0, num_nodes, (SAMPLING.num_input,), generator=torch.Generator().manual_seed(1))


def stored(path: Path, data: Data | None = None, sampling: Sampling = SAMPLING, **options: Any) -> StoreInfo:
    """Write a store of a graph, by default in several shards and with a hot set."""
    options = {"hot_rows": 10, "shard_bytes": 15_000, **options}
    return write_store(path, data or graph(), inputs(), sampling, **options)


def expected(
    data: Data, epoch: int, batch: int, sampling: Sampling = SAMPLING, dtype: torch.dtype | None = None
) -> Data:
    """The batch that a loader must give."""
    return batch_of(data, sample(data, inputs(), sampling, epoch, batch), dtype or data.x.dtype)


def assert_same(a: Data, b: Data) -> None:
    """Compare fields, dtypes and bits."""
    assert sorted(a.keys()) == sorted(b.keys())
    for name in a.keys():  # noqa: SIM118 - a Data is no dict
        if isinstance(a[name], Tensor):
            assert a[name].dtype == b[name].dtype, name
            assert a[name].shape == b[name].shape, name
            assert torch.equal(_bits(a[name]), _bits(b[name])), name
        else:
            assert a[name] == b[name], name


def _bits(t: Tensor) -> Tensor:
    return t.contiguous().view(-1).view(torch.uint8) if t.numel() else t
