"""Preparing, training and evaluating under a cap that the kernel enforces; the benchmark of that in small."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

BENCHMARK = Path(__file__).parents[2] / "benchmarks" / "disk_memory.py"
# What is left to data once everything is imported.
ROOM_MB = 112


def imports_mb() -> int:
    """What a process holds or reserves that has imported all there is to training."""
    code = """
import torch, graphlab.nn, graphlab.disk.disk_loader
torch.set_num_threads(2)
torch.ones(1 << 20).sum()
status = dict(line.split(":") for line in open("/proc/self/status"))
print(max(int(status[name].split()[0]) >> 10 for name in ("VmRSS", "VmData")))
"""
    return int(subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout)


@pytest.mark.slow
@pytest.mark.skipif(not BENCHMARK.exists(), reason="needs the benchmarks, which are not installed")
def test_a_graph_larger_than_the_cap_is_prepared_trained_and_evaluated(tmp_path: Path):
    cap, out = imports_mb() + ROOM_MB, tmp_path / "found.json"
    sizes = {"nodes": 600_000, "degree": 4, "channels": 128, "cap_mb": cap, "cache_mb": 8, "model_mb": 16}
    sizes |= {"batch_size": 128, "batches": 20, "hidden": 32, "scratch_gb": 1}
    options = [f"--{name}={value}" for name, value in sizes.items()]
    done = subprocess.run(
        [sys.executable, str(BENCHMARK), f"--folder={tmp_path}", f"--out={out}", *options],
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    found = json.loads(out.read_text())
    assert found["feature_bytes"] + found["edge_bytes"] > 2.5 * (ROOM_MB << 20)
    assert found["stages"]["train"]["batches"] == 20
    assert found["stages"]["evaluate"]["rows"] == 600_000
    # More than a few samples, or nobody watched.
    assert found["samples"] > 50
    assert found["peak_bytes"] <= cap << 20
    # What the page cache holds in place of the process is held all the same.
    assert found["cached_bytes"] < 4 << 20
