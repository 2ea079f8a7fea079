import json
import os
import resource
import shutil
import signal
from pathlib import Path

import numpy as np
import pytest
import torch
from torch_geometric.data import Data

import graphlab.disk.build as build
import graphlab.disk.csc as csc
import graphlab.disk.sampling as sampling
from graphlab.disk import CorruptStoreError, DiskError, DiskFullError, GraphFiles, MemoryBudgetError, prepare
from graphlab.disk.manifest import load_manifest
from graphlab.disk.store import Store
from graphlab.disk.store_info import StoreInfo
from tests.disk.graphs import ARGUMENTS, NODES, awkward, check, content, some_nodes

FLOATS = [torch.float16, torch.bfloat16, torch.float32, torch.float64]


def made(path, data=None, **arguments):
    return prepare(data or awkward(), path, **{**ARGUMENTS, "input_nodes": some_nodes(), **arguments})


@pytest.mark.parametrize("width", [1, 7, 100, 128, 1000, 1025])
def test_stores_hold_what_their_definition_says(tmp_path, width):
    data = awkward(width)
    info = made(tmp_path / "store", data, cache_bytes=30 * 4 * width)
    assert info.hot_rows == 30
    check(tmp_path / "store", info, data, some_nodes(), tmp_path / "naive")
    assert StoreInfo.from_json(load_manifest(tmp_path / "store")) == info


@pytest.mark.parametrize("stored", FLOATS)
@pytest.mark.parametrize("dtype", FLOATS)
def test_rows_are_converted_on_the_way(tmp_path, stored, dtype):
    data = awkward(7, stored)
    info = made(tmp_path / "store", data, dtype=dtype)
    assert info.torch_dtype == dtype
    check(tmp_path / "store", info, data, some_nodes(), tmp_path / "naive", dtype=dtype)


@pytest.mark.parametrize(
    "arguments",
    [
        {"cache_bytes": 0},
        {"cache_bytes": 1 << 40},
        {"mode": "online"},
        {"mode": "online", "cache_bytes": 0},
        {"num_neighbors": [-1, 2, 1]},
        {"num_neighbors": []},
        {"num_neighbors": [5, 3], "replace": True},
        {"shuffle": False, "epochs": 1},
        {"batch_size": 1000},
        {"batch_size": 1, "epochs": 1},
        {"seed": -3, "epochs": 3},
        {"shard_bytes": 1},
        {"rank": 1, "world_size": 3},
    ],
)
def test_arguments_say_what_a_store_holds(tmp_path, arguments):
    data = awkward()
    info = made(tmp_path / "store", data, **arguments)
    shards = {"shard_bytes": arguments["shard_bytes"]} if "shard_bytes" in arguments else {}
    check(tmp_path / "store", info, data, some_nodes(), tmp_path / "naive", **shards)
    Store(tmp_path / "store")


def test_all_hot_leaves_empty_packs_and_nothing_hot_no_table(tmp_path):
    everything, nothing = made(tmp_path / "a", cache_bytes=1 << 40), made(tmp_path / "b", cache_bytes=0)
    assert all(e.pack_bytes == 0 for s in Store(tmp_path / "a").shards for e in s.entries)
    assert everything.hot is not None
    assert nothing.hot is None
    assert not (tmp_path / "b" / "hot.bin").exists()


def test_all_nodes_are_seeds_unless_some_are_named(tmp_path):
    data = awkward()
    info = made(tmp_path / "store", data, input_nodes=None)
    assert info.sampling.num_input == NODES
    made(tmp_path / "all", data, input_nodes=torch.arange(NODES))
    (tmp_path / "all" / "input_nodes.bin").unlink()
    assert content(tmp_path / "store") == content(tmp_path / "all")
    made(tmp_path / "mask", data, input_nodes=data.train_mask)
    made(tmp_path / "ids", data, input_nodes=data.train_mask.nonzero().view(-1))
    assert content(tmp_path / "mask") == content(tmp_path / "ids")


def test_graphs_without_edges_work(tmp_path):
    data = Data(x=torch.randn(9, 2), edge_index=torch.empty(2, 0, dtype=torch.long))
    seeds = torch.arange(9)
    info = made(tmp_path / "store", data, input_nodes=seeds, batch_size=4, cache_bytes=16)
    check(tmp_path / "store", info, data, seeds, tmp_path / "naive")


