"""What preparing holds in memory, seen from outside, in a process of its own."""

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

ROOT = Path(__file__).parents[2]
NODES, WIDTH, EDGES = 300_000, 128, 8_000_000
CHILD = """
import json, resource, sys, threading, time
import torch
from graphlab.disk import GraphFiles, prepare
from graphlab.disk.memory import resident
folder, extra = sys.argv[1], int(sys.argv[2])
budget = resident() + extra
resource.setrlimit(resource.RLIMIT_DATA, (budget + (64 << 20), -1)) if extra < 1 << 40 else None
peak, ended = [0], threading.Event()
def watch():
    while not ended.wait(0.002):
        peak[0] = max(peak[0], resident())
watcher = threading.Thread(target=watch)
watcher.start()
lines = []
try:
    graph = GraphFiles(f"{folder}/x.npy", f"{folder}/edges.npy", y=f"{folder}/y.npy")
    prepare(graph, sys.argv[3], input_nodes=torch.arange(0, 300_000, 15), num_neighbors=[5, 5], batch_size=1000,
            mode="packed", cache_bytes=1 << 20, memory_budget=budget, workers=2, progress=lines.append)
finally:
    ended.set()
    watcher.join()
print(json.dumps({"budget": budget, "peak": peak[0], "lines": lines}))
"""
LARGE = """
import json, sys, threading, time
import torch
from pathlib import Path
from graphlab.disk import GraphFiles, prepare
from graphlab.disk.memory import resident
def anonymous():
    line = next(l for l in Path("/proc/self/status").read_text().splitlines() if l.startswith("RssAnon"))
    return int(line.split()[1]) << 10
folder, out, batch_size, extra, workers = *sys.argv[1:3], *map(int, sys.argv[3:])
graph = GraphFiles(f"{folder}/x.npy", f"{folder}/edges.npy", input_nodes=torch.arange(0, 4 * batch_size))
arguments = {"num_neighbors": [10, 10, 5], "batch_size": batch_size, "mode": "packed", "cache_bytes": 1 << 20}
# So that what libraries load on their first call does not count.
prepare(graph, f"{out}.first", num_neighbors=[2], batch_size=4 * batch_size, mode="packed", workers=1)
before, budget = anonymous(), resident() + extra
peak, ended = [0], threading.Event()
def watch():
    while not ended.wait(0.002):
        peak[0] = max(peak[0], anonymous())
watcher = threading.Thread(target=watch)
watcher.start()
try:
    prepare(graph, out, memory_budget=budget, workers=workers, **arguments)
finally:
    ended.set()
    watcher.join()
print(json.dumps({"growth": peak[0] - before}))
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    path, rng = tmp_path_factory.mktemp("graph"), np.random.default_rng(0)
    np.save(path / "x.npy", rng.standard_normal((NODES, WIDTH), np.float32))
    np.save(path / "edges.npy", rng.integers(0, NODES, (2, EDGES), np.int32))
    np.save(path / "y.npy", rng.integers(0, 9, NODES))
    return path


@pytest.fixture(scope="module")
def narrow(tmp_path_factory):
    path, rng = tmp_path_factory.mktemp("narrow"), np.random.default_rng(0)
    np.save(path / "x.npy", np.zeros((400_000, 4), np.float32))
    np.save(path / "edges.npy", rng.integers(0, 400_000, (2, 4_000_000), np.int32))
    return path


def run(child, *words):
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(ROOT), *sys.path])}
    command = [sys.executable, "-c", child, *map(str, words)]
    ended = subprocess.run(command, env=environment, capture_output=True, text=True)
    assert ended.returncode == 0, ended.stderr
    return json.loads(ended.stdout.splitlines()[-1])


@pytest.mark.slow
def test_the_budget_holds_and_changes_no_byte(folder, tmp_path):
    little, much = run(CHILD, folder, 72 << 20, tmp_path / "little"), run(CHILD, folder, 1 << 40, tmp_path / "much")
    assert any("do not fit in memory" in line for line in little["lines"])
    assert sum(line.startswith("packed") for line in little["lines"]) > 3
    assert sum(line.startswith("packed") for line in much["lines"]) == 1
    assert little["peak"] <= little["budget"]
    for file in (tmp_path / "much").iterdir():
        if file.name != "manifest.json":
            assert (tmp_path / "little" / file.name).read_bytes() == file.read_bytes(), file.name


@pytest.mark.slow
@pytest.mark.parametrize("batch_size", [2048, 8000])
def test_large_batches_and_many_threads_stay_within_the_budget(narrow, tmp_path, batch_size):
    extra = (128 + batch_size // 64) << 20
    for workers in (1, 4):
        growth = run(LARGE, narrow, tmp_path / str(workers), batch_size, extra, workers)["growth"]
        assert growth <= extra + (64 << 20), workers
