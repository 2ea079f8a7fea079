import csv
import io
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from graphlab.train.table import (
    best_rows,
    decimals,
    format_mean_std,
    format_table,
    is_percent,
    lower_is_better,
    number,
)


def result(metric="accuracy", mean=0.5, std=0.1, **extra):
    return {
        "data": "cora",
        "model": "sage",
        "aggr": "lcm",
        "metric": metric,
        "test_mean": mean,
        "test_std": std,
        "valid_mean": mean,
        "valid_std": std,
        "num_params": 1234567,
        "seeds": [0, 1],
        "runs": [{"epochs": 10, "seconds": 1.0}, {"epochs": 20, "seconds": 2.5}],
        **extra,
    }


@given(st.floats(0, 1), st.floats(0, 1))
def test_percentages_are_within_half_a_unit_of_the_last_place(mean, std):
    shown = format_mean_std(mean, std, "rocauc", 2).split(" ± ")
    assert abs(float(shown[0]) - 100 * mean) <= 0.005 + 1e-9
    assert abs(float(shown[1]) - 100 * std) <= 0.005 + 1e-9


@given(st.floats(-1e6, 1e6), st.floats(1e-5, 1e3))
def test_other_metrics_are_within_half_a_unit_and_show_the_deviation(mean, std):
    places = decimals([result("mse", mean, std)])
    assert 3 <= places <= 8
    shown_mean, shown_std = format_mean_std(mean, std, "mse", places).split(" ± ")
    assert abs(float(shown_mean) - mean) <= 0.5 * 10**-places + 1e-9 * abs(mean)
    assert abs(float(shown_std) - std) <= 0.5 * 10**-places + 1e-12
    assert shown_mean != "-" + "0." + "0" * places


@given(st.lists(st.floats(0, 1), min_size=2, max_size=6), st.sampled_from(["accuracy", "mae"]))
def test_best_row_is_the_optimum_and_only_rows_that_look_like_it(means, metric):
    results = [result(metric, mean) for mean in means]
    best = best_rows(results)
    top = min(means) if lower_is_better(metric) else max(means)
    assert means.index(top) in best
    width = 10 ** -decimals(results) / (100 if is_percent(metric) else 1)
    assert all(abs(means[i] - top) <= width * (1 + 1e-6) for i in best)
    assert all(abs(mean - top) > 0 for i, mean in enumerate(means) if i not in best)


@pytest.mark.parametrize("name", ["accuracy", "Acc", "exact", "exact_match", "rocauc", "ROC-AUC", "roc_auc"])
def test_fractions_are_percent(name):
    assert is_percent(name) and not lower_is_better(name)


@pytest.mark.parametrize("name", ["mae", "mse", "rmse", "log10_mse", "loss"])
def test_errors_are_better_low_and_no_percent(name):
    assert lower_is_better(name) and not is_percent(name)


def test_published_values_read_as_in_the_papers():
    # OGB's leaderboard for GraphSAGE on ogbn-arxiv; PNA on ZINC in Ong & Velickovic (2022).
    assert format_mean_std(0.7149, 0.0027, "accuracy", 2) == "71.49 ± 0.27"
    assert format_mean_std(0.188, 0.004, "mae", 3) == "0.188 ± 0.004"


def test_one_seed_has_no_deviation():
    assert format_mean_std(0.5, math.nan, "exact", 2) == "50.00"


def test_percentages_stored_as_percent_are_refused():
    with pytest.raises(ValueError, match=r"between 0 and 1, got 71\.7"):
        format_table([result(mean=71.7)])


def test_text_is_aligned_and_marks_the_best():
    rows = [result(mean=0.9, setting="lcm"), result(mean=0.1, std=0.01, setting="a-long-name")]
    head, first, second = format_table(rows).splitlines()
    assert "90.00 ± 10.00 (2) *" in first and "*" not in second
    assert head.index("test") == first.index("90.00") == second.index("10.00 ± 1.00")
    assert first.endswith("15      1.8") and "1,234,567" in first