def test_neither_memory_nor_threads_change_a_byte(tmp_path, monkeypatch):
    made(tmp_path / "plain", workers=1)
    plain = content(tmp_path / "plain")
    for name, rows, batches, unit in (("one", 1, 1, 1), ("few", 17, 3, 5000), ("many", 100, 5, 1 << 20)):
        monkeypatch.setattr(build, "partition_rows", lambda *_, rows=rows: rows)
        monkeypatch.setattr(sampling, "MOST_BATCHES", batches)
        monkeypatch.setattr(build, "_UNIT_BYTES", unit)
        made(tmp_path / name, workers={"one": 2, "few": 4, "many": 1}[name])
        assert content(tmp_path / name) == plain


def test_a_streamed_graph_gives_the_same_bytes(tmp_path, monkeypatch):
    made(tmp_path / "plain")
    lookup = build.Lookup
    monkeypatch.setattr(build, "Lookup", lambda array, load: lookup(array, load=False))
    said = []
    made(tmp_path / "streamed", progress=said.append)
    assert any("do not fit in memory" in line for line in said)
    assert content(tmp_path / "streamed") == content(tmp_path / "plain")


def test_files_and_memory_give_the_same_store(tmp_path):
    data = awkward()
    for name in ("x", "edge_index", "y", "train_mask", "weight"):
        np.save(tmp_path / f"{name}.npy", data[name].numpy())
    files = GraphFiles(
        tmp_path / "x.npy",
        tmp_path / "edge_index.npy",
        y=tmp_path / "y.npy",
        train_mask=tmp_path / "train_mask.npy",
        edge_weight=tmp_path / "weight.npy",
        input_nodes=some_nodes(),
    )
    data.edge_weight = data.weight
    del data.weight
    info = made(tmp_path / "files", files, input_nodes=None)
    memory = made(tmp_path / "memory", data)
    assert info.features.path == str(tmp_path / "x.npy")
    assert info.features.crc32c == memory.features.crc32c
    assert info.attributes["y"].crc32c == memory.attributes["y"].crc32c
    ours, theirs = content(tmp_path / "files"), content(tmp_path / "memory")
    assert theirs.keys() - ours.keys() == {"features.bin", "y.bin", "train_mask.bin", "edge_weight.bin"}
    assert all(theirs[name] == ours[name] for name in ours)


def test_features_are_read_once(tmp_path, monkeypatch):
    np.save(tmp_path / "x.npy", np.random.default_rng(0).standard_normal((40_000, 64), np.float32))
    edges = torch.randint(40_000, (2, 50_000), generator=torch.Generator().manual_seed(0))
    monkeypatch.setattr(build, "partition_rows", lambda *_: 9_000)
    total, preadv = [0], os.preadv

    def counted(fd, buffers, offset):
        got = preadv(fd, buffers, offset)
        if Path(f"/proc/self/fd/{fd}").resolve().name == "x.npy":
            total[0] += got
        return got

    monkeypatch.setattr(os, "preadv", counted)
    info = prepare(
        GraphFiles(tmp_path / "x.npy", edges), tmp_path / "store", num_neighbors=[4], batch_size=5000, mode="packed"
    )
    assert info.hot_rows == 4000
    assert 1 <= total[0] / (40_000 * 256) <= 1.05


def test_ranks_share_what_one_store_holds(tmp_path):
    made(tmp_path / "whole")
    whole, pieces = Store(tmp_path / "whole"), {}
    for rank in range(3):
        made(tmp_path / str(rank), rank=rank, world_size=3)
        store = Store(tmp_path / str(rank))
        pieces |= _batches(store)
        assert store.info.hot == whole.info.hot
        assert (tmp_path / str(rank) / "hot.bin").read_bytes() == (tmp_path / "whole" / "hot.bin").read_bytes()
    assert pieces == _batches(whole)


def _batches(store):
    return {
        (e.epoch, e.batch): store.shard_path(s.number).read_bytes()[e.offset : e.offset + e.extent]
        for s in store.shards
        for e in s.entries
    }


def test_a_finished_store_is_returned_at_once_and_never_changed(tmp_path):
    info = made(tmp_path / "store")
    before = {p.name: p.stat().st_mtime_ns for p in (tmp_path / "store").iterdir()}
    assert made(tmp_path / "store", workers=1, memory_budget=1 << 40) == info
    assert {p.name: p.stat().st_mtime_ns for p in (tmp_path / "store").iterdir()} == before
    with pytest.raises(DiskError, match="holds a finished store of other arguments: 'batch_size' is 16, it was 15"):
        made(tmp_path / "store", batch_size=16)
    changed = awkward()
    changed.y[3] += 1
    with pytest.raises(DiskError, match="'data' has another 'y'; give the same arguments, another 'out', or delete"):
        made(tmp_path / "store", changed)
    assert {p.name: p.stat().st_mtime_ns for p in (tmp_path / "store").iterdir()} == before


