import json
import math

import pytest
from filelock import Timeout

from graphlab.train.config import ConfigError
from graphlab.train.evaluation import Cell, Results
from tests.train.evaluation.recipes import QUICK, recipe

FIGURES = {"test": 0.5, "valid": 0.4, "epochs": 3, "seconds": 1.5}


def test_a_result_counts_while_its_recipe_says_the_same(tmp_path):
    results, cell = Results(tmp_path / "out"), Cell(recipe(tmp_path), 2)
    assert results.read(cell) is None and not results.is_outdated(cell)
    results.write(cell, FIGURES)
    found = results.read(cell)
    assert found is not None and (found["config"], found["split"], found["test"]) == ("karate_sage", 2, 0.5)
    assert found["settings"] == {"data": "karate", "model": "sage", "epochs": 4, "lr": 0.05, "model.hidden_channels": 4}
    assert not results.is_outdated(cell) and results.read(Cell(cell.recipe, 1)) is None
    changed = Cell(recipe(tmp_path, text="patience = 2\n" + QUICK.format(model="sage")), 2)
    assert results.read(changed) is None and results.is_outdated(changed)


def test_a_cell_is_locked_by_one(tmp_path):
    results, cell = Results(tmp_path / "out"), Cell(recipe(tmp_path), 0)
    with results.lock(cell):
        with pytest.raises(Timeout), results.lock(cell):
            pass
        with results.lock(Cell(cell.recipe, 1)):
            pass
    with results.lock(cell):
        pass


@pytest.mark.parametrize("content", ["", "{", "[]", json.dumps({"test": 0.5}), json.dumps({"fingerprint": "f"})])
def test_a_file_that_is_no_result_is_not_guessed_at(tmp_path, content):
    results, cell = Results(tmp_path / "out"), Cell(recipe(tmp_path), 0)
    results.path(cell).parent.mkdir(parents=True)
    results.path(cell).write_text(content)
    for ask in (results.read, results.is_outdated):
        with pytest.raises(ConfigError, match=r"karate_sage/0.json: is no result of graphlab eval.*; remove it"):
            ask(cell)


@pytest.mark.parametrize("key", ["test", "valid", "epochs", "seconds"])
@pytest.mark.parametrize("value", ["abc", None, [0.5], True, math.nan])
def test_a_result_whose_figures_are_none_is_refused(tmp_path, key, value):
    results, cell = Results(tmp_path / "out"), Cell(recipe(tmp_path), 0)
    results.write(cell, FIGURES)
    results.path(cell).write_text(json.dumps(json.loads(results.path(cell).read_text()) | {key: value}))
    with pytest.raises(ConfigError, match=rf"0.json: is no result of graphlab eval \(figures: {key}\); remove it"):
        results.read(cell)


def test_a_divergence_needs_no_figures(tmp_path):
    results, cell = Results(tmp_path / "out"), Cell(recipe(tmp_path), 0)
    results.write(cell, {"diverged": "the loss"})
    assert results.read(cell) is not None


def test_a_folder_that_cannot_be_made_is_named(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(ConfigError, match=r"--out: .*/file/out cannot be made: Not a directory"):
        Results(tmp_path / "file" / "out").lock(Cell(recipe(tmp_path), 0))


def test_a_cell_of_the_gin_protocol_needs_its_curve(tmp_path):
    results, cell = Results(tmp_path / "out"), Cell(recipe(tmp_path), 0, "gin")
    results.write(cell, FIGURES | {"curve": [0.5, 0.25]})
    assert (results.read(cell) or {})["curve"] == [0.5, 0.25]
    for wrong in ([], None, 0.5, ["a"]):
        results.write(cell, FIGURES | {"curve": wrong})
        with pytest.raises(ConfigError, match=r"gin-0.json: is no result of graphlab eval \(figures: curve\)"):
            results.read(cell)
