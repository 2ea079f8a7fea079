from pathlib import Path

import pytest
import torch
from torch_geometric.data import Data

from graphlab.disk.disk_loader import DiskLoader
from graphlab.disk.store_info import Sampling
from tests.disk.naive_store import batch_of, sample, write_store

DTYPES = (torch.float16, torch.bfloat16, torch.float32, torch.float64)
SAMPLING = Sampling(num_neighbors=(3, 2), batch_size=8, replace=False, shuffle=True, seed=5, epochs=2, num_input=30)


def graph(width: int = 7, dtype: torch.dtype = torch.float32, num_nodes: int = 60) -> Data:
    """Random nodes, one in three of them without an edge, and edges between the others."""
    g = torch.Generator().manual_seed(width)
    edge_index = torch.randint(0, num_nodes // 3 * 2, (2, 4 * num_nodes), generator=g)
    data = Data(x=torch.randn(num_nodes, width, generator=g).to(dtype), edge_index=edge_index)
    data.y = torch.randint(0, 9, (num_nodes,), generator=g)
    data.train_mask = torch.rand(num_nodes, generator=g) < 0.5
    data.edge_attr = torch.randn(edge_index.size(1), 3, generator=g).bfloat16()
    return data


def inputs(data: Data) -> torch.Tensor:
    """Input nodes, some of them twice, some without edges; the last batch is short."""
    return torch.randint(0, data.num_nodes, (SAMPLING.num_input,), generator=torch.Generator().manual_seed(1))


def same(a: Data, b: Data) -> None:
    assert sorted(a.keys()) == sorted(b.keys())
    for name, value in a:
        if isinstance(value, torch.Tensor):
            assert value.dtype == b[name].dtype, name
            assert torch.equal(bits(value), bits(b[name])), name
        else:
            assert value == b[name], name


def bits(t: torch.Tensor) -> torch.Tensor:
    return t.contiguous().view(torch.uint8) if t.dim() and t.numel() else t


def expected(data, epoch, batch, sampling=SAMPLING, dtype=None):
    return batch_of(data, sample(data, inputs(data), sampling, epoch, batch), dtype or data.x.dtype)


@pytest.fixture
def store(tmp_path: Path) -> Path:
    data = graph()
    write_store(tmp_path / "store", data, inputs(data), SAMPLING, hot_rows=10, shard_bytes=30_000)
    return tmp_path / "store"


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("width", [1, 7, 100, 128, 1000, 1025])
def test_batches_have_the_bits_of_the_graph_in_memory(tmp_path, width, dtype):
    data = graph(width, dtype)
    write_store(tmp_path / "store", data, inputs(data), SAMPLING, hot_rows=10)
    loader = DiskLoader(tmp_path / "store")
    for epoch in range(SAMPLING.epochs):
        for batch in range(SAMPLING.batches_per_epoch):
            same(loader.batch(epoch, batch), expected(data, epoch, batch))
