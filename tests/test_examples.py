"""Every script in examples/ runs, in miniature, and prints what it says it prints."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
TINY = ["--runs", "2", "--epochs", "3", "--hidden_channels", "8"]
DISK = ["--num_nodes", "20000", "--num_features", "32", "--epochs", "20", "--lr", "0.02"]
SCRIPTS = {
    "disk_training.py": DISK,
    "neighbor_loading.py": ["--epochs", "8"],
    "own_aggregator.py": [],
    "spen_mutag.py": ["--folds", "1", "--epochs", "3", "--hidden_channels", "8"],
    "treelcm_cora.py": ["--data", "karate", *TINY],
}


def run(script: str, *words: str, launcher: tuple[str, ...] = (), **environment: str) -> str:
    done = subprocess.run(
        [sys.executable, *launcher, ROOT / "examples" / script, *words],
        capture_output=True,
        text=True,
        env=os.environ | {"PYTHONPATH": str(ROOT)} | environment,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def percent(out: str, name: str) -> list[float]:
    return [float(value) for value in re.findall(rf"{name}: ([\d.]+)", out)]


def test_every_script_is_run_here():
    assert {path.name for path in (ROOT / "examples").rglob("*.py")} == set(SCRIPTS)


def test_own_aggregator_keeps_the_laws_and_the_padded_one_does_not():
    out = run("own_aggregator.py", *SCRIPTS["own_aggregator.py"])
    assert "PaddedSmoothMax: 7 of 12 laws are broken" in out and "'batch_independence'" in out
    assert "SmoothMax keeps all laws of an aggregator and of a layer." in out
    assert float(out.partition("permutation ")[2].partition(",")[0]) < 1e-6


def test_neighbor_loading_learns():
    out = run("neighbor_loading.py", *SCRIPTS["neighbor_loading.py"])
    assert percent(out, "Test")[-1] > 90


@pytest.mark.parametrize("words", [[], ["--two_scale"]])
def test_spen_mutag_tests_on_a_fold(tmp_path, words):
    if "GRAPHLAB_DATA" not in os.environ:
        pytest.skip("GRAPHLAB_DATA is unset: no raw files of MUTAG")
    out = run("spen_mutag.py", *SCRIPTS["spen_mutag.py"], *words, GRAPHLAB_ROOT=str(tmp_path))
    (best,) = percent(out, "best on average")
    assert best > 50 and percent(out, "Highest") == [best]


def test_treelcm_cora_prints_runs_and_their_mean():
    out = run("treelcm_cora.py", *SCRIPTS["treelcm_cora.py"])
    first, second, mean = percent(out, "Final Test")
    assert mean == pytest.approx((first + second) / 2, abs=0.01)
    assert f"Final Test: {mean:.2f} ± {abs(first - second) / 2**0.5:.2f}" in out.partition("All runs:")[2]


def test_treelcm_cora_learns(tmp_path):
    if "GRAPHLAB_DATA" not in os.environ:
        pytest.skip("GRAPHLAB_DATA is unset: no raw files of Cora")
    words = ["--runs", "1", "--epochs", "40", "--hidden_channels", "32", "--aggr", "mean"]
    out = run("treelcm_cora.py", *words, GRAPHLAB_ROOT=str(tmp_path))
    assert percent(out.partition("All runs:")[2], "Final Test")[0] > 70


def test_disk_training_learns_within_its_memory(tmp_path):
    out = run("disk_training.py", *DISK, "--folder", str(tmp_path / "graph"))
    assert float(re.findall(r"test accuracy ([\d.]+)", out)[0]) > 0.5
    assert max(int(peak) for peak in re.findall(r"memory (\d+) MiB", out)) <= 512


def test_disk_training_runs_on_two_ranks(tmp_path):
    launcher = ("-m", "torch.distributed.run", "--standalone", "--nproc_per_node", "2")
    words = [*DISK, "--folder", str(tmp_path / "graph"), "--memory_mb", "640"]
    out = run("disk_training.py", *words, launcher=launcher, OMP_NUM_THREADS="1")
    assert float(re.findall(r"test accuracy ([\d.]+)", out)[0]) > 0.5
    assert all(f"rank {rank}: epoch 20" in out for rank in (0, 1))