def test_unfinished_work_is_gone_on_with_or_refused(tmp_path, monkeypatch):
    made(tmp_path / "plain")

    def fail(*_, **__):
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(build, "seal_shard", fail)
        with pytest.raises(KeyboardInterrupt):
            made(tmp_path / "store")
    with pytest.raises(DiskError, match="holds an unfinished store of other arguments: 'seed' is 1, it was 0"):
        made(tmp_path / "store", seed=1)
    with monkeypatch.context() as patch:
        for name in ("pack_rows", "make_plan", "neighbor_sample_batches"):
            patch.setattr(sampling if "sample" in name else build, name, fail)
        made(tmp_path / "store")
    assert content(tmp_path / "store") == content(tmp_path / "plain")


def test_other_directories_are_left_alone(tmp_path):
    (tmp_path / "letter.txt").write_text("dear")
    with pytest.raises(DiskError, match=r"holds no store but other files \(letter.txt"):
        made(tmp_path)
    assert [p.name for p in tmp_path.iterdir()] == ["letter.txt"]


def test_two_at_once_are_refused(tmp_path, monkeypatch):
    messages = []

    def meanwhile(_):
        try:
            made(tmp_path / "store", progress=lambda _: None)
        except DiskError as error:
            messages.append(str(error))

    made(tmp_path / "store", progress=meanwhile)
    assert messages and all("another process prepares" in m for m in messages)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"batch_size": 0}, "'batch_size' must be an integer from 1 on, got 0"),
        ({"batch_size": None}, "'batch_size' must be an integer from 1 on, got None"),
        ({"epochs": 1.5}, "'epochs' must be an integer from 1 on, got 1.5"),
        ({"num_neighbors": [-2]}, "'num_neighbors' must hold integers from -1"),
        ({"input_nodes": torch.tensor([NODES])}, f"'input_nodes' has id {NODES} at place 0"),
        ({"input_nodes": torch.tensor([], dtype=torch.long)}, "'input_nodes' is empty"),
        ({"dtype": "float8"}, "'dtype' must be one of float16, bfloat16, float32, float64, got 'float8'"),
        ({"dtype": torch.int64}, "'dtype' must be one of"),
        ({"mode": "fast"}, "'mode' must be one of 'auto', 'packed', 'online', got 'fast'"),
        ({"cache_bytes": -1}, "'cache_bytes' must be an integer from 0 on, got -1"),
        ({"memory_budget": 0}, "'memory_budget' must be an integer from 1 on, got 0"),
        ({"workers": 0}, "'workers' must be an integer from 1 on, got 0"),
        ({"rank": 2, "world_size": 2}, r"'rank' must lie in \[0, 2\)"),
        ({"world_size": 99, "rank": 98}, "'world_size' 99 is more than the 5 batches of an epoch"),
        ({"seed": 2**63}, "'seed' must be an integer of 64 bits"),
        ({"shard_bytes": 0}, "'shard_bytes' must be an integer from 1 on"),
        ({"planned_epochs": 0}, "'planned_epochs' must be an integer from 1 on"),
    ],
)
def test_wrong_arguments_are_named_before_anything_is_written(tmp_path, arguments, message):
    with pytest.raises(ValueError, match=message):
        made(tmp_path / "store", **arguments)
    assert not (tmp_path / "store").exists()


def test_attributes_do_not_hide_what_a_batch_has(tmp_path):
    data = awkward()
    data.place = torch.zeros(NODES)
    with pytest.raises(ValueError, match="an attribute 'place'"):
        made(tmp_path / "store", data)


def test_too_little_memory_says_how_much_would_do(tmp_path):
    with pytest.raises(MemoryBudgetError, match=r"'memory_budget' is 1,000 bytes.*the least that works is [\d,]+"):
        made(tmp_path / "store", memory_budget=1000)
    made(tmp_path / "store")


def test_values_that_do_not_fit_a_dtype_are_named(tmp_path):
    data = awkward()
    data.x[17, 3] = 7e4
    with pytest.raises(DiskError, match=r"'dtype' float16 can not hold 70000\.0 of row 17"):
        made(tmp_path / "store", data, dtype="float16")
    data.x[17, 3] = torch.inf
    made(tmp_path / "infinite", data, dtype="float16")


