import json
import re
from dataclasses import replace
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
def toys(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    module._graphs.cache_clear()
    monkeypatch.setattr(graphlab.data, "load", fixed_graphs([HEXAGON, TRIANGLES, PATH, STAR]), raising=False)
    monkeypatch.setenv("GRAPHLAB_ROOT", str(tmp_path / "root"))


def swept(cells: list[Cell], out: Path) -> tuple[list[str], bool]:
    lines: list[str] = []
    done = sweep(cells, Records(out), ["graphlab"], lines.append)
    return lines, done


def test_every_cell_is_measured_once(tmp_path: Path) -> None:
    cells: list[Cell] = [UntrainedCell(WALKS, TOYS), UntrainedCell(GIN, TOYS)]
    lines, done = swept(cells, tmp_path)
    assert done and lines[0].startswith(f"[1/2] {HERE}:ClosedWalks on toys: regular 1 of 1, toys 2 of 2 (noise 0e+00; ")
    assert lines[1].startswith("[2/2] gin on toys: regular 0 of 1, toys 1 of 2 (noise ")
    found = json.loads((tmp_path / "untrained" / "gin" / "seed-0" / "toys.json").read_text())
    assert found["figures"]["separated"] == {"regular": 0, "toys": 1} and found["environment"]["argv"] == ["graphlab"]
    assert swept(cells, tmp_path) == ([], True)
    assert len(swept([UntrainedCell(GIN, TOYS, seed=1)], tmp_path)[0]) == 1


def test_pairs_are_trained_one_at_a_time(tmp_path: Path) -> None:
    lines, done = swept([RpcCell(WALKS, 0), RpcCell(network(f"{HERE}:PlaceInBatch"), 1)], tmp_path)
    assert done and ":ClosedWalks on pair 0: told apart (T2 " in lines[0]
    assert ":PlaceInBatch on pair 1: not told apart, not reliable (T2 " in lines[1]
    figures = json.loads((tmp_path / "rpc" / f"{HERE}%3AClosedWalks" / "seed-0" / "0.json").read_text())["figures"]
    assert figures["separated"] and figures["reliable"] and figures["t_squared"] > 1e300


def test_noise_is_told(tmp_path: Path) -> None:
    lines, _ = swept([UntrainedCell(network(f"{HERE}:OrderedDegrees"), TOYS)], tmp_path)
    assert "above 1e-13: only clearer differences count" in lines[0]


def test_what_another_process_measures_is_left_to_it(tmp_path: Path) -> None:
    cells: list[Cell] = [UntrainedCell(WALKS, TOYS), RpcCell(WALKS, 1)]
    with Records(tmp_path).lock(cells[0]):
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
    lost_module = "ModuleNotFoundError: No module named 'no'"
    assert lines[0] == f"no.such:Net on toys: passed over: --model: 'no.such:Net' is not to be had: {lost_module}"
    assert "'wl' has no weights to train by rpc; use untrained" in lines[1] and lines[2].startswith("[4/4] gin on toys")


def test_graphs_that_are_nowhere_are_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def absent(name: str) -> None:
        raise FileNotFoundError(f"data set '{name}' lacks a file")

    monkeypatch.setattr(graphlab.data, "load", absent, raising=False)
    lines, done = swept([UntrainedCell(GIN, TOYS)], tmp_path)
    assert not done and lines == ["gin on toys: passed over: --data: data set 'toys' lacks a file"]


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("Boom", r"'.*:Boom' cannot be run: KeyError: 'boom' \(toys\.py:\d+\)$"),
        ("nothing", "cannot be made: expected a torch.nn.Module, got NoneType"),
        ("Flat", r"expected a vector for each of \d+ graphs, got shape \(\d+,\)"),
        ("Infinite", "vectors that are not finite"),
    ],
)
def test_a_network_that_fails_is_passed_over_and_the_next_is_measured(name: str, message: str, tmp_path: Path) -> None:
    for kind in (lambda net: UntrainedCell(net, TOYS), lambda net: RpcCell(net, 1)):
        lines, done = swept([kind(network(f"{HERE}:{name}")), kind(WALKS)], tmp_path)
        assert not done and len(lines) == 2 and lines[1].startswith(f"[2/2] {HERE}:ClosedWalks on ")
        assert ": passed over: --model: " in lines[0] and re.search(message, lines[0])


def test_a_network_is_held_against_its_own_tolerance(tmp_path: Path) -> None:
    blunt = replace(GIN, name="blunt", tolerance=10.0)
    lines, _ = swept([UntrainedCell(blunt, TOYS)], tmp_path)
    assert "regular 0 of 1, toys 0 of 2" in lines[0]
    noisy = replace(network(f"{HERE}:OrderedDegrees"), name="noisy", tolerance=1e3)
    assert "only clearer differences count" not in swept([UntrainedCell(noisy, TOYS)], tmp_path)[0][0]


def test_a_record_tells_where_graphs_were_looked_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for mirror, exists in ((str(tmp_path), True), (str(tmp_path / "none"), False), ("", False)):
        monkeypatch.setenv("GRAPHLAB_DATA", mirror)
        swept([UntrainedCell(GIN, TOYS)], tmp_path / f"out{exists}{len(mirror)}")
        path = Records(tmp_path / f"out{exists}{len(mirror)}").path(UntrainedCell(GIN, TOYS))
        found = json.loads(path.read_text())["environment"]["data"]
        assert found == {"root": str(tmp_path / "root"), "mirror": mirror or None, "mirror_exists": exists}