def test_lower_error_is_best_and_data_sets_do_not_compete():
    rows = [result("mae", 0.3), result("mae", 0.2), result("mae", 0.9, data="zinc")]
    assert best_rows(rows) == {1}
    assert best_rows([*rows, result("mae", 1.0, data="zinc")]) == {1, 2}


def test_nan_and_unfinished_rows_are_shown_but_never_best():
    rows = [
        result(mean=math.nan, std=math.nan, setting="a"),
        {"setting": "b"},
        result(mean=0.2, setting="c"),
        result(mean=0.1, setting="d"),
    ]
    lines = format_table(rows).splitlines()
    assert "nan (2)" in lines[1]
    assert lines[2].split() == ["b", "unfinished"]
    assert [line.count("*") for line in lines] == [0, 0, 0, 1, 0]


def test_rows_with_seeds_missing_say_so_and_are_never_best():
    rows = [result(mean=mean, setting=str(mean), planned_runs=2) for mean in (0.1, 0.2)]
    rows += [result(mean=0.9, setting="0.9", planned_runs=5)]
    lines = format_table(rows).splitlines()
    assert "90.00 ± 10.00 (2 of 5)" in lines[3]
    assert [line.count("*") for line in lines] == [0, 0, 1, 0]


def test_all_rows_unfinished():
    assert format_table([{"setting": "a"}, {"setting": "b"}]).count("unfinished") == 2


def test_columns_that_say_nothing_are_left_out():
    shared = [result(setting="x1"), result(setting="x2")]
    assert format_table(shared).split()[:2] == ["setting", "test"]
    models = [result(setting="x1", model="gin"), result(setting="x2", model="pna")]
    assert format_table(models).split()[:3] == ["setting", "model", "test"]
    swept = [result(setting="aggr=gru,lr=1", aggr="gru"), result(setting="aggr=lcm,lr=1")]
    assert format_table(swept).split()[:2] == ["setting", "test"]
    named_after = [result(setting="gru", aggr="gru"), result(setting="lcm", aggr="lcm")]
    assert format_table(named_after).split()[:2] == ["setting", "test"]
    assert format_table([result()]).split()[:4] == ["data", "model", "aggr", "test"]


def test_markdown_escapes_pipes_and_has_one_cell_per_column():
    text = format_table([result(setting="a|b"), result(mean=0.2, setting="c")], "markdown")
    head, rule, first, second = text.splitlines()
    assert rule.count("|") == head.count("|") == second.count("|") == first.count("|") - 1
    assert r"a\|b" in first and "**50.00 ± 10.00 (2)**" in first


def test_latex_escapes_and_balances():
    rows = [result(setting="a_b & 50% {x}"), result("accuracy", 0.2, setting="c")]
    text = format_table(rows, "latex")
    assert r"a\_b \& 50\% \{x\}" in text
    assert r"\textbf{50.00 $\pm$ 10.00 (2)}" in text
    assert text.count(r"\begin{tabular}") == text.count(r"\end{tabular}") == 1
    negative = format_table([result("log10_mse", -2.95, 0.01)], "latex")
    assert r"$-$2.950 $\pm$ 0.010" in negative


def test_csv_keeps_every_digit():
    rows = [result(mean=1 / 3, setting="a,b"), {"setting": "c"}]
    first, second = csv.DictReader(io.StringIO(format_table(rows, "csv")))
    assert float(first["test_mean"]) == 1 / 3 and first["setting"] == "a,b"
    assert (first["n"], first["epochs"], first["seconds"]) == ("2", "15.0", "1.75")
    assert second["test_mean"] == second["epochs"] == ""


@pytest.mark.parametrize("value", [None, "0.5", [], 10**400, math.inf])
def test_what_is_no_finite_number_becomes_nan(value):
    assert math.isnan(number(value))


def test_wrong_calls_say_what_was_expected():
    with pytest.raises(ValueError, match="results: got an empty list"):
        format_table([])
    with pytest.raises(ValueError, match="style: got 'word', expected one of text, markdown"):
        format_table([result()], "word")
