import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from graphlab.cli import main
from graphlab.train.run import Run
from tests.train.evaluation.recipes import QUICK, with_splits, write

ROOT = Path(__file__).parents[2]


@pytest.fixture(autouse=True)
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


def evaluate(*words: str) -> int:
    return main(["eval", "directed", "--configs", "recipes", "--out", "out", *words])


def started(*words: str) -> subprocess.Popen:
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"}
    return subprocess.Popen([sys.executable, *words], env=environment, text=True, stdout=-1, stderr=-1)


def test_it_trains_prints_the_table_and_does_nothing_twice(capsys):
    write(Path("recipes"), karate_sage="", karate_mlp="")
    assert evaluate() == 0
    first = capsys.readouterr()
    assert re.findall(r"^\[(\d)/2\] karate_\w+ split 0: accuracy valid 0", first.err, re.MULTILINE) == ["1", "2"]
    assert re.search(r"^karate +sage +accuracy \(%\) +\d+\.\d\d +1 ", first.out, re.MULTILINE)
    assert evaluate() == 0
    assert capsys.readouterr() == (first.out, "")


def test_list_trains_nothing(capsys):
    write(Path("recipes"), karate_sage="")
    assert evaluate("--list", "--format", "markdown") == 0
    assert "| karate | sage | accuracy (%) | not run | 0 of 1 |" in capsys.readouterr().out
    assert not Path("out").exists()


def test_data_networks_and_splits_can_be_chosen(capsys, monkeypatch):
    with_splits(monkeypatch, 10)
    digits = QUICK.format(model="mlp").replace("karate", "digits")
    write(Path("recipes"), karate_sage="", karate_gin="", digits_mlp=digits)
    assert evaluate("--data", "Karate", "--model", "gin,mlp", "--splits", "2,4-5") == 0
    assert sorted(path.as_posix() for path in Path("out").glob("*/*.json")) == [
        f"out/karate_gin/{split}.json" for split in (2, 4, 5)
    ]
    assert " 3 " in capsys.readouterr().out


def test_a_changed_recipe_is_trained_anew_and_that_is_said(capsys):
    write(Path("recipes"), karate_sage="")
    evaluate()
    before = json.loads(Path("out/karate_sage/0.json").read_text())
    write(Path("recipes"), karate_sage="features = 'row'\n" + QUICK.format(model="sage"))
    capsys.readouterr()
    assert evaluate() == 0
    assert capsys.readouterr().err.startswith("karate_sage: changed since it was trained: its cells are trained anew\n")
    assert json.loads(Path("out/karate_sage/0.json").read_text())["fingerprint"] != before["fingerprint"]


def test_an_interruption_says_how_to_go_on(capsys, monkeypatch):
    write(Path("recipes"), karate_mlp="", karate_sage="")
    train_epoch = Run.train_epoch

    def interrupted(run: Run) -> dict:
        if run.config.model.name == "sage" and run.epoch == 2:
            raise KeyboardInterrupt
        return train_epoch(run)

    with monkeypatch.context() as patch:
        patch.setattr(Run, "train_epoch", interrupted)
        assert evaluate() == 130
    error = capsys.readouterr().err.splitlines()[-1]
    assert error.startswith("graphlab eval: interrupted; finished cells are kept; go on with: graphlab eval directed ")
    assert [path.parent.name for path in Path("out").glob("*/*.json")] == ["karate_mlp"]
    assert main(error.partition("go on with: graphlab ")[2].split()) == 0
    assert capsys.readouterr().err.startswith("[2/2] karate_sage split 0:")


# Kills itself in the middle of its second cell: another process would have to be quick enough.
KILLED = """
import os, signal, sys
from graphlab.cli import main
from graphlab.train.run import Run
train_epoch = Run.train_epoch
def killed(run):
    if run.config.model.name == "sage" and run.epoch == 2:
        os.kill(os.getpid(), signal.SIGKILL)
    return train_epoch(run)
Run.train_epoch = killed
main(sys.argv[1:])
"""


def test_a_killed_process_leaves_its_cell_to_the_next(capsys):
    write(Path("recipes"), karate_mlp="", karate_sage="")
    with started("-c", KILLED, "eval", "directed", "--configs", "recipes", "--out", "out") as process:
        assert process.wait() == -9
    assert [path.parent.name for path in Path("out").glob("*/*.json")] == ["karate_mlp"]
    assert evaluate() == 0
    assert capsys.readouterr().err.startswith("[2/2] karate_sage split 0:")


