import csv
import io

import pytest

from graphlab.data.card import Result
from graphlab.train.evaluation import Cell, Recipe, Results, format_scores, scores
from tests.train.evaluation.recipes import QUICK, recipe, with_splits

PUBLISHED = (
    Result("GraphSAGE", "accuracy", 0.81, "Somebody 2020", std=0.02),
    Result("GraphSAGE", "accuracy", 0.79, "Somebody 2021"),
    Result("GraphSAGE", "rocauc", 0.99, "Somebody 2022"),
    Result("GAT-sep", "accuracy", 0.5, "Somebody 2020"),
)


@pytest.fixture
def recipes(tmp_path, monkeypatch) -> list[Recipe]:
    with_splits(monkeypatch, 4, *PUBLISHED)
    names = ("karate_sage", "karate_mlp", "karate_gin")
    return [recipe(tmp_path, name) for name in names]


def fill(results: Results, one: Recipe, tests: list[float | None]) -> None:
    for split, test in enumerate(tests):
        figures = {"test": test, "valid": 0.5, "epochs": 10, "seconds": 2.0 * split}
        results.write(Cell(one, split), figures if test is not None else {"diverged": "the loss", "epochs": 3})


def cells_of(text: str) -> dict[str, list[str]]:
    rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in text.splitlines()[2:]]
    return {row[1]: row[2:] for row in rows}


def test_rows_show_mean_and_sample_deviation_beside_what_is_published(recipes, tmp_path):
    results = Results(tmp_path / "out")
    fill(results, recipes[0], [0.8, 0.7, 0.9, 0.6])
    fill(results, recipes[1], [0.8, None])
    rows = cells_of(format_scores(scores(recipes, None, results), "markdown"))
    # Deviations from 0.75: 0.05, 0.05, 0.15, 0.15; their squares, 0.05 in all, over 3.
    published = "81.00 ± 2.00 / 79.00"
    assert rows["sage"] == ["accuracy (%)", "75.00 ± 12.91", "4", "50.00 ± 0.00", published, "10", "3.0"]
    assert rows["mlp"] == ["accuracy (%)", "80.00", "1 of 4, 1 diverged", "50.00", "", "10", "0.0"]
    assert rows["gin"] == ["accuracy (%)", "not run", "0 of 4", "", "", "", ""]
    assert rows["GAT-sep"] == ["accuracy (%)", "not run", "", "", "50.00", "", ""]


def test_the_text_is_aligned_and_a_row_all_of_which_diverged_says_so(recipes, tmp_path):
    results = Results(tmp_path / "out")
    fill(results, recipes[0], [None, None])
    lines = format_scores(scores(recipes[:1], [0, 1], results)).splitlines()
    assert lines[1].split()[:6] == ["karate", "sage", "accuracy", "(%)", "diverged", "0"]
    assert "0 of 2, 2 diverged" in lines[1]
    assert lines[0].index("published") + len("published") == lines[1].index("81.00") + len("81.00 ± 2.00 / 79.00")


def test_only_the_splits_asked_for_count(recipes, tmp_path):
    results = Results(tmp_path / "out")
    fill(results, recipes[0], [0.8, 0.7, 0.9, 0.6])
    row = scores(recipes, [1, 3], results)[0]
    assert row.values("test") == [0.7, 0.6] and row.planned == 2


def test_results_of_other_settings_do_not_count(recipes, tmp_path):
    results = Results(tmp_path / "out")
    fill(results, recipes[0], [0.8, 0.7, 0.9, 0.6])
    changed = recipe(tmp_path, text="patience = 3\n" + QUICK.format(model="sage"))
    assert scores([changed], None, results)[0].done == ()


def test_csv_holds_fractions_and_a_line_per_source(recipes, tmp_path):
    results = Results(tmp_path / "out")
    fill(results, recipes[0], [0.8, 0.7, 0.9, 0.6])
    rows = list(csv.DictReader(io.StringIO(format_scores(scores(recipes, None, results), "csv"))))
    assert [row["model"] for row in rows] == ["sage", "sage", "mlp", "gin", "GAT-sep"]
    assert float(rows[0]["test_mean"]) == pytest.approx(0.75)
    assert float(rows[0]["test_std"]) == pytest.approx((0.05 / 3) ** 0.5)
    counts_and_theirs = ("n", "planned", "published", "published_std")
    assert [rows[0][key] for key in counts_and_theirs] == ["4", "4", "0.81", "0.02"]
    assert (rows[1]["published"], rows[1]["published_std"], rows[2]["test_mean"]) == ("0.79", "", "")


def test_what_others_alone_report_can_be_left_out(recipes, tmp_path):
    rows = scores(recipes, None, Results(tmp_path / "out"), others=False)
    assert [row.label for row in rows] == ["sage", "mlp", "gin"]
