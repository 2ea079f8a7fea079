import csv
import io
import json

import pytest

from graphlab.cli.report import main

RESULT = {
    "data": "cora",
    "model": "sage",
    "aggr": "lcm",
    "metric": "accuracy",
    "test_mean": 0.8123,
    "test_std": 0.0045,
    "valid_mean": 0.8,
    "valid_std": 0.01,
    "num_params": 1000,
    "seeds": [0, 1],
    "runs": [{"seed": 0, "best_epoch": 3, "valid": 0.8, "test": 0.81, "epochs": 5, "seconds": 1}],
}


@pytest.fixture
def run_dir(tmp_path):
    (tmp_path / "result.json").write_text(json.dumps(RESULT))
    return tmp_path


@pytest.mark.parametrize(
    ("style", "cell"),
    [
        ("text", "81.23 ± 0.45 (2)"),
        ("markdown", "| 81.23 ± 0.45 (2) |"),
        ("latex", r"81.23 $\pm$ 0.45 (2)"),
    ],
)
def test_table_goes_to_stdout_and_the_page_beside_the_run(run_dir, capsys, style, cell):
    assert main([str(run_dir), "--format", style]) == 0
    out, err = capsys.readouterr()
    assert cell in out
    assert str(run_dir / "report.html") in err and "report.html" not in out
    assert "81.23 ± 0.45" in (run_dir / "report.html").read_text(encoding="utf-8")


def test_csv_can_be_piped_into_a_program(run_dir, capsys):
    assert main([str(run_dir), "--format", "csv"]) == 0
    (row,) = csv.DictReader(io.StringIO(capsys.readouterr().out))
    assert float(row["test_mean"]) == RESULT["test_mean"]


def test_html_prints_only_the_path(run_dir, capsys):
    assert main(["--format", "html", str(run_dir)]) == 0
    assert capsys.readouterr().out == f"{run_dir / 'report.html'}\n"


@pytest.mark.parametrize("argv", [[], ["--format", "pdf", "."], [".", "--nope"], ["a", "b"]])
def test_wrong_words_get_one_line_and_exit_code_2(argv, capsys):
    with pytest.raises(SystemExit) as exit_:
        main(argv)
    out, err = capsys.readouterr()
    assert exit_.value.code == 2
    assert out == "" and err.count("\n") == 1 and err.startswith("graphlab report: ")


def test_bad_directories_and_results_get_one_line_and_exit_code_2(run_dir, tmp_path, capsys):
    (run_dir / "result.json").write_text(json.dumps(RESULT | {"test_mean": 81.23}))
    (tmp_path / "empty").mkdir()
    for path in (run_dir, tmp_path / "empty", tmp_path / "nowhere"):
        assert main([str(path)]) == 2
        out, err = capsys.readouterr()
        assert out == "" and err.count("\n") == 1 and err.startswith("graphlab report: ")
