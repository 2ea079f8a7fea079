"""From a configuration and a problem to a network."""

import importlib
import inspect

from torch import nn

from graphlab.models.config import (
    MODELS,
    GraphNetConfig,
    MlpConfig,
    ModelConfig,
    MpnnConfig,
    NodeNetConfig,
    SetConfig,
)
from graphlab.models.mpnn import Mpnn
from graphlab.models.problem import Problem
from graphlab.models.sets import SetNet
from graphlab.models.stack import Stack

_STACK_TASKS = ("node-classification", "graph-classification", "graph-regression")
_TASKS: dict[type[ModelConfig], tuple[str, ...]] = {
    MlpConfig: _STACK_TASKS,
    SetConfig: ("set",),
    MpnnConfig: ("multitask-regression",),
    NodeNetConfig: ("node-classification",),
    GraphNetConfig: ("graph-classification", "graph-regression"),
}


def build(config: ModelConfig, problem: Problem) -> nn.Module:
    """Build the network that ``config`` describes for ``problem``, all parameters in place.

    Args:
        config: one of the dataclasses in :data:`graphlab.models.MODELS`.
        problem: the task and its widths.

    Raises:
        ValueError: if this network does not learn this task, or an aggregator cannot be made.

    Example:
        >>> from graphlab.models import Problem, SageConfig, build
        >>> net = build(SageConfig(hidden_channels=16), Problem("node-classification", 8, 3))
        >>> net.head
        Linear(in_features=16, out_features=3, bias=True)
    """
    if problem.task not in learns(type(config)):
        able = [name for name, cls in MODELS.items() if problem.task in learns(cls)]
        raise ValueError(
            f"model: '{config.name}' does not learn the task '{problem.task}'; "
            f"expected {' or '.join(able) if able else 'another data set: no network does'}"
        )
    if isinstance(config, SetConfig):
        return SetNet(config, problem)
    if isinstance(config, MpnnConfig):
        return Mpnn(config, problem)
    if isinstance(config, NodeNetConfig | GraphNetConfig):
        return _net(config, problem)
    assert isinstance(config, MlpConfig)
    return Stack(config, problem)


def _net(config: NodeNetConfig | GraphNetConfig, problem: Problem) -> nn.Module:
    """A network of a room, whose constructor takes what its configuration is called."""
    if problem.atoms:
        raise ValueError(f"model: '{config.name}' multiplies node features and these are atom categories; take 'gin'")
    module, _, name = config.network.partition(":")
    network = getattr(importlib.import_module(module), name)
    given = {"in_channels": problem.in_channels, "out_channels": problem.out_channels, **vars(config)}
    asked = inspect.signature(network).parameters
    of_data = {"num_nodes": problem.num_nodes, "edge_dim": problem.edge_channels}
    given |= {key: value for key, value in of_data.items() if key in asked}
    return network(**given)


def learns(config_class: type[ModelConfig]) -> tuple[str, ...]:
    """The tasks that the network of this configuration can learn."""
    return next(tasks for cls, tasks in _TASKS.items() if issubclass(config_class, cls))
