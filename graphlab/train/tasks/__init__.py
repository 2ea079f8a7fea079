"""Tasks by name: what is learned from a data set, and how it is judged."""

from typing import Any

import torch

import graphlab.data
from graphlab.disk.errors import DiskError
from graphlab.train.config import ConfigError, TrainConfig
from graphlab.train.tasks.base import NonFiniteError, Task
from graphlab.train.tasks.disk_node import DiskNodeTask
from graphlab.train.tasks.graph import GraphTask
from graphlab.train.tasks.multitask import MultitaskTask
from graphlab.train.tasks.node import NodeTask
from graphlab.train.tasks.preparation import refuse_preparation
from graphlab.train.tasks.sets import SetTask

__all__ = [
    "DiskNodeTask",
    "GraphTask",
    "MultitaskTask",
    "NodeTask",
    "NonFiniteError",
    "SetTask",
    "Task",
    "make_task",
]

_TASKS: dict[str, Any] = {
    "node-classification": NodeTask,
    "graph-classification": GraphTask,
    "graph-regression": GraphTask,
    "multitask-regression": MultitaskTask,
}


def make_task(config: TrainConfig, device: torch.device) -> Task:
    """Load the data set and its split, or open the store on disk.

    Args:
        config: names the data set, its split and its folder, or the store.
        device: where the data go.

    Raises:
        ConfigError: if there is no such data set or split, its files are missing, its task is not trained
            here, or its graph cannot be prepared as asked.
    """
    try:
        if config.disk is not None:
            refuse_preparation(config, "nodes of a store")
            _refuse_protocol(config, "a store")
            return DiskNodeTask(config.disk, device, (config.memory_budget << 20) or None)
        dataset: Any = graphlab.data.load(config.data, root=config.root)
        if dataset.card.task != "node-classification":
            refuse_preparation(config, f"examples of '{config.data}'")
        if dataset.card.task == "set":
            _refuse_protocol(config, f"'{config.data}'")
            return SetTask(dataset, device)
        if dataset.card.task not in _TASKS:
            raise ValueError(
                f"data: the task of '{config.data}' is {dataset.card.task}; "
                f"expected a data set for {', '.join([*_TASKS, 'set'])}"
            )
        splits = graphlab.data.splits(dataset, config.split, config.protocol, config.seed)
        if dataset.card.task == "multitask-regression":
            return MultitaskTask(dataset, splits, device)
        return _TASKS[dataset.card.task](dataset, splits, device, config)
    except (DiskError, ValueError, IndexError, OSError, ImportError) as error:
        raise ConfigError(" ".join(str(error).split())) from error


def _refuse_protocol(config: TrainConfig, what: str) -> None:
    if config.protocol != "default":
        raise ConfigError(f"protocol: {what} has one split; expected 'default', got '{config.protocol}'")
