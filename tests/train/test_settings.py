import pytest

from graphlab.models.config import GinConfig, MlpConfig, SageConfig
from graphlab.train.config import ConfigError, TrainConfig
from graphlab.train.settings import Layer, plan, resolve

FILE = Layer("demo.toml", {"lr": "0.5", "epochs": "7", "model.aggr": "max", "runs": "2"})


def test_flags_win_over_the_file_and_the_file_over_the_defaults():
    config = resolve([FILE, Layer("", {"lr": "0.25", "model.aggr": "sum"})])
    assert (config.lr, config.model.aggr) == (0.25, "sum")
    assert (config.epochs, config.runs) == (7, 2)
    assert config.batch_size == TrainConfig().batch_size


def test_nothing_said_gives_the_defaults():
    assert resolve([Layer()]) == TrainConfig()


def test_another_network_keeps_what_it_shares_with_the_files():
    file = Layer("demo.toml", {"model": "sage", "model.aggr": "max", "model.dropout": "0.125"})
    assert resolve([file, Layer("", {"model": "mlp"})]).model == MlpConfig(dropout=0.125)
    assert resolve([file, Layer("", {"model": "gin"})]).model == GinConfig(dropout=0.125, aggr="max")
    assert resolve([file, Layer("", {"model.readout": "sum"})]).model == SageConfig(
        dropout=0.125, aggr="max", readout="sum"
    )


@pytest.mark.parametrize(
    ("layer", "message"),
    [
        (Layer("", {"epoch": "3"}), "--epoch: unknown option; perhaps you meant --epochs"),
        (Layer("", {"model.hidden_chanels": "3"}), "--model.hidden-chanels: .*--model.hidden-chann"),
        (Layer("", {"aggr": "sum"}), "--aggr: unknown option; perhaps you meant --model.aggr"),
        (Layer("f.toml", {"optim.lr": "1"}), "f.toml: optim.lr: unknown .* meant lr$"),
        (Layer("", {"model": "mlp", "model.aggr": "sum"}), "--model.aggr: unknown option"),
        (Layer("", {"model": "gim"}), "--model: no network is called 'gim'; perhaps you meant gin"),
        (Layer("", {"lr": "fast"}), "--lr: expected a number, got 'fast'"),
        (Layer("", {"lr": "nan"}), "--lr: expected a number finite and > 0, got nan"),
        (Layer("", {"runs": "1.5"}), "--runs: expected an integer, got '1.5'"),
        (Layer("f.toml", {"runs": "0"}), "f.toml: runs: expected a number >= 1, got 0"),
        (Layer("", {"optimizer": "lion"}), "--optimizer: expected one of adam, adamw, sgd"),
        (
            Layer("bad/a.toml", {"model.norn": "x"}),
            "bad/a.toml: model.norn: unknown option; perhaps you meant model.norm$",
        ),
        (Layer("", {"model.norn": "x"}), "--model.norn: unknown option; perhaps you meant --model.norm$"),
        (Layer("", {"model.dropout": "1"}), "--model.dropout: expected a number < 1, got 1.0"),
    ],
)
def test_what_cannot_be_used_is_refused_by_name(layer, message):
    with pytest.raises(ConfigError, match=f"^{message}"):
        resolve([layer])


def test_values_that_look_like_flags_are_values():
    assert resolve([Layer("", {"name": "--x"})]).name == "--x"


def test_a_sweep_is_every_combination_in_order():
    todo = plan([Layer("", {}, {"model": ["sage", "gin"], "lr": ["0.1", "0.2"]})])
    settings = [tuple(setting.values()) for setting, _ in todo.configs]
    assert settings == [("sage", "0.1"), ("sage", "0.2"), ("gin", "0.1"), ("gin", "0.2")]
    assert [(one.model.name, str(one.lr)) for _, one in todo.configs] == settings


def test_a_flags_sweep_replaces_the_files_sweep_of_that_key():
    file = Layer("demo.toml", {}, {"model.aggr": ["sum", "max"], "lr": ["0.1"]})
    todo = plan([file, Layer("", {}, {"model.aggr": ["mean"]})])
    assert todo.sweep == {"model.aggr": ["mean"], "lr": ["0.1"]}


@pytest.mark.parametrize(
    ("sweep", "message"),
    [
        ({"model.agr": ["sum"]}, "sweep: model.agr: unknown option; .*model.aggr"),
        ({"lr": ["0.1", "-1"]}, "sweep: lr: expected a number > 0, got -1.0"),
        ({"lr": ["0.1", "0.1"]}, "--sweep: lr expected different values"),
        ({"lr": []}, "--sweep: lr expected different values, got none"),
        ({"out": ["a", "b"]}, "--sweep: out cannot be swept"),
    ],
)
def test_a_bad_sweep_is_refused_before_training(sweep, message):
    with pytest.raises(ConfigError, match=message):
        plan([Layer("", {}, sweep)])