def test_a_full_disk_is_found_before_work_starts(tmp_path, monkeypatch):
    made(tmp_path / "plain")
    statvfs = os.statvfs

    def full(path):
        stat = list(statvfs(path))
        stat[3] = stat[4] = 1
        return os.statvfs_result(stat)

    with monkeypatch.context() as patch:
        patch.setattr(os, "statvfs", full)
        with pytest.raises(DiskFullError, match=r"needs [\d,]+ bytes, [\d,]+ bytes are free") as raised:
            made(tmp_path / "store")
        assert raised.value.needed > raised.value.free > 0
    made(tmp_path / "store")
    assert content(tmp_path / "store") == content(tmp_path / "plain")


def test_a_limit_on_files_is_found_before_packs_are_written(tmp_path):
    data = awkward(1025)
    limits, handler = resource.getrlimit(resource.RLIMIT_FSIZE), signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1 << 20, limits[1]))
    try:
        with pytest.raises(DiskFullError, match=r"shard-00000.gls needs [\d,]+ bytes"):
            made(tmp_path / "store", data)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
        signal.signal(signal.SIGXFSZ, handler)
    info = made(tmp_path / "store", data)
    check(tmp_path / "store", info, data, some_nodes(), tmp_path / "naive")


def test_the_disk_budget_holds_and_the_way_out_is_named(tmp_path):
    with pytest.raises(DiskFullError, match=r"raise 'disk_budget', or lower 'epochs'"):
        made(tmp_path / "store", disk_budget=100_000)
    with pytest.raises(DiskFullError, match=r"'disk_budget', or give more 'cache_bytes'.*mode='online'") as raised:
        made(tmp_path / "packs", awkward(1025), disk_budget=3_000_000)
    info = made(tmp_path / "packs", awkward(1025), disk_budget=raised.value.needed)
    assert info.plan["needed"] == raised.value.needed


@pytest.mark.parametrize("edges", ["array", "text"])
def test_the_disk_budget_holds_from_the_first_file_on(tmp_path, edges):
    data = awkward(64)
    np.save(tmp_path / "x.npy", data.x.numpy())
    np.savetxt(tmp_path / "edges.csv", data.edge_index.T.numpy(), "%d", delimiter=",")
    files = GraphFiles(tmp_path / "x.npy", data.edge_index if edges == "array" else tmp_path / "edges.csv")
    for given in (data, files):
        with pytest.raises(DiskFullError, match=r"needs [\d,]+ bytes, 16,000 bytes are free; raise 'disk_budget'"):
            made(tmp_path / "store", given, input_nodes=None, disk_budget=16_000)
        held = sum(p.stat().st_blocks * 512 for p in (tmp_path / "store").rglob("*") if p.is_file())
        assert held <= 16_000
        shutil.rmtree(tmp_path / "store")


def test_auto_decides_once_and_says_why(tmp_path, monkeypatch):
    said = []

    def fail(*_, **__):
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(build, "pack_rows", fail)
        with pytest.raises(KeyboardInterrupt):
            made(tmp_path / "store", mode="auto", progress=said.append)
    body = json.loads((tmp_path / "store" / "manifest.json").read_text())["body"]
    monkeypatch.setattr(build, "probe", fail)
    info = made(tmp_path / "store", mode="auto")
    assert info.mode == body["plan"]["mode"]
    assert info.plan == body["plan"]
    assert any(f"mode '{info.mode}': " in line for line in said)


def test_features_that_change_meanwhile_are_noticed(tmp_path):
    np.save(tmp_path / "x.npy", awkward().x.numpy())

    def touch(line):
        if line.startswith("packed"):
            os.utime(tmp_path / "x.npy", ns=(1, 1))

    with pytest.raises(DiskError, match=r"x\.npy was written to while the store was made"):
        made(tmp_path / "store", GraphFiles(tmp_path / "x.npy", awkward().edge_index), progress=touch)


class Stop(Exception):
    """Stands for a crash."""


def stopped(patch, name):
    """Have the work end where a stage of it begins."""

    def stop(*_):
        raise Stop

    patch.setattr(build.Build, name, stop)


def flip(path, at=40):
    """Change a bit and leave no trace of when."""
    stat, content = path.stat(), bytearray(path.read_bytes())
    content[at] ^= 1
    path.write_bytes(content)
    os.utime(path, ns=(stat.st_atime_ns, stat.st_mtime_ns))


ALL_FILES = ["features.bin", "y.bin", "weight.bin", "input_nodes.bin", "rowptr.bin", "col.bin", "perm.bin"]


