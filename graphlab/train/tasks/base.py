"""What the loop asks of a task."""

from abc import ABC, abstractmethod
from collections.abc import Iterator
from typing import Any, ClassVar

import torch
from torch import Generator, Tensor, nn
from torch_geometric.data import Batch

from graphlab.models import ModelConfig, Problem
from graphlab.train.distributed import World

SPLITS = ("train", "valid", "test")


class NonFiniteError(ArithmeticError):
    """A loss or an output that is infinite or not a number."""


class Task(ABC):
    """A data set with a split: deals out training batches, prices them, evaluates networks."""

    problem: Problem
    metric_name: str
    higher_is_better: bool
    networks: ClassVar[type[ModelConfig]] = ModelConfig
    """Networks of such configurations learn from these data, if they learn the task at all."""

    @abstractmethod
    def batches(self, size: int, generator: Generator, world: World) -> Iterator[Any]:
        """Deal out one epoch in a random order: this process's shares, as many on every process."""

    @abstractmethod
    def loss(self, model: nn.Module, batch: Any) -> Tensor:
        """The loss of one batch; its average over the processes is that of their shares."""

    @abstractmethod
    def evaluate(self, model: nn.Module, size: int) -> dict[str, float]:
        """The metric on ``train``, ``valid`` and ``test``; on train, it may take only a part."""

    def validate(self, model: nn.Module, size: int) -> dict[str, float]:
        """The metric on ``valid`` at least: :meth:`evaluate`, but where less is much cheaper."""
        return self.evaluate(model, size)

    def better(self, value: float, than: float | None) -> bool:
        """Whether the metric ``value`` beats ``than``; anything beats nothing."""
        return than is None or (value > than if self.higher_is_better else value < than)


def shuffled(rows: Tensor, generator: Generator) -> Tensor:
    """The rows in random order."""
    return rows[torch.randperm(rows.size(0), generator=generator)]


def some_of(rows: Tensor, limit: int) -> Tensor:
    """At most ``limit`` of the rows, evenly spread: rows are often sorted by class."""
    return rows[:: max(1, -(-rows.numel() // limit))]


def collate(dataset: Any, rows: Tensor, device: torch.device) -> Any:
    """The graphs of these numbers as one batch on a device."""
    batch: Any = Batch.from_data_list([dataset[i] for i in rows.tolist()])
    return batch.to(device)


def finite(outputs: Tensor) -> Tensor:
    """The outputs themselves, if all are finite.

    Raises:
        NonFiniteError: if one is not: a metric of them would be a number without meaning.
    """
    if not bool(outputs.isfinite().all()):
        raise NonFiniteError("the network's output")
    return outputs
