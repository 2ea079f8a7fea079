import hashlib
import importlib
import os
import random
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from torch_geometric.data import Data

from graphlab.disk import prepare
from graphlab.disk.disk_loader import DiskLoader
from graphlab.disk.errors import CorruptStoreError, DiskError
from graphlab.disk.files import BLOCK
from graphlab.disk.lookup import Lookup
from graphlab.disk.memory import SLACK, give_back, resident
from graphlab.disk.repair import repair
from graphlab.disk.store import Store
from graphlab.disk.streaming import StreamingSampler
from graphlab.disk.verify import verify
from tests.disk.small_stores import SAMPLING, assert_same, expected, graph, inputs, stored

# The room's name `repair` is the function.
MODULE = importlib.import_module("graphlab.disk.repair")


@pytest.fixture(params=["packed", "online", "features outside", "streamed"])
def path(request, tmp_path, monkeypatch):
    if request.param == "streamed":
        monkeypatch.setattr("graphlab.disk.rebuild.Lookup", lambda array, load: Lookup(array, load=False))
    outside = {"features": tmp_path / "x.bin"} if request.param == "features outside" else {}
    stored(tmp_path / "store", mode="online" if request.param == "online" else "packed", **outside)
    return tmp_path / "store"


def contents(path: Path) -> dict[str, bytes]:
    return {file.name: file.read_bytes() for file in sorted(path.iterdir())}


def stamps(path: Path) -> dict[str, tuple[int, int]]:
    return {file.name: (file.stat().st_mtime_ns, file.stat().st_ino) for file in path.iterdir()}


