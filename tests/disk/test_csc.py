import os
import signal
import subprocess
import sys

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from graphlab.disk import DiskError, DiskFullError, MemoryBudgetError
from graphlab.disk.array_file import ArrayFile
from graphlab.disk.csc import _Builder, build_csc
from graphlab.ops import csr_from_coo

MEMORY = 32 << 20


def in_memory(edge_index, num_nodes):
    rowptr, perm = csr_from_coo(edge_index[1].contiguous(), num_nodes)
    return {"rowptr": rowptr, "col": edge_index[0][perm].int(), "perm": perm.int()}


def read(graph, root):
    return {name: ArrayFile(info, root).read(0, info.shape[0]) for name, info in graph.items()}


def check(edge_index, num_nodes, out, edges=None):
    expected = in_memory(edge_index, num_nodes)
    graph = build_csc(edge_index if edges is None else edges, num_nodes, out, MEMORY)
    found = read(graph, out)
    if "perm" not in graph:
        assert torch.equal(expected.pop("perm").long(), torch.arange(edge_index.shape[1]))
    assert found.keys() == expected.keys()
    for name, array in found.items():
        assert array.dtype == expected[name].dtype and torch.equal(array, expected[name]), name
        ArrayFile(graph[name], out).check_content()
    assert {path.name for path in out.iterdir()} == {f"{name}.bin" for name in graph}


@pytest.mark.parametrize("change", [0, 4, -1, 99])
def test_edges_that_are_others_the_second_time_are_noticed(tmp_path, monkeypatch, change):
    edge_index, distribute = torch.tensor([[0, 1, 2, 3], [4, 3, 3, 0]]), _Builder._distribute
    monkeypatch.setattr("graphlab.disk.csc._MOST_OF_A_BUCKET", 2)

    def changed(*args):
        edge_index[1, 1] = change
        return distribute(*args)

    monkeypatch.setattr(_Builder, "_distribute", changed)
    with pytest.raises(DiskError, match="the edges were others when they were read again"):
        build_csc(edge_index, 5, tmp_path, MEMORY)
    assert not list(tmp_path.glob("*scratch*"))


@pytest.fixture
def small_steps(monkeypatch):
    """Blocks and buckets of a few edges, as if the graph were huge."""

    def set_to(block, bucket):
        monkeypatch.setattr("graphlab.disk.csc._MOST_OF_A_BLOCK", block)
        monkeypatch.setattr("graphlab.disk.csc._MOST_OF_A_BUCKET", bucket)

    return set_to


@given(st.data())
@settings(max_examples=60)
def test_bits_are_those_of_memory_whatever_the_steps(tmp_path_factory, data):
    num_nodes = data.draw(st.integers(1, 30))
    # Few targets make hubs, many make isolated nodes.
    targets = data.draw(st.integers(1, num_nodes))
    num_edges = data.draw(st.integers(0, 120))
    generator = torch.Generator().manual_seed(data.draw(st.integers(0, 9)))
    src = torch.randint(0, num_nodes, (num_edges,), generator=generator)
    dst = torch.randint(0, targets, (num_edges,), generator=generator)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("graphlab.disk.csc._MOST_OF_A_BLOCK", data.draw(st.integers(1, 50)))
        patch.setattr("graphlab.disk.csc._MOST_OF_A_BUCKET", data.draw(st.integers(1, 50)))
        check(torch.stack([src, dst]), num_nodes, tmp_path_factory.mktemp("csc"))


@pytest.mark.parametrize("form", ["npy", "npy pairs", "npy int32", "fortran", "csv.gz"])
def test_edges_in_files_give_the_same(tmp_path, small_steps, form):
    small_steps(64, 100)
    edge_index = torch.randint(0, 50, (2, 1000))
    path = tmp_path / f"edges.{form if form == 'csv.gz' else 'npy'}"
    array = edge_index.numpy()
    if form == "csv.gz":
        np.savetxt(path, array.T, fmt="%d", delimiter=",")
    elif form == "fortran":
        np.save(path, np.asfortranarray(array))
    else:
        np.save(path, {"npy pairs": array.T.copy(), "npy int32": array.astype(np.int32)}.get(form, array))
    out = tmp_path / "out"
    out.mkdir()
    check(edge_index, 50, out, edges=str(path))


def test_edges_in_order_need_no_permutation(tmp_path, small_steps):
    small_steps(7, 9)
    (tmp_path / "perm.bin").write_bytes(b"of another run")
    check(torch.stack([torch.randint(0, 9, (50,)), torch.randint(0, 9, (50,)).sort().values]), 9, tmp_path)
    assert not (tmp_path / "perm.bin").exists()


def test_graphs_without_edges_or_nodes(tmp_path):
    for num_nodes in (0, 1, 5):
        graph = build_csc(torch.empty(2, 0, dtype=torch.int64), num_nodes, tmp_path, MEMORY)
        found = read(graph, tmp_path)
        assert found["rowptr"].tolist() == [0] * (num_nodes + 1) and found["col"].numel() == 0 and "perm" not in found


