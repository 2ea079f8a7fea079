import json
from pathlib import Path

import pytest

import graphlab.data
from graphlab.train.evaluation.expressivity import Comparison, Records, RpcCell, UntrainedCell, network
from graphlab.train.evaluation.expressivity import sweep as module
from graphlab.train.evaluation.expressivity.cells import Cell
from graphlab.train.evaluation.expressivity.sweep import sweep
from tests.train.evaluation.expressivity.toys import HERE, HEXAGON, PATH, STAR, TRIANGLES, fixed_graphs

TOYS = Comparison("toys", "toys", {"regular": range(1), "toys": range(2)})
WALKS, GIN = network(f"{HERE}:ClosedWalks"), network("gin")


@pytest.fixture(autouse=True)
def toys(monkeypatch: pytest.MonkeyPatch) -> None:
    module._graphs.cache_clear()
    monkeypatch.setattr(graphlab.data, "load", fixed_graphs([HEXAGON, TRIANGLES, PATH, STAR]), raising=False)


def swept(cells: list[Cell], out: Path) -> tuple[list[str], bool]:
    lines: list[str] = []
    done = sweep(cells, Records(out), ["graphlab"], lines.append)
    return lines, done


def test_every_cell_is_measured_once(tmp_path: Path) -> None:
    cells: list[Cell] = [UntrainedCell(WALKS, TOYS), UntrainedCell(GIN, TOYS)]
    lines, done = swept(cells, tmp_path)
    assert done and lines[0].startswith(f"[1/2] {HERE}:ClosedWalks on toys: regular 1 of 1, toys 2 of 2 (noise 0e+00; ")
    assert lines[1].startswith("[2/2] gin on toys: regular 0 of 1, toys 1 of 2 (noise ")
    found = json.loads((tmp_path / "untrained" / "gin" / "toys.json").read_text())
    assert found["figures"]["separated"] == {"regular": 0, "toys": 1} and found["environment"]["argv"] == ["graphlab"]
    assert swept(cells, tmp_path) == ([], True)
    assert len(swept([UntrainedCell(GIN, TOYS, seed=1)], tmp_path)[0]) == 1


def test_pairs_are_trained_one_at_a_time(tmp_path: Path) -> None:
    lines, done = swept([RpcCell(WALKS, 0), RpcCell(network(f"{HERE}:PlaceInBatch"), 1)], tmp_path)
    assert done and ":ClosedWalks on pair 0: told apart (T2 " in lines[0]
    assert ":PlaceInBatch on pair 1: not told apart, not reliable (T2 " in lines[1]
    figures = json.loads((tmp_path / "rpc" / f"{HERE}-ClosedWalks" / "0.json").read_text())["figures"]
    assert figures["separated"] and figures["reliable"] and figures["t_squared"] > 1e300


def test_noise_is_told(tmp_path: Path) -> None:
    lines, _ = swept([UntrainedCell(network(f"{HERE}:OrderedDegrees"), TOYS)], tmp_path)
    assert "above 1e-13: only clearer differences count" in lines[0]


def test_what_another_process_measures_is_left_to_it(tmp_path: Path) -> None:
    cells: list[Cell] = [UntrainedCell(WALKS, TOYS), RpcCell(WALKS, 1)]
    with Records(tmp_path).lock(cells[0].key):
        lines, done = swept(cells, tmp_path)
    assert done and lines[0].endswith("on toys: left to another process") and "told apart" in lines[1]
    assert len(swept(cells, tmp_path)[0]) == 1


def test_what_cannot_be_measured_is_passed_over_and_said_once(tmp_path: Path) -> None:
    lost = network("no.such:Net")
    cells: list[Cell] = [
        UntrainedCell(lost, TOYS),
        RpcCell(lost, 0),
        RpcCell(network("wl"), 0),
        UntrainedCell(GIN, TOYS),
    ]
    lines, done = swept(cells, tmp_path)
    assert not done and len(lines) == 3
    assert lines[0] == "no.such:Net on toys: passed over: --model: 'no.such:Net' is not to be had: No module named 'no'"
    assert "'wl' has no weights to train by rpc; use untrained" in lines[1] and lines[2].startswith("[4/4] gin on toys")


def test_graphs_that_are_nowhere_are_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def absent(name: str) -> None:
        raise FileNotFoundError(f"data set '{name}' lacks a file")

    monkeypatch.setattr(graphlab.data, "load", absent, raising=False)
    lines, done = swept([UntrainedCell(GIN, TOYS)], tmp_path)
    assert not done and lines == ["gin on toys: passed over: --data: data set 'toys' lacks a file"]
