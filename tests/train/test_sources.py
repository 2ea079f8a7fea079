from pathlib import Path

import pytest

from graphlab.train.config import ConfigError
from graphlab.train.settings import Layer, plan
from graphlab.train.sources import read_flags, read_plan, read_toml

EXAMPLES = Path(__file__).parents[2] / "examples"


def written(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "some.toml"
    path.write_text(text, encoding="utf-8")
    return path


def test_a_file_becomes_a_layer(tmp_path):
    path = written(
        tmp_path,
        'lr = 1e-3\nruns = 2\n[model]\nname = "gin"\naggr = ["mean", "max"]\n'
        '[sweep]\n"model.norm" = ["none", "batch"]\nmodel.aggr = ["sum", ["mean", "max"]]\n',
    )
    assert read_toml(path) == Layer(
        str(path),
        {"lr": "0.001", "runs": "2", "model": "gin", "model.aggr": "mean,max"},
        {"model.norm": ["none", "batch"], "model.aggr": ["sum", "mean,max"]},
    )


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("lr = \n", "is no TOML: .*line 1"),
        ("[sweep]\nlr = 3", "sweep: lr expected a list of values, got 3"),
        ("sweep = 3", "sweep: .*expected a list of values, got 3"),
        ("lr = {a = 1}", "lr.a: unknown option"),
        ("model = 3", "model: no network is called '3'"),
    ],
)
def test_a_bad_file_is_refused_by_its_name(tmp_path, text, message):
    path = written(tmp_path, text)
    with pytest.raises(ConfigError, match=f"some.toml: {message}"):
        plan([read_toml(path)])


def test_a_file_that_is_not_there_or_no_text_is_refused(tmp_path):
    with pytest.raises(ConfigError, match=r"gone.toml: cannot be read: No such file"):
        read_toml(tmp_path / "gone.toml")
    with pytest.raises(ConfigError, match="cannot be read: Is a directory"):
        read_toml(tmp_path)
    (tmp_path / "binary.toml").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(ConfigError, match=r"binary.toml: is no TOML"):
        read_toml(tmp_path / "binary.toml")


def test_dashes_underscores_and_equals_signs_are_all_understood():
    spellings = [
        ["--model.hidden-channels", "8", "--batch-size", "4"],
        ["--model.hidden_channels=8", "--batch_size=4"],
    ]
    layers = [read_flags(words).layer for words in spellings]
    assert layers[0] == layers[1] == Layer("", {"model.hidden_channels": "8", "batch_size": "4"})


def test_the_words_of_a_line_are_sorted_wherever_they_stand():
    line = read_flags(["--lr", "-1", "demo.toml", "--sweep", "model.aggr=sum, max", "--sweep=lr=1"])
    assert line.config == Path("demo.toml")
    assert line.resume is None
    assert line.layer == Layer("", {"lr": "-1"}, {"model.aggr": ["sum", "max"], "lr": ["1"]})
    assert read_flags(["--resume", "runs/a"]).resume == Path("runs/a")
    assert read_flags(["-h"]).help


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--lr"], "--lr: expected a value after it"),
        (["a.toml", "b.toml"], "expected one configuration file, got a.toml and b.toml"),
        (["--sweep", "lr"], "--sweep: expected KEY=VALUE,VALUE,..., got 'lr'"),
    ],
)
def test_a_line_that_makes_no_sense_is_refused(words, message):
    with pytest.raises(ConfigError, match=message):
        read_flags(words)


def test_only_a_run_directory_can_be_continued(tmp_path):
    with pytest.raises(ConfigError, match=r"--resume: .* holds no config.toml"):
        read_plan(tmp_path)


@pytest.mark.parametrize("path", sorted(EXAMPLES.glob("*.toml")), ids=lambda one: one.name)
def test_the_examples_are_understood(path):
    assert plan([read_toml(path)]).configs


def test_the_demo_compares_five_aggregators():
    configs = plan([read_toml(EXAMPLES / "demo.toml")]).configs
    names = [config.model.aggr for _, config in configs]
    assert names == ["treelcm", "segmentgru", "sum", "mean", "max"]
