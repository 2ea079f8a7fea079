import json
import os
import random
import subprocess
import sys
import time
from pathlib import Path

import pytest

from graphlab.disk import UnsealedStoreError
from graphlab.disk.store import Store
from tests.disk.graphs import content

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def server():
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "PYTHONPATH": os.pathsep.join([str(ROOT), *sys.path])}
    command = [sys.executable, "-m", "tests.disk.crash_server"]
    with subprocess.Popen(
        command, cwd=ROOT, env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:

        def run(out, at=None, seconds=None):
            ask = {"out": str(out), "at": at, "seconds": seconds, "log": str(out.with_suffix(".log"))}
            process.stdin.write(json.dumps(ask) + "\n")
            process.stdin.flush()
            return json.loads(process.stdout.readline())

        yield run
        process.stdin.close()
        process.wait()


@pytest.fixture(scope="module")
def whole(server, tmp_path_factory):
    """A store that nothing interrupted: its bytes, what was done for it, and how long that took."""
    path = tmp_path_factory.mktemp("whole") / "store"
    server(path.with_name("warm"))
    begin = time.perf_counter()
    ended = server(path)
    assert ended["code"] == 0
    return content(path), ended["did"], time.perf_counter() - begin


def check_resumed(server, path, whole, did):
    """Go on after a crash; what comes out must be what no crash would have given, without much done twice."""
    expected, all_done, _ = whole
    if path.exists() and any(path.iterdir()):
        try:
            Store(path)
        except UnsealedStoreError:
            pass
        except RuntimeError as error:
            assert "holds no store" in str(error)
    resumed = server(path)
    assert resumed["code"] == 0, path
    assert content(path) == expected
    assert json.loads((path / "manifest.json").read_text())["state"] == "sealed"
    again = written(did) + written(resumed["did"]) - written(all_done)
    assert again <= largest_unit(all_done)


def written(did):
    return sum(int(line.split()[1]) for line in did if line.startswith("pwrite"))


def largest_unit(did):
    """The most bytes that were written from one note in the journal to the next."""
    largest = size = 0
    for line in did:
        kind, value = line.split()
        size = 0 if kind == "unit" else size + int(value)
        largest = max(largest, size)
    return largest


def test_a_store_has_many_units(whole):
    _, did, _ = whole
    units = [line.split()[1] for line in did if line.startswith("unit")]
    assert {k: units.count(k) for k in ("sample", "hot", "cold", "records", "pack")} == {
        "sample": 6,
        "hot": 1,
        "cold": 10,
        "records": 10,
        "pack": 6,
    }


@pytest.mark.slow
def test_killed_at_any_change_of_the_disk_work_goes_on(server, whole, tmp_path):
    calls = sum(not line.startswith("unit") for line in whole[1])
    for at in sorted(random.Random(0).sample(range(1, calls + 1), 50)):
        ended = server(tmp_path / str(at), at=at)
        assert ended["killed"], at
        check_resumed(server, tmp_path / str(at), whole, ended["did"])


@pytest.mark.slow
def test_killed_at_any_time_work_goes_on(server, whole, tmp_path):
    for number in range(50):
        seconds = random.Random(number).random() * whole[2]
        ended = server(tmp_path / str(number), seconds=seconds)
        check_resumed(server, tmp_path / str(number), whole, ended["did"])


def test_killed_again_and_again_work_comes_to_an_end(server, whole, tmp_path):
    """Each run gets a few calls further than the last one did."""
    for _ in range(200):
        if not server(tmp_path / "store", at=40)["killed"]:
            break
    assert content(tmp_path / "store") == whole[0]
