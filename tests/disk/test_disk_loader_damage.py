"""Damage of a store is found by the loader that reads it, and named."""

import contextlib
import os
import random
from dataclasses import replace
from pathlib import Path

import pytest

from graphlab.disk.disk_loader import DiskLoader
from graphlab.disk.errors import CorruptStoreError, DiskError
from tests.disk.small_stores import BATCHES, SAMPLING, assert_same, expected, graph, stored


def flip(path: Path, bit: int) -> None:
    content = bytearray(path.read_bytes())
    content[bit // 8] ^= 1 << bit % 8
    path.write_bytes(content)


def test_every_flipped_bit_of_a_batch_is_found_and_the_batch_is_named(tmp_path):
    data = graph(width=3)
    stored(tmp_path / "store", data, replace(SAMPLING, epochs=1), shard_bytes=1 << 30)
    path = tmp_path / "store" / "shard-00000.gls"
    loader = DiskLoader(tmp_path / "store", shuffle=False)
    entries = loader.store.shards[0].entries
    rng = random.Random(0)
    for entry in entries:
        ends = [entry.pack_offset, entry.pack_offset + entry.pack_bytes, entry.offset + entry.extent]
        for start, end in zip([entry.offset, *ends], ends, strict=False):  # record, pack, padding
            for bit in rng.sample(range(8 * start, 8 * end), 12):
                flip(path, bit)
                with pytest.raises(
                    CorruptStoreError, match=rf"batch {entry.batch} of epoch 0 .* 'graphlab disk repair"
                ) as e:
                    loader.batch(0, entry.batch)
                assert e.value.batches == ((0, entry.batch),)
                flip(path, bit)
        assert_same(loader.batch(0, entry.batch), expected(data, 0, entry.batch, replace(SAMPLING, epochs=1)))


def test_a_flipped_bit_reaches_whoever_iterates(store):
    loader = DiskLoader(store, shuffle=False, readers=2)
    shard, entry = loader.store.entry(0, 2)
    flip(loader.store.shard_path(shard), 8 * entry.pack_offset)
    running = iter(loader)
    next(running)
    next(running)
    with pytest.raises(CorruptStoreError, match=r"batch 2 of epoch 0 .* its pack has CRC-32C"):
        next(running)
    assert loader.state_dict()["position"] == 2


def test_without_checksums_a_damaged_record_still_is_no_crash(store):
    loader = DiskLoader(store, verify=False)
    shard, entry = loader.store.entry(0, 0)
    path = loader.store.shard_path(shard)
    flip(path, 8 * entry.pack_offset)
    assert loader.batch(0, 0).x.shape == expected(graph(), 0, 0).x.shape
    rng = random.Random(1)
    for _ in range(200):
        bit = rng.randrange(8 * entry.offset, 8 * entry.pack_offset)
        flip(path, bit)
        with contextlib.suppress(CorruptStoreError):
            loader.batch(0, 0)
        flip(path, bit)


def test_a_damaged_hot_set_is_found(store):
    flip(store / "hot.bin", 100)
    with pytest.raises(CorruptStoreError, match=r"hot\.bin is damaged: CRC-32C .* run 'graphlab disk repair"):
        DiskLoader(store)


def test_a_shard_that_goes_missing_is_named(store):
    loader = DiskLoader(store)
    (store / "shard-00001.gls").unlink()
    epoch, batch = next((e, b) for e, b in BATCHES if loader.store.entry(e, b)[0] == 1)
    with pytest.raises(DiskError, match=rf"batch {batch} of epoch {epoch} can not be read from .*shard-00001"):
        loader.batch(epoch, batch)
    with pytest.raises(CorruptStoreError, match=r"shard-00001\.gls is missing"):
        DiskLoader(store)


def test_features_that_changed_are_found_where_batches_need_them(tmp_path):
    features = tmp_path / "x.bin"
    stored(tmp_path / "packed", features=features)
    info = stored(tmp_path / "online", features=features, mode="online")
    loader = DiskLoader(tmp_path / "online")
    loader.batch(0, 0)
    content = features.read_bytes()
    features.write_bytes(content)
    os.utime(features, ns=(0, 0))
    with pytest.raises(
        CorruptStoreError, match=r"^[^ ]*x\.bin was written to since the loader was opened; open it anew$"
    ):
        loader.batch(0, 0)
    assert_same(DiskLoader(tmp_path / "online").batch(0, 0), expected(graph(), 0, 0))  # the same content is fine
    flip(features, 8 * info.features.size // 2)
    with pytest.raises(CorruptStoreError, match=r"x\.bin has other rows"):
        DiskLoader(tmp_path / "online")
    features.write_bytes(content[:-1])
    with pytest.raises(DiskError, match=r"x\.bin has .* bytes, expected at least"):
        DiskLoader(tmp_path / "online")
    features.unlink()
    with pytest.raises(DiskError, match=r"x\.bin can not be read"):
        DiskLoader(tmp_path / "online")
    assert_same(DiskLoader(tmp_path / "packed").batch(0, 0), expected(graph(), 0, 0))


@pytest.mark.parametrize("verify", [True, False])
def test_errors_of_the_features_do_not_blame_the_batch(tmp_path, verify, monkeypatch):
    features = tmp_path / "x.bin"
    stored(tmp_path / "store", features=features, mode="online", hot_rows=0)
    loader = DiskLoader(tmp_path / "store", verify=verify)
    features.rename(tmp_path / "elsewhere")
    with pytest.raises(DiskError, match=r"^[^ ]*x\.bin can not be read: No such file [^;]*; put the file back") as gone:
        loader.batch(0, 0)
    (tmp_path / "elsewhere").rename(features)
    os.truncate(features, 100)
    monkeypatch.setattr("graphlab.disk.batch_reader._stamp", lambda path: loader._reader._features._stamp)
    with pytest.raises(DiskError, match=r"^[^ ]*x\.bin can not be read: .*; put the file back") as cut:
        loader.batch(0, 0)
    for error in (gone, cut):
        assert "repair" not in str(error.value)
        assert getattr(error.value, "batches", ()) == ()


def test_a_damaged_record_of_an_online_batch_is_the_batchs_fault(tmp_path):
    stored(tmp_path / "store", mode="online")
    loader = DiskLoader(tmp_path / "store", verify=False)
    shard, entry = loader.store.entry(0, 0)
    path = loader.store.shard_path(shard)
    content = bytearray(path.read_bytes())
    content[entry.offset + 64 : entry.pack_offset] = b"\x7f" * (entry.pack_offset - entry.offset - 64)
    path.write_bytes(content)
    with pytest.raises(CorruptStoreError, match=r"batch 0 of epoch 0 .* is damaged: .* 'graphlab disk repair") as error:
        loader.batch(0, 0)
    assert error.value.batches == ((0, 0),)


def test_an_error_of_the_transform_names_the_batch(store):
    def fail(data):
        raise ZeroDivisionError("oops")

    with pytest.raises(ZeroDivisionError, match="oops") as raised:
        next(iter(DiskLoader(store, transform=fail, shuffle=False)))
    assert raised.value.__notes__ == ["in 'transform' of batch 0 of epoch 0"]
