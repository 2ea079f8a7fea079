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


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    path, rng = tmp_path_factory.mktemp("graph"), np.random.default_rng(0)
    np.save(path / "x.npy", rng.standard_normal((NODES, WIDTH), np.float32))
    np.save(path / "edges.npy", rng.integers(0, NODES, (2, EDGES), np.int32))
    np.save(path / "y.npy", rng.integers(0, 9, NODES))
    return path


def run(folder, extra, out):
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(ROOT), *sys.path])}
    command = [sys.executable, "-c", CHILD, str(folder), str(extra), str(out)]
    ended = subprocess.run(command, env=environment, capture_output=True, text=True)
    assert ended.returncode == 0, ended.stderr
    return json.loads(ended.stdout.splitlines()[-1])


@pytest.mark.slow
def test_the_budget_holds_and_changes_no_byte(folder, tmp_path):
    little, much = run(folder, 72 << 20, tmp_path / "little"), run(folder, 1 << 40, tmp_path / "much")
    assert any("do not fit in memory" in line for line in little["lines"])
    assert sum(line.startswith("packed") for line in little["lines"]) > 3
    assert sum(line.startswith("packed") for line in much["lines"]) == 1
    assert little["peak"] <= little["budget"]
    for file in (tmp_path / "much").iterdir():
        if file.name != "manifest.json":
            assert (tmp_path / "little" / file.name).read_bytes() == file.read_bytes(), file.name