def test_numbers_beyond_32_bits(tmp_path, monkeypatch):
    # No graph of 2^31 edges fits a test, but its widths do.
    monkeypatch.setattr("graphlab.disk.csc._width", lambda count: torch.int64)
    monkeypatch.setattr("graphlab.disk.csc._MOST_OF_A_BUCKET", 30)
    edge_index = torch.randint(0, 50, (2, 300))
    found = read(build_csc(edge_index, 50, tmp_path, MEMORY), tmp_path)
    expected = in_memory(edge_index, 50)
    assert all(found[n].dtype == torch.int64 and torch.equal(found[n], expected[n].long()) for n in expected)


@pytest.mark.parametrize("edge", [(3, -1), (10, 0), (0, 1 << 40)])
def test_the_first_bad_edge_is_named(tmp_path, small_steps, edge):
    small_steps(16, 16)
    edge_index = torch.randint(0, 10, (2, 100))
    edge_index[:, 77] = torch.tensor(edge)
    edge_index[:, 78] = 99
    with pytest.raises(ValueError, match=rf"'edge_index' has edge 77 from node {edge[0]} to node {edge[1]}, expected"):
        build_csc(edge_index, 10, tmp_path, MEMORY)
    assert list(tmp_path.iterdir()) == []


def test_too_little_memory_is_named(tmp_path):
    edge_index = torch.randint(0, 10, (2, 100))
    with pytest.raises(MemoryBudgetError, match=r"'memory' got 33,554,432 bytes, but .* 100,000,000 nodes take 820,97"):
        build_csc(edge_index, 100_000_000, tmp_path, MEMORY)


def test_too_little_room_is_known_before_work_starts(tmp_path, monkeypatch):
    small = os.statvfs(tmp_path)
    monkeypatch.setattr(os, "statvfs", lambda path: type("Stat", (), {"f_bavail": 2, "f_frsize": small.f_frsize}))
    with pytest.raises(DiskFullError, match="needs 20,088 bytes, 8,192 bytes are free") as raised:
        build_csc(torch.randint(0, 10, (2, 1000)), 10, tmp_path, MEMORY)
    assert raised.value.needed == 88 + 1000 * (4 + 4 + 12)
    assert list(tmp_path.iterdir()) == []


KILLED = """
import os, signal, sys
import graphlab.disk.csc as csc

module, name = sys.argv[3].split(".")
place = csc if module == "csc" else csc.ArrayWriter
step, calls = getattr(place, name), []

def killed(*args):
    calls.append(step(*args))
    if len(calls) == 5:
        os.kill(os.getpid(), signal.SIGKILL)
    return calls[-1]

setattr(place, name, killed)
csc._MOST_OF_A_BLOCK = csc._MOST_OF_A_BUCKET = 1000
csc.build_csc(sys.argv[1], 1000, sys.argv[2], 32 << 20)
"""


@pytest.mark.parametrize("place", ["csc._bucketed", "ArrayWriter.append"])
def test_a_run_that_was_killed_is_redone(tmp_path, place):
    edge_index = torch.randint(0, 1000, (2, 10_000))
    np.save(tmp_path / "edges.npy", edge_index.numpy())
    out = tmp_path / "out"
    killed = subprocess.run([sys.executable, "-c", KILLED, str(tmp_path / "edges.npy"), str(out), place], check=False)
    assert killed.returncode == -signal.SIGKILL and (out / "csc.scratch").exists()
    check(edge_index, 1000, out)


WATCHED = """
import sys, threading, time
from pathlib import Path
import torch
from graphlab.disk.csc import build_csc

def anonymous():
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) << 10 for line in lines if line.startswith("RssAnon"))

edges, out, memory = sys.argv[1], sys.argv[2], int(sys.argv[3])
build_csc(torch.tensor([[0, 1], [1, 0]]), 2, Path(out), memory)  # loads what loads late
before, peak, done = anonymous(), 0, threading.Event()

def watch():
    global peak
    while not done.wait(0.001):
        peak = max(peak, anonymous())

watcher = threading.Thread(target=watch)
watcher.start()
build_csc(edges, 2_000_000, Path(out), memory)
done.set()
watcher.join()
print(peak - before)
"""


@pytest.mark.slow
def test_memory_stays_within_what_was_given(tmp_path):
    memory, num_nodes, num_edges = 64 << 20, 2_000_000, 20_000_000
    rng = np.random.default_rng(0)
    # Sources and targets with hubs; one takes more edges than fit in memory.
    src = (num_nodes * rng.random(num_edges) ** 5).astype(np.int64)
    dst = rng.integers(0, num_nodes, num_edges)
    dst[rng.random(num_edges) < 0.2] = 7
    np.save(tmp_path / "edges.npy", np.stack([src, dst]))
    out = tmp_path / "out"
    done = subprocess.run(
        [sys.executable, "-c", WATCHED, str(tmp_path / "edges.npy"), str(out), str(memory)],
        capture_output=True,
        text=True,
        check=True,
    )
    assert int(done.stdout) <= memory
    perm = np.argsort(dst, kind="stable")
    assert np.array_equal(np.fromfile(out / "perm.bin", np.int32), perm)
    assert np.array_equal(np.fromfile(out / "col.bin", np.int32), src[perm])
    pointers = np.concatenate([[0], np.bincount(dst, minlength=num_nodes).cumsum()])
    assert np.array_equal(np.fromfile(out / "rowptr.bin", np.int64), pointers)