@pytest.mark.parametrize("stage", ["_sample", "_find_cold", "_finish"])
@pytest.mark.parametrize("name", ALL_FILES)
def test_damage_while_work_rests_is_noticed(tmp_path, monkeypatch, stage, name):
    with monkeypatch.context() as patch:
        stopped(patch, stage)
        with pytest.raises(Stop):
            made(tmp_path / "store")
    flip(tmp_path / "store" / name)
    with pytest.raises(CorruptStoreError, match=rf"{name} has other rows .*; delete {tmp_path}/store and prepare anew"):
        made(tmp_path / "store")
    flip(tmp_path / "store" / name)
    made(tmp_path / "store")


@pytest.mark.parametrize(
    ("stage", "name"),
    [("_pack", "features.bin"), *(("_sampler", name) for name in ("rowptr.bin", "col.bin", "perm.bin", "y.bin"))],
)
def test_damage_between_stages_is_noticed(tmp_path, monkeypatch, stage, name):
    work = getattr(build.Build, stage)

    def damaged(*args):
        flip(tmp_path / "store" / name)
        return work(*args)

    monkeypatch.setattr(build.Build, stage, damaged)
    with pytest.raises(CorruptStoreError, match=rf"{name} (has other rows|is damaged: its rows)"):
        made(tmp_path / "store")


@pytest.mark.parametrize("name", ["rowptr.bin", "col.bin", "perm.bin", "y.bin"])
def test_files_of_the_store_that_are_written_to_meanwhile_are_noticed(tmp_path, monkeypatch, name):
    def touch(line):
        if line.startswith("packed"):
            os.utime(tmp_path / "store" / name, ns=(1, 1))

    with pytest.raises(DiskError, match=f"{name} was written to while the store was made"):
        made(tmp_path / "store", progress=touch)


@pytest.mark.parametrize("stage", ["_count", "_distribute"])
@pytest.mark.parametrize("form", ["edges.npy", "edges.csv"])
def test_edges_that_change_meanwhile_are_noticed(tmp_path, monkeypatch, stage, form):
    data, path, work = awkward(), tmp_path / form, getattr(csc._Builder, stage)

    def write(edge_index):
        if form == "edges.npy":
            np.save(path, edge_index)
        else:
            np.savetxt(path, edge_index.T, "%d", delimiter=",")

    def changed(*args):
        write(data.edge_index.numpy()[:, ::-1])
        return work(*args)

    write(data.edge_index.numpy())
    os.utime(path, ns=(1, 1))
    with monkeypatch.context() as patch:
        patch.setattr(csc._Builder, stage, changed)
        with pytest.raises(DiskError, match=f"{form} was written to while the store was made"):
            made(tmp_path / "store", GraphFiles(data.x, path))


@pytest.mark.parametrize("name", ["shard-00000.gls", "hot.bin"])
@pytest.mark.parametrize("size", [None, 100])
def test_files_that_were_lost_while_work_rests_are_noticed(tmp_path, monkeypatch, name, size):
    with monkeypatch.context() as patch:
        stopped(patch, "_finish")
        with pytest.raises(Stop):
            made(tmp_path / "store")
    if size is None:
        (tmp_path / "store" / name).unlink()
    else:
        os.truncate(tmp_path / "store" / name, size)
    with pytest.raises(CorruptStoreError, match=rf"{name} is gone or cut short .*; delete {tmp_path}/store and"):
        made(tmp_path / "store")


def test_too_many_shards_become_fewer(tmp_path, monkeypatch):
    monkeypatch.setattr(build, "_MOST_SHARDS", 3)
    info, said = made(tmp_path / "few", shard_bytes=1), []
    shard_bytes = info.plan["shard_bytes"]
    assert 1 < len(info.shards) <= 3
    check(tmp_path / "few", info, awkward(), some_nodes(), tmp_path / "naive", shard_bytes=shard_bytes)
    with monkeypatch.context() as patch:
        stopped(patch, "_write_records")
        with pytest.raises(Stop):
            made(tmp_path / "again", shard_bytes=1, progress=said.append)
    assert any("since smaller ones are too many files" in line for line in said)
    made(tmp_path / "again", shard_bytes=1)
    assert content(tmp_path / "again") == content(tmp_path / "few")
    assert made(tmp_path / "enough", shard_bytes=shard_bytes).plan["shard_bytes"] is None


def test_more_shards_than_files_may_be_open(tmp_path):
    limits = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (len(list(Path("/proc/self/fd").iterdir())) + 30, limits[1]))
    lowered = resource.getrlimit(resource.RLIMIT_NOFILE)
    try:
        info = made(tmp_path / "store", batch_size=1, shard_bytes=1)
        assert resource.getrlimit(resource.RLIMIT_NOFILE) == lowered
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, limits)
    assert len(info.shards) == 128
