import csv
import io

import numpy as np
import pytest

from graphlab.data.card import Result
from graphlab.train.evaluation import Cell, Recipe, Results, fold_scores, format_fold_scores
from tests.train.evaluation.recipes import recipe, with_splits

PUBLISHED = (
    Result("GIN-0", "accuracy", 0.894, "Somebody 2019", std=0.056, setting="protocol='gin'"),
    Result("GIN", "accuracy", 0.733, "Somebody 2020", std=0.04, setting="10-fold with validation"),
    Result("PPGN", "accuracy", 0.906, "Somebody 2019", setting="protocol='gin', order 2"),
)
CURVES = np.random.default_rng(0).uniform(0.5, 0.9, (3, 25))


@pytest.fixture
def recipes(tmp_path, monkeypatch) -> list[Recipe]:
    with_splits(monkeypatch, 3, *PUBLISHED)
    return [recipe(tmp_path, "karate_gin"), recipe(tmp_path, "karate_sage")]


@pytest.fixture
def cells(recipes) -> list[Cell]:
    gin = [Cell(one, split, "gin") for one in recipes for split in range(3)]
    return gin + [Cell(one, split, "nested", n) for one in recipes for n in range(2) for split in range(3)]


def write(results: Results, cell: Cell, test: float, curve: list[float]) -> None:
    figures = {"test": test, "valid": max(curve), "epochs": len(curve), "seconds": 2.0, "cpu_seconds": 600.25}
    results.write(cell, figures | {"curve": curve})


def fill(results: Results, cells: list[Cell]) -> None:
    for cell in cells:
        if cell.recipe.label == "gin":
            write(results, cell, 0.5 + 0.1 * cell.split + 0.01 * cell.repeat, CURVES[cell.split].tolist())


def row_of(style: str, cells: list[Cell], results: Results, model: str = "gin") -> dict[str, str]:
    text = format_fold_scores(fold_scores(cells, results), style)  # pyright: ignore[reportArgumentType]
    if style == "csv":
        return next(row for row in csv.DictReader(io.StringIO(text)) if row["model"] == model)
    lines = [[cell.strip() for cell in line.strip("|").split("|")] for line in text.splitlines()]
    return next(dict(zip(lines[0], line, strict=True)) for line in lines[2:] if line[1] == model)


def test_one_epoch_is_chosen_by_the_best_mean_over_the_folds(cells, tmp_path):
    fill(results := Results(tmp_path / "out"), cells)
    row = fold_scores(cells, results)[0]
    best = int(CURVES.mean(axis=0).argmax())
    assert row.chosen_epoch == best + 1
    assert row.at_chosen_epoch == CURVES[:, best].tolist()
    shown, whole = row_of("markdown", cells, results), row_of("csv", cells, results)
    at_best, last = CURVES[:, best], CURVES[:, -10:].mean(axis=1)
    assert shown["gin"] == f"{100 * at_best.mean():.2f} ± {100 * np.std(at_best):.2f}"
    assert shown["last 10"] == f"{100 * last.mean():.2f} ± {100 * np.std(last):.2f}"
    assert [
        float(whole[key]) for key in ("gin_mean", "gin_std", "last_mean", "last_std", "gin_epoch")
    ] == pytest.approx([at_best.mean(), np.std(at_best), last.mean(), np.std(last), best + 1])


def test_of_equal_epochs_the_earliest_is_chosen(cells, tmp_path):
    results = Results(tmp_path / "out")
    # The means are 0.3 in both epochs, but summed in floating point the second is larger.
    for cell, curve in zip(cells, [[0.1, 0.3], [0.2, 0.1], [0.6, 0.5]], strict=False):
        write(results, cell, 0.5, curve)
    assert fold_scores(cells, results)[0].chosen_epoch == 1


def test_nested_is_the_mean_over_folds_and_seeds(cells, tmp_path):
    fill(results := Results(tmp_path / "out"), cells)
    tests = [0.5, 0.6, 0.7, 0.51, 0.61, 0.71]
    shown = row_of("markdown", cells, results)
    assert shown["nested"] == f"{100 * np.mean(tests):.2f} ± {100 * np.std(tests):.2f}"
    assert (shown["folds"], shown["runs"]) == ("3", "6")
    assert (shown["CPU s gin"], shown["CPU s nested"]) == ("1,801", "3,602")


def test_published_rows_say_what_they_hold_for(cells, tmp_path):
    results = Results(tmp_path / "out")
    assert row_of("markdown", cells, results)["published"] == "89.40 ± 5.60 / 73.30 ± 4.00 (10-fold with validation)"
    assert row_of("markdown", cells, results, "PPGN")["published"] == "90.60"
    assert row_of("csv", cells, results, "PPGN")["setting"] == "protocol='gin', order 2"


def test_what_is_not_trained_or_diverged_says_so(cells, tmp_path):
    results = Results(tmp_path / "out")
    write(results, cells[0], 0.5, [0.25, 0.75])
    results.write(cells[1], {"diverged": "the loss", "cpu_seconds": 1.0})
    shown = row_of("markdown", cells, results)
    assert (shown["gin"], shown["folds"], shown["nested"], shown["runs"]) == (
        "75.00",
        "1 of 3, 1 diverged",
        "not run",
        "0 of 6",
    )
    assert "not run" in format_fold_scores(fold_scores(cells, results, others=False), "text")
    assert len(fold_scores(cells, results, others=False)) == 2