def flip(file: Path, bit: int) -> None:
    with file.open("r+b") as opened:
        opened.seek(bit // 8)
        (byte,) = opened.read(1)
        opened.seek(bit // 8)
        opened.write(bytes([byte ^ 1 << bit % 8]))


def check_repair(path: Path, intact: dict[str, bytes], touched: set[str]) -> None:
    """Repair, and look whether all bytes are back and only the damaged files were written to."""
    before = stamps(path)
    result = repair(path)
    assert result.ok, str(result)
    assert contents(path) == intact
    after = stamps(path)
    assert {name for name in after if after[name] != before.get(name)} == touched
    assert verify(path).ok
    assert repair(path).repaired == ()


def test_an_intact_store_is_said_to_be_so_and_left_alone(path):
    report = verify(path, threads=3)
    assert (report.ok, report.batches) == (True, ())
    files = [*path.iterdir(), *path.parent.glob("x.bin")]
    # All but the manifest, and header and index of the shards, which are read as such.
    assert 0.4 * sum(f.stat().st_size for f in files) < report.bytes_read < sum(f.stat().st_size for f in files)
    assert "intact" in str(report)
    check_repair(path, contents(path), set())


@pytest.mark.parametrize("part", ["record", "pack", "both"])
def test_damaged_batches_are_named_and_made_again(path, part):
    intact, store, rng = contents(path), Store(path), random.Random(0)
    for epoch, batch in [(0, 0), (0, 3), (1, 2)]:
        number, entry = store.entry(epoch, batch)
        file = store.shard_path(number)
        parts = {"record": (entry.offset, entry.pack_offset), "pack": (entry.pack_offset, entry.offset + entry.extent)}
        wanted = ["record", "pack"] if part == "both" else [part]
        bits = [rng.randrange(8 * parts[p][0], 8 * parts[p][1]) for p in wanted]
        for bit in bits:
            flip(file, bit)
        report = verify(path)
        assert [(d.part, d.file, d.batch) for d in report.damages] == [(p, file.name, (epoch, batch)) for p in wanted]
        assert report.batches == ((epoch, batch),)
        assert f"{file.name}: batch {batch} of epoch {epoch}: {wanted[0]}: CRC-32C" in str(report)
        check_repair(path, intact, {file.name})


def test_every_flipped_bit_of_a_store_is_found_and_mended_or_told(path):
    intact, rng = contents(path), random.Random(1)
    for name, content in intact.items():
        mended = name.startswith("shard") or name == "hot.bin"
        for bit in rng.sample(range(8 * len(content)), 10):
            flip(path / name, bit)
            report = verify(path)
            assert [d.file for d in report.damages] == [name]
            if mended:
                check_repair(path, intact, {name})
                continue
            before = contents(path)
            result = repair(path)
            assert (result.repaired, len(result.left)) == ((), 1)
            assert "prepare the store anew" in result.left[0].message
            assert contents(path) == before
            flip(path / name, bit)


@pytest.mark.parametrize("where", ["header", "index", "both", "cut", "longer"])
def test_indices_are_made_again_from_the_records(path, where, monkeypatch):
    intact, shard = contents(path), Store(path).shards[1]
    file = path / shard.name
    if where in ("header", "both"):
        flip(file, 70)
    if where in ("index", "both"):
        flip(file, 8 * shard.index_offset + 3)
    if where in ("cut", "longer"):
        os.truncate(file, shard.size + (100 if where == "longer" else -100))
    (damage,) = verify(path).damages
    assert (damage.part, damage.file, damage.batch) == ("index", shard.name, None)
    assert "its batches are intact" in damage.message
    # No batch is made anew for that.
    monkeypatch.setattr(MODULE, "BatchSource", None)
    check_repair(path, intact, {shard.name})


@pytest.mark.parametrize(
    "change", ["missing", "empty", "cut", "index and a record", "index and a pack", "header zeroed"]
)
@pytest.mark.parametrize("number", [0, 1, 2])
def test_shards_are_made_again(path, change, number):
    intact, shard = contents(path), Store(path).shards[number]
    file, entry = path / shard.name, shard.entries[-1]
    if change == "missing":
        file.unlink()
    elif change in ("empty", "cut"):
        os.truncate(file, 0 if change == "empty" else entry.offset + 100)
    elif change == "header zeroed":
        with file.open("r+b") as opened:
            opened.write(bytes(BLOCK))
    else:
        flip(file, 8 * shard.index_offset)
        flip(file, 8 * (entry.offset if change.endswith("record") else entry.pack_offset) + 320)
    (damage,) = verify(path).damages
    assert (damage.part, damage.file) == ("index", shard.name)
    if change != "header zeroed":
        assert "so is at least one of its batches" in damage.message
    check_repair(path, intact, {shard.name})


def test_all_at_once(path):
    intact, store = contents(path), Store(path)
    for shard in store.shards[:2]:
        (path / shard.name).unlink()
    flip(path / store.shards[2].name, 8 * store.shards[2].entries[0].offset + 500)
    (path / "hot.bin").unlink()
    assert len(verify(path).damages) == 4
    check_repair(path, intact, {s.name for s in store.shards} | {"hot.bin"})


@pytest.mark.parametrize("change", ["missing", "cut", "flipped"])
def test_the_hot_set_is_made_again(path, change):
    intact, file = contents(path), path / "hot.bin"
    if change == "missing":
        file.unlink()
    elif change == "cut":
        os.truncate(file, 10)
    else:
        flip(file, 1000)
    (damage,) = verify(path).damages
    assert (damage.part, damage.file) == ("hot", "hot.bin")
    check_repair(path, intact, {"hot.bin"})


@pytest.mark.parametrize("rank", [0, 1])
def test_the_store_of_one_rank_counts_the_batches_of_all(tmp_path, rank):
    # Two batches, so that neither rank's batch holds all the hot nodes.
    sampling = replace(SAMPLING, epochs=1, batch_size=15, rank=rank, world_size=2)
    stored(tmp_path / "store", graph(), sampling, hot_rows=35)
    intact = contents(tmp_path / "store")
    (entry,) = Store(tmp_path / "store").shards[0].entries
    flip(tmp_path / "store" / "shard-00000.gls", 8 * entry.offset + 8 * 64)
    (tmp_path / "store" / "hot.bin").unlink()
    check_repair(tmp_path / "store", intact, {"shard-00000.gls", "hot.bin"})


def test_what_prepare_wrote_is_made_again(tmp_path):
    data, path = graph(width=100, dtype=torch.float16), tmp_path / "store"
    prepare(data, path, num_neighbors=[4, 4], batch_size=16, epochs=2, cache_bytes=2000, mode="packed")
    intact, shard = contents(path), Store(path).shards[0]
    flip(path / shard.name, 8 * shard.entries[1].offset + 999)
    flip(path / shard.name, 8 * shard.entries[2].pack_offset + 999)
    flip(path / "hot.bin", 5)
    check_repair(path, intact, {shard.name, "hot.bin"})
    (path / shard.name).unlink()
    check_repair(path, intact, {shard.name})


def test_edges_that_do_not_fit_in_the_budget_are_streamed(tmp_path, monkeypatch):
    g, path = torch.Generator().manual_seed(0), tmp_path / "store"
    data = Data(x=torch.randn(1000, 4, generator=g), edge_index=torch.randint(1000, (2, 6_000_000), generator=g))
    prepare(data, path, num_neighbors=[3, 3], batch_size=16, input_nodes=torch.arange(64), mode="packed")
    intact, (entry, *_) = contents(path), Store(path).shards[0].entries
    del data
    flip(path / "shard-00000.gls", 8 * entry.offset + 1600)
    give_back()
    result = repair(path, memory_budget=resident() + (24 << 20))
    assert [d.part for d in result.left] == ["record"]
    assert "could not be repaired: 'memory_budget' is" in str(result)
    give_back()
    used = []
    monkeypatch.setattr("graphlab.disk.rebuild.StreamingSampler", lambda *a: used.append(a) or StreamingSampler(*a))
    result = repair(path, memory_budget=resident() + SLACK + (34 << 20))
    assert result.ok, str(result)
    assert len(used) == 1
    assert contents(path) == intact


@pytest.mark.parametrize("change", ["missing", "cut", "flipped"])
@pytest.mark.parametrize("name", ["x.bin", "col.bin", "y.bin"])
def test_what_repair_can_not_mend_is_not_its_to_mend(tmp_path, name, change):
    path = tmp_path / "store"
    stored(path, features=tmp_path / "x.bin")
    file = tmp_path / "x.bin" if name == "x.bin" else path / name
    if change == "missing":
        file.unlink()
    elif change == "cut":
        os.truncate(file, 10)
    else:
        flip(file, 100)
    report = verify(path)
    (damage,) = report.damages
    assert not report.repairable
    assert "disk repair" not in damage.message
    assert damage.message.count("put the file back, or prepare the store anew; ") == 1
    assert repair(path).left == report.damages
    (path / "hot.bin").unlink()
    assert verify(path).repairable


# -- what can not be repaired --------------------------------------------------------------------------------


def test_features_that_changed_are_told_and_nothing_false_is_written(tmp_path):
    path, features = tmp_path / "store", tmp_path / "x.bin"
    stored(path, features=features)
    old, entry = features.read_bytes(), Store(path).shards[0].entries[0]
    shard = path / "shard-00000.gls"
    intact = contents(path)
    features.write_bytes(bytes(len(old)))
    flip(shard, 8 * entry.pack_offset)
    flip(shard, 8 * entry.offset + 8 * 64)
    damaged = contents(path)
    assert [d.part for d in verify(path).damages] == ["record", "pack", "features"]
    result = repair(path)
    assert not result.ok
    assert result.repaired == ()
    assert "graph, attributes or features changed" in str(result)
    assert "put the file back, or prepare the store anew" in result.left[-1].message
    assert contents(path) == damaged
    features.unlink()
    result = repair(path)
    assert "can not be read" in str(result)
    assert contents(path) == damaged
    features.write_bytes(old)
    os.utime(features, ns=(1, 1))
    check_repair(path, intact, {shard.name})


def test_records_do_not_need_the_features(tmp_path):
    path = tmp_path / "store"
    stored(path, features=tmp_path / "x.bin")
    intact, entry = contents(path), Store(path).shards[0].entries[0]
    (tmp_path / "x.bin").unlink()
    flip(path / "shard-00000.gls", 8 * entry.offset + 8 * 64)
    result = repair(path)
    assert [d.part for d in result.repaired] == ["record"]
    assert [d.part for d in result.left] == ["features"]
    assert contents(path) == intact


@pytest.mark.parametrize("name", ["rowptr.bin", "col.bin", "perm.bin", "y.bin", "input_nodes.bin"])
def test_packs_do_not_need_the_graph(path, name):
    intact, entry = contents(path), Store(path).shards[0].entries[0]
    (path / name).unlink()
    flip(path / "shard-00000.gls", 8 * entry.pack_offset)
    result = repair(path)
    assert [d.part for d in result.repaired] == ["pack"]
    assert [d.file for d in result.left] == [name]
    assert {**contents(path), name: intact[name]} == intact
    assert_same(DiskLoader(path).batch(0, 0), expected(graph(), 0, 0))


def test_a_damaged_graph_makes_no_false_records(path):
    entry = Store(path).shards[0].entries[0]
    flip(path / "shard-00000.gls", 8 * entry.offset + 8 * 64)
    content = (path / "col.bin").read_bytes()
    for damaged in (bytes(len(content)), b"\xff" * len(content)):
        (path / "col.bin").write_bytes(damaged)
        before = contents(path)
        result = repair(path)
        assert [d.part for d in result.left] == ["record", "graph"]
        assert "could not be repaired" in result.left[0].message
        assert contents(path) == before


def test_a_damaged_manifest_is_told(path):
    flip(path / "manifest.json", 4000)
    before = contents(path)
    (damage,) = verify(path).damages
    assert (damage.part, damage.file) == ("manifest", "manifest.json")
    result = repair(path)
    assert "prepare the store anew" in str(result)
    assert contents(path) == before


def test_a_write_that_fails_leaves_the_old_file(path, monkeypatch):
    shard = Store(path).shards[0]
    flip(path / shard.name, 8 * shard.index_offset)
    flip(path / shard.name, 8 * shard.entries[0].offset + 320)
    before = contents(path)

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(MODULE, "write_fully", full)
    result = repair(path)
    assert "No space left on device" in str(result)
    assert contents(path) == before


def test_no_store_is_told(tmp_path):
    for function in (verify, repair):
        with pytest.raises(DiskError, match="holds no store"):
            function(tmp_path)


def test_the_loader_reads_what_was_repaired(path):
    shard = Store(path).shards[0]
    for entry in shard.entries:
        flip(path / shard.name, 8 * entry.offset + 800)
    with pytest.raises(CorruptStoreError):
        list(DiskLoader(path))
    assert repair(path).ok
    loader, data = DiskLoader(path), graph()
    for epoch in range(SAMPLING.epochs):
        for batch in range(SAMPLING.batches_per_epoch):
            assert_same(loader.batch(epoch, batch), expected(data, epoch, batch))


def test_digest_of_a_repaired_store_is_the_old_one(tmp_path):
    """The same, for a store of rows of several blocks and the last file of it."""
    path = tmp_path / "store"
    stored(path, graph(width=1025, dtype=torch.float64), hot_rows=3)
    digest = {n: hashlib.sha256(c).hexdigest() for n, c in contents(path).items()}
    last = Store(path).shards[-1]
    flip(path / last.name, 8 * (last.entries[-1].pack_offset + last.entries[-1].pack_bytes - 1))
    assert repair(path).ok
    assert {n: hashlib.sha256(c).hexdigest() for n, c in contents(path).items()} == digest
    assert inputs().numel() == SAMPLING.num_input
