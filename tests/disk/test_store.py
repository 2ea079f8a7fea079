import os
import random
from dataclasses import replace

import pytest
import torch

from graphlab.disk.errors import CorruptStoreError, DiskError, UnsealedStoreError
from graphlab.disk.files import BLOCK
from graphlab.disk.manifest import save_manifest
from graphlab.disk.store import Store
from tests.disk.small_stores import SAMPLING, graph, inputs, stored


@pytest.fixture
def path(tmp_path):
    stored(tmp_path / "store")
    return tmp_path / "store"


def test_every_batch_is_found_in_its_shard(path):
    store = Store(path)
    assert len(store.shards) > 2
    for epoch in range(SAMPLING.epochs):
        for batch in store.batches:
            number, entry = store.entry(epoch, batch)
            assert (entry.epoch, entry.batch) == (epoch, batch)
            assert entry in store.shards[number].entries
            assert store.shard_path(number).exists()


@pytest.mark.parametrize("batch", [(2, 0), (0, 4), (0, -1)])
def test_batches_that_are_not_there_are_told(path, batch):
    with pytest.raises(
        IndexError, match=rf"\({batch[0]}, {batch[1]}\) is no batch of .*epochs 0 to 1 and batches 0 to 3"
    ):
        Store(path).entry(*batch)


def test_files_hold_the_graph(path):
    store, data = Store(path), graph()
    assert torch.equal(store.features.read(0, 60), data.x)
    assert torch.equal(store.attribute("y").read(0, 60), data.y)
    assert torch.equal(store.attribute("input_nodes").read(0, 30), inputs())
    rowptr, col = store.rowptr.read(0, 61), store.col.read(0, 240).long()
    target = torch.arange(60).repeat_interleave(rowptr.diff())
    assert store.perm is not None
    perm = store.perm.read(0, 240).long()
    assert torch.equal(torch.stack([col, target]), data.edge_index[:, perm])
    with pytest.raises(KeyError, match=r"no attribute 'z'; it has edge_attr, input_nodes, train_mask, y"):
        store.attribute("z")


def test_arrays_read_as_a_whole_are_checked(path):
    store = Store(path)
    arrays = {"rowptr.bin": store.rowptr, "col.bin": store.col, "y.bin": store.attribute("y")}
    for name, array in arrays.items():
        assert torch.equal(array.read_checked(), array.read())
        content, times = bytearray((path / name).read_bytes()), (path / name).stat()
        content[-1] ^= 64
        (path / name).write_bytes(content)
        os.utime(path / name, ns=(times.st_atime_ns, times.st_mtime_ns))
        with pytest.raises(CorruptStoreError, match=rf"{name} has other rows .* put the old file back, or prepare"):
            array.read_checked()


def test_a_relative_path_means_the_folder_it_was_given_in(path, monkeypatch):
    monkeypatch.chdir(path.parent)
    store = Store(path.name)
    monkeypatch.chdir("/")
    assert store.path == path
    assert torch.equal(store.attribute("y").read(), graph().y)


def test_no_store_and_no_finished_store_are_told(path):
    with pytest.raises(DiskError, match="holds no store"):
        Store(path / "missing")
    save_manifest(path, {}, sealed=False)
    with pytest.raises(UnsealedStoreError, match="run 'prepare' again"):
        Store(path)


@pytest.mark.parametrize("name", ["shard-00000.gls", "shard-00002.gls", "hot.bin"])
@pytest.mark.parametrize("change", ["missing", "shorter", "longer"])
def test_missing_and_cut_files_are_named(path, name, change):
    file = path / name
    if change == "missing":
        file.unlink()
    else:
        os.truncate(file, file.stat().st_size + (1 if change == "longer" else -1))
    said = "is missing" if change == "missing" else r"has [\d,]+ bytes, expected [\d,]+"
    with pytest.raises(CorruptStoreError, match=rf"{name} {said}; run 'graphlab disk repair'"):
        Store(path)


@pytest.mark.parametrize("where", ["header", "index", "manifest"])
def test_every_flipped_bit_of_header_index_and_manifest_is_found(path, where):
    shard = Store(path).shards[1]
    file = path / ("manifest.json" if where == "manifest" else shard.name)
    content = file.read_bytes()
    start, end = {
        "header": (0, BLOCK),
        "index": (shard.index_offset, shard.size),
        "manifest": (0, len(content)),
    }[where]
    rng = random.Random(0)
    for bit in [*range(8 * start, 8 * start + 64), *rng.sample(range(8 * start, 8 * end), 80)]:
        flipped = bytearray(content)
        flipped[bit // 8] ^= 1 << bit % 8
        file.write_bytes(flipped)
        with pytest.raises(CorruptStoreError, match=r"damaged|version|is not"):
            Store(path)


def test_another_version_is_told(path):
    file = path / "manifest.json"
    file.write_text(file.read_text().replace('"version": 1', '"version": 2'))
    with pytest.raises(CorruptStoreError, match="has format version 2, expected 1"):
        Store(path)


@pytest.mark.parametrize("name", ["shard-00000.gls", "shard-00001.gls"])
def test_a_shard_of_another_store_or_place_is_told(tmp_path, path, name):
    stored(tmp_path / "other", sampling=replace(SAMPLING, seed=6, shuffle=False))
    for other in (tmp_path / "other" / name, path / "shard-00002.gls"):
        (path / name).write_bytes(other.read_bytes())
        with pytest.raises(CorruptStoreError, match=r"is not the shard that the manifest names|expected"):
            Store(path)
