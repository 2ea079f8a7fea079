from pathlib import Path

import pytest
import torch
from torch_geometric.data import Data

import graphlab.data
from graphlab.data.one_graph import OneGraph
from graphlab.train.config import ConfigError, TrainConfig
from graphlab.train.metrics import METRICS
from graphlab.train.tasks import MultitaskTask, make_task

CPU = torch.device("cpu")


@pytest.mark.parametrize("name", graphlab.data.names())
def test_every_card_that_can_be_trained_has_a_metric_here(name):
    card = graphlab.data.card(name)
    own = card.task in ("multitask-regression", "link-prediction", "unlabelled")
    assert own or card.metric in METRICS


def test_bad_names_splits_and_tasks_are_refused_in_one_line():
    for settings, message in [
        ({"data": "digit"}, "digits"),
        ({"data": "digits", "split": 3}, "split"),
        ({"data": "karate", "protocol": "gin"}, "'karate' has no folds for protocol='gin': use protocol='default'"),
        (
            {"data": "second-minimum", "protocol": "nested"},
            "protocol: 'second-minimum' has one split; expected 'default', got 'nested'",
        ),
        ({"disk": Path("store"), "protocol": "gin"}, "protocol: a store has one split; expected 'default', got 'gin'"),
    ]:
        with pytest.raises(ConfigError, match=message) as caught:
            make_task(TrainConfig(**settings), CPU)
        assert "\n" not in str(caught.value)


def test_link_prediction_is_told_to_be_elsewhere(monkeypatch):
    dataset = graphlab.data.load("digits")
    vars(dataset)["card"] = graphlab.data.card("ogbl-ddi")
    monkeypatch.setattr(graphlab.data, "load", lambda name, root=None: dataset)
    with pytest.raises(ConfigError, match="the task of 'x' is link-prediction; expected a data set for node-"):
        make_task(TrainConfig(data="x"), CPU)


def test_an_unlabelled_graph_is_refused_in_one_line(monkeypatch):
    graph = OneGraph(Data(edge_index=torch.tensor([[0], [1]]), num_nodes=2))
    vars(graph)["card"] = graphlab.data.card("ego-facebook")
    monkeypatch.setattr(graphlab.data, "load", lambda name, root=None: graph)
    with pytest.raises(
        ConfigError, match="data: the task of 'x' is unlabelled; expected a data set for node-"
    ) as caught:
        make_task(TrainConfig(data="x"), CPU)
    assert "\n" not in str(caught.value)


def test_the_multitask_set_becomes_its_task(tmp_path, monkeypatch):
    small = graphlab.data.PNAMultitask(tmp_path, num_train=2, num_valid=1, num_test=1)
    vars(small)["card"] = graphlab.data.card("pna-multitask")
    monkeypatch.setattr(graphlab.data, "load", lambda name, root=None: small)
    task = make_task(TrainConfig(data="pna-multitask"), CPU)
    assert isinstance(task, MultitaskTask)
    assert (task.problem.in_channels, task.problem.node_channels, task.problem.out_channels) == (2, 3, 3)
