import json
import os
from pathlib import Path

import pytest

from graphlab.cli import main
from tests.train.evaluation.recipes import write
from tests.train.small import Graphs, use

NEEDS_FILES = pytest.mark.skipif(not os.environ.get("GRAPHLAB_DATA"), reason="GRAPHLAB_DATA is unset: no raw files")
RECIPE = 'data = "mutag"\nepochs = 3\n[model]\nname = "gin"\nhidden_channels = 4\nnum_layers = 1\n'


@pytest.fixture(autouse=True)
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    write(Path("recipes"), mutag_gin=RECIPE)


def evaluate(*words: str) -> int:
    return main(["eval", "graphs", "--configs", "recipes", "--out", "out", *words])


def files() -> list[str]:
    return sorted(path.name for path in Path("out/mutag_gin").glob("*.json"))


def test_both_protocols_are_trained_and_shown_and_nothing_twice(capsys, monkeypatch):
    use(monkeypatch, Graphs())
    assert evaluate("--splits", "0-1", "--seeds", "2") == 0
    first = capsys.readouterr()
    assert files() == ["gin-0.json", "gin-1.json", *(f"nested-{fold}-{n}.json" for fold in (0, 1) for n in (0, 1))]
    assert "[6/6] mutag_gin nested split 1 repeat 1: accuracy valid" in first.err
    header, ours, *others = first.out.splitlines()
    assert header.split("  ")[0] == "data" and "CPU s nested" in header
    assert ours.split()[:2] == ["mutag", "gin"] and "89.40 ± 5.60" in ours
    assert [line.split()[1] for line in others] == ["IGN", "PPGN", "DSS-GNN"]
    assert evaluate("--splits", "0-1", "--seeds", "2") == 0
    assert capsys.readouterr() == (first.out, "")
    assert evaluate("--splits", "0-1", "--protocol", "gin", "--list") == 0
    assert len(files()) == 6


@pytest.mark.skipif(
    not os.environ.get("GRAPHLAB_DATA"), reason="GRAPHLAB_DATA is unset: there are no raw files to read"
)
def test_a_fold_of_mutag_is_trained_by_each_protocol(monkeypatch):
    monkeypatch.setenv("GRAPHLAB_ROOT", "root")
    assert evaluate("--splits", "4", "--seeds", "1") == 0
    gin, nested = (json.loads(Path(f"out/mutag_gin/{key}.json").read_text()) for key in ("gin-4", "nested-4-0"))
    assert gin["curve"][gin["best_epoch"] - 1] == gin["test"] == gin["valid"] and len(gin["curve"]) == 3
    assert (nested["protocol"], nested["seed"], nested["split"]) == ("nested", 4, 4)
    assert nested["valid"] == max(nested["curve"])


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--protocol", "default"], "argument --protocol: expected some of gin, nested, got 'default'"),
        (["--seeds", "0"], "argument --seeds: expected a number from 1 to 1000, got '0'"),
        (["--splits", "10"], "--splits: mutag has splits 0 to 9, got 10"),
    ],
)
def test_a_mistake_is_answered_in_one_line(words, message, capsys):
    try:
        code = evaluate(*words)
    except SystemExit as stop:
        code = stop.code
    captured = capsys.readouterr()
    assert (code, captured.out, captured.err.count("\n")) == (2, "", 1)
    assert message in captured.err


@pytest.mark.skipif(
    not os.environ.get("GRAPHLAB_DATA"), reason="GRAPHLAB_DATA is unset: there are no raw files to read"
)
def test_train_takes_a_protocol_and_refuses_it_where_there_is_none(monkeypatch, capsys):
    monkeypatch.setenv("GRAPHLAB_ROOT", "root")
    words = ["train", "recipes/mutag_gin.toml", "--name", "run"]
    assert main([*words, "--protocol", "nested", "--split", "2"]) == 0
    assert 'protocol = "nested"' in Path("runs/run/config.toml").read_text()
    capsys.readouterr()
    assert main([*words, "--data", "karate", "--protocol", "gin"]) == 2
    assert "'karate' has no folds for protocol='gin': use protocol='default'" in capsys.readouterr().err
