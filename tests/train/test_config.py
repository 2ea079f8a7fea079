from pathlib import Path

import pytest

from graphlab.models.config import GinConfig, SetConfig
from graphlab.train.config import TrainConfig, to_toml
from graphlab.train.settings import plan, resolve
from graphlab.train.sources import read_toml

CONFIGS = [
    TrainConfig(),
    TrainConfig(
        data="cora",
        root=Path("some where/data"),
        model=GinConfig(aggr="mean,max", dropout=0.0, norm="layer"),
        lr=1e-05,
        out=Path("out"),
        name='a "quoted" näme',
        save_every=0.25,
        optimizer="sgd",
    ),
    TrainConfig(model=SetConfig(hidden_channels=7), patience=3, weight_decay=5e-4),
]


@pytest.mark.parametrize("config", CONFIGS, ids=lambda one: one.data)
def test_a_written_configuration_reads_back_the_same(config, tmp_path):
    path = tmp_path / "config.toml"
    path.write_text(to_toml(config), encoding="utf-8")
    assert resolve([read_toml(path)]) == config


def test_a_written_sweep_reads_back_the_same(tmp_path):
    path = tmp_path / "config.toml"
    sweep = {"model.aggr": ["sum", "mean,max"], "lr": ["0.1", "1e-3"]}
    path.write_text(to_toml(CONFIGS[1], sweep), encoding="utf-8")
    todo = plan([read_toml(path)])
    assert todo.sweep == sweep
    assert [(one.model.aggr, one.lr) for _, one in todo.configs] == [
        ("sum", 0.1),
        ("sum", 0.001),
        ("mean,max", 0.1),
        ("mean,max", 0.001),
    ]


@pytest.mark.parametrize("name", ["a/b", "..", "a\\b"])
def test_a_name_that_is_no_folder_name_is_refused(name):
    with pytest.raises(ValueError, match="name: expected the name of one folder"):
        TrainConfig(name=name)


def test_ranges_hold_in_python_too():
    with pytest.raises(ValueError, match="runs: expected a number >= 1, got 0"):
        TrainConfig(runs=0)