def test_two_processes_divide_the_cells():
    names = [f"karate_{letter}_sage" for letter in "abcdefgh"]
    write(Path("recipes"), **dict.fromkeys(names, QUICK.format(model="sage").replace("= 4\n", "= 60\n", 1)))
    words = ("-m", "graphlab", "eval", "directed", "--configs", "recipes", "--out", "out")
    both = [started(*words), started(*words)]
    lines = [process.communicate()[1] for process in both]
    assert [process.returncode for process in both] == [0, 0], lines
    done = [re.findall(r"^\[\d/8\] (\w+) split 0: acc", text, re.MULTILINE) for text in lines]
    assert sorted(done[0] + done[1]) == names
    assert len(list(Path("out").glob("*/0.json"))) == 8


def test_missing_data_are_passed_over_with_the_reason(capsys, monkeypatch):
    monkeypatch.delenv("GRAPHLAB_DATA", raising=False)
    monkeypatch.setenv("GRAPHLAB_ROOT", str(Path.cwd() / "root"))
    monkeypatch.setattr("graphlab.data.sources.read_through", lambda *_: (_ for _ in ()).throw(FileNotFoundError("no")))
    monkeypatch.setattr("graphlab.data.pyg.read_through", lambda *_: (_ for _ in ()).throw(FileNotFoundError("no raw")))
    write(Path("recipes"), karate_sage="", cora_mlp=QUICK.format(model="mlp").replace("karate", "cora"))
    assert evaluate() == 1
    captured = capsys.readouterr()
    assert "cora_mlp: passed over: no raw" in captured.err
    assert "not run" in captured.out and "[2/2] karate_sage" in captured.err


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ([], "the following arguments are required: SUITE"),
        (["directedd"], r"argument SUITE: invalid choice: 'directedd' \(choose from '?directed"),
        (["directed", "--configs", "gone"], "gone: cannot be read: No such file"),
        (["directed", "--configs", "."], r"--configs: . holds no \*.toml"),
        (
            ["directed", "--configs", "recipes", "--data", "karat"],
            "--data: no recipe for 'karat'; perhaps you meant",
        ),
        (["directed", "--configs", "recipes", "--model", "gin"], "--model: no recipe for 'gin'.*; there are sage"),
        (
            ["directed", "--configs", "recipes", "--splits", "0-"],
            "argument --splits: expected numbers and",
        ),
        (["directed", "--configs", "recipes", "--splits", "0,x"], "argument --splits: expected numbers and ranges"),
        (
            ["directed", "--configs", "recipes", "--splits", "5-3"],
            "argument --splits: expected ranges that ascend, of numbers below 10000, got '5-3'",
        ),
        (["directed", "--configs", "recipes", "--splits", "0-999999999"], "argument --splits: .*below 10000, got '0-9"),
        (["directed", "--configs", "recipes", "--splits", ""], "argument --splits: expected numbers and ranges"),
        (
            ["directed", "--configs", "recipes", "--data", ""],
            "argument --data: expected names as in A,B, got ''; ",
        ),
        (
            ["directed", "--configs", "recipes", "--model", "sage,"],
            "argument --model: expected names as in A,B, got '",
        ),
        (["directed", "--configs", "recipes", "--splits", "3"], "--splits: karate has splits 0 to 0, got 3"),
        (["directed", "--configs", "recipes", "--out", "/dev/null"], "--out: /dev/null/.* cannot be read: Not a dir"),
    ],
)
def test_a_mistake_is_answered_in_one_line(words, message, capsys):
    write(Path("recipes"), karate_sage="")
    try:
        code = main(["eval", *words])
    except SystemExit as stop:
        code = stop.code
    captured = capsys.readouterr()
    assert (code, captured.out, captured.err.count("\n")) == (2, "", 1)
    assert re.match(rf"graphlab eval( directed)?: .*{message}", captured.err)


def test_help_and_the_list_import_no_torch(tmp_path):
    write(tmp_path / "recipes", karate_sage="")
    for words in (["--list", "--configs", "recipes"], ["--help"]):
        code = f"import sys, graphlab.cli as c\ntry: c.main(['eval', 'directed', *{words}])\nexcept SystemExit: pass\n"
        with started("-c", f"{code}sys.exit(10 + ('torch' in sys.modules))") as process:
            out, error = process.communicate()
            assert process.returncode == 10, out + error
