import csv
import io
import sys
from pathlib import Path
from typing import Any

import pytest

import graphlab.data
from graphlab.cli import main
from graphlab.train.evaluation.expressivity import sweep as module
from tests.train.evaluation.expressivity.toys import HERE, HEXAGON, TRIANGLES, fixed_graphs

WALKS = f"{HERE}:ClosedWalks"


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    module._graphs.cache_clear()
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("GRAPHLAB_ROOT", str(tmp_path / "root"))
    monkeypatch.setattr(graphlab.data, "load", fixed_graphs(150 * [HEXAGON] + 1050 * [TRIANGLES]), raising=False)


def evaluate(*words: str) -> int:
    return main(["eval", "expressivity", "--out", "out", *words])


def table(text: str) -> dict[str, dict[str, str]]:
    return {row["network"]: row for row in csv.DictReader(io.StringIO(text))}


def test_it_measures_prints_the_table_and_does_nothing_twice(capsys: Any) -> None:
    words = ("--model", f"{WALKS},gin", "--data", "sr25,exp", "--format", "csv")
    assert evaluate(*words) == 0
    first = capsys.readouterr()
    assert first.err.startswith(f"[1/4] {WALKS} on sr25: sr25 ")
    rows = table(first.out)
    assert rows["pairs"]["exp"] == "600" and rows[WALKS]["exp"] == rows["gin"]["exp"] == "0"
    assert evaluate(*words) == 0
    assert capsys.readouterr() == (first.out, "")


def test_pairs_are_trained_by_rpc(capsys: Any) -> None:
    assert evaluate("--protocol", "rpc", "--model", WALKS, "--pairs", "0-1,75", "--format", "csv") == 0
    found = capsys.readouterr()
    assert table(found.out)[WALKS]["basic"] == "0/2" and table(found.out)[WALKS]["unreliable"] == "0"
    assert found.err.count(f"{WALKS} on pair ") == 3


def test_list_measures_nothing(capsys: Any) -> None:
    assert evaluate("--list") == evaluate("--list", "--protocol", "rpc", "--format", "markdown") == 0
    text = capsys.readouterr().out
    assert "not run" in text and "I2-GNN" in text and "| Graphormer | BREC paper |" in text
    assert not Path("out").exists()


def test_what_cannot_be_measured_is_said_and_the_rest_is_done(capsys: Any) -> None:
    assert evaluate("--model", f"no.such:Net,{WALKS}", "--data", "csl") == 1
    found = capsys.readouterr()
    assert "no.such:Net on csl: passed over: --model: 'no.such:Net' is not to be had" in found.err
    assert f"[2/2] {WALKS} on csl" in found.err and "not run" in found.out


def test_a_network_of_the_current_folder_is_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before = [path for path in sys.path if path not in ("", str(tmp_path))]
    monkeypatch.setattr(sys, "path", before)
    (tmp_path / "own_walks.py").write_text(f"from {HERE} import ClosedWalks as Net")
    assert evaluate("--model", "own_walks:Net", "--data", "csl") == 0
    assert sys.path == before and str(tmp_path) not in sys.path


def test_a_damaged_result_is_not_run(capsys: Any) -> None:
    words = ("--model", "gin", "--data", "csl", "--format", "csv")
    assert evaluate(*words) == 0
    (path,) = Path("out/untrained").rglob("*.json")
    path.write_text(path.read_text()[:40])
    capsys.readouterr()
    for more, code in ((["--list"], 0), ([], 1)):
        assert evaluate(*words, *more) == code
        found = capsys.readouterr()
        assert found.err.count("csl.json: is no result of graphlab eval expressivity; remove it") == 1
        assert table(found.out)["gin"]["noise"] in ("not run", "")


def test_help_tells_of_what_is_measured_otherwise(capsys: Any) -> None:
    with pytest.raises(SystemExit):
        evaluate("--help")
    text = capsys.readouterr().out
    assert "ppgn++8: ppgn++ with sharper sines (frequency 8)" in text and "1e-06, not 1e-12" in text
    assert max(map(len, text.splitlines())) <= 120


def test_an_interruption_says_how_to_go_on(capsys: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(cell: Any) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(module, "measure", interrupted)
    assert evaluate("--model", "gin", "--data", "csl") == 130
    assert capsys.readouterr().err.endswith("go on with: graphlab eval expressivity --out out --model gin --data csl\n")


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--model", "spem"], "--model: no network is called 'spem'; perhaps you meant spen"),
        (["--data", "brek"], "--data: nothing to compare is called 'brek'; perhaps you meant brec"),
        (["--pairs", "3"], "--pairs: chooses what rpc trains; expected --protocol rpc beside it"),
        (["--protocol", "rpc", "--data", "csl"], "--data: rpc is the protocol of brec alone, got csl"),
        (["--protocol", "rpc", "--pairs", "400"], "--pairs: BREC has pairs 0 to 399, got 400"),
    ],
)
def test_choices_that_stand_for_nothing_are_refused(words: list[str], message: str, capsys: Any) -> None:
    assert evaluate(*words) == 2
    assert capsys.readouterr().err.startswith(f"graphlab eval: {message}")


@pytest.mark.parametrize(
    "words",
    [["--pairs", "5-2"], ["--model", "gin,"], ["--protocol", "trained"], ["--seed", "9" * 23], ["--seed", "-1"]],
)
def test_mistakes_are_answered_with_one_line(words: list[str], capsys: Any) -> None:
    with pytest.raises(SystemExit) as stop:
        evaluate(*words)
    assert stop.value.code == 2 and len(capsys.readouterr().err.splitlines()) == 1
