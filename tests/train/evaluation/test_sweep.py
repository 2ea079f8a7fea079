import math
from pathlib import Path

import pytest

from graphlab.train.evaluation import Cell, Results
from graphlab.train.evaluation.sweep import sweep, train
from graphlab.train.run import Run
from graphlab.train.tasks import NodeTask
from tests.train.evaluation.recipes import QUICK, recipe, with_splits


@pytest.fixture
def cells(tmp_path, monkeypatch) -> list[Cell]:
    with_splits(monkeypatch, 3)
    one = recipe(tmp_path)
    return [Cell(one, split) for split in one.splits]


def swept(cells: list[Cell], out: Path) -> tuple[list[str], Results]:
    lines: list[str] = []
    results = Results(out)
    sweep(cells, results, ["graphlab"], lines.append)
    return lines, results


def stable(result: dict | None) -> dict:
    assert result is not None
    return {key: value for key, value in result.items() if key not in ("seconds", "cpu_seconds", "environment")}


def test_every_cell_is_trained_once(cells, tmp_path):
    lines, results = swept(cells, tmp_path / "out")
    assert [line.split(":")[0] for line in lines] == [f"[{i + 1}/3] karate_sage split {i}" for i in range(3)]
    for cell in cells:
        found = results.read(cell)
        assert found is not None and found["seed"] == cell.split and 1 <= found["best_epoch"] <= found["epochs"] == 4
        assert stable(found).items() >= {**stable(train(cell.config, []))}.items()
    assert swept(cells, tmp_path / "out")[0] == []


@pytest.mark.parametrize("epoch", [1, 3])
def test_what_was_interrupted_is_trained_from_its_start(cells, tmp_path, monkeypatch, epoch):
    whole = swept(cells, tmp_path / "whole")[1]
    train_epoch = Run.train_epoch

    def interrupted(run: Run) -> dict:
        if run.config.split == 1 and run.epoch == epoch:
            raise KeyboardInterrupt
        return train_epoch(run)

    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(Run, "train_epoch", interrupted)
        swept(cells, tmp_path / "out")
    lines, results = swept(cells, tmp_path / "out")
    assert len(lines) == 2
    assert [stable(results.read(cell)) for cell in cells] == [stable(whole.read(cell)) for cell in cells]


def test_a_cell_that_another_process_trains_is_left_to_it(cells, tmp_path):
    results = Results(tmp_path / "out")
    with results.lock(cells[1]):
        outcome = sweep(cells, results, [], lambda line: None)
    assert (outcome.trained, outcome.elsewhere) == (2, 1)
    assert results.read(cells[1]) is None
    assert sweep(cells, results, [], lambda line: None).trained == 1


def test_a_cell_that_another_process_has_just_finished_is_not_trained_again(cells, tmp_path, monkeypatch):
    results = Results(tmp_path / "out")
    lock = results.lock

    def late(cell: Cell):
        results.write(cell, {"test": 0.5, "valid": 0.5, "epochs": 1, "seconds": 1.0})
        return lock(cell)

    monkeypatch.setattr(results, "lock", late)
    assert sweep(cells, results, [], lambda line: None).trained == 0


def test_divergence_is_a_result(cells, tmp_path, monkeypatch):
    loss = NodeTask.loss
    bad = int(cells[1].config.seed)
    monkeypatch.setattr(NodeTask, "loss", lambda task, model, batch: loss(task, model, batch) * math.nan)
    lines, results = swept(cells[bad : bad + 1], tmp_path / "out")
    found = results.read(cells[bad])
    assert found is not None and "the loss is not finite in epoch 1" in found["diverged"]
    assert "test" not in found and lines[0].startswith("[1/1] karate_sage split 1: diverged: the loss is not finite")
    assert swept(cells[bad : bad + 1], tmp_path / "out")[0] == []


def test_a_recipe_that_cannot_be_trained_is_passed_over(cells, tmp_path):
    text = QUICK.format(model="sage").replace('"sage"', '"sage"\naggr = "som"')
    broken = [Cell(recipe(tmp_path / "b", "karate_som", text), split) for split in range(3)]
    lines: list[str] = []
    outcome = sweep([*broken, *cells], Results(tmp_path / "out"), [], lines.append)
    assert (outcome.trained, list(outcome.refused)) == (3, ["karate_som"])
    assert lines[0].startswith("karate_som: passed over: no aggregator is called 'som'")


def test_a_result_holds_the_curve_and_what_it_cost(cells):
    found = train(cells[0].config, [])
    assert len(found["curve"]) == found["epochs"] == 4
    assert found["valid"] == max(found["curve"]) == found["curve"][found["best_epoch"] - 1]
    assert found["cpu_seconds"] > 0
