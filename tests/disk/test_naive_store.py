"""What ``prepare`` writes is what the definitions say, byte for byte."""

from dataclasses import replace

import pytest
import torch

from graphlab.disk import prepare
from tests.disk.small_stores import SAMPLING, graph, inputs, stored


@pytest.mark.parametrize("mode", ["packed", "online"])
@pytest.mark.parametrize("rank", [None, 0, 1])
@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_prepare_writes_the_bytes_of_the_definition(tmp_path, dtype, rank, mode):
    data, s = graph(), SAMPLING if rank is None else replace(SAMPLING, rank=rank, world_size=2)
    naive = stored(tmp_path / "naive", data, s, dtype=dtype, mode=mode)
    info = prepare(
        data,
        tmp_path / "store",
        num_neighbors=s.num_neighbors,
        batch_size=s.batch_size,
        input_nodes=inputs(),
        epochs=s.epochs,
        seed=s.seed,
        dtype=dtype,
        mode=mode,
        cache_bytes=naive.hot_rows * naive.row_bytes,
        shard_bytes=15_000,
        rank=s.rank,
        world_size=s.world_size,
    )
    assert info.shards == naive.shards
    for shard in info.shards:
        assert (tmp_path / "store" / shard.name).read_bytes() == (tmp_path / "naive" / shard.name).read_bytes()
    assert info.hot == naive.hot
    assert info.layout == naive.layout
    for name, array in naive.graph.items():
        assert (info.graph[name].dtype, info.graph[name].crc32c) == (array.dtype, array.crc32c)
