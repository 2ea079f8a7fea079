"""Classes or numbers of whole graphs, trained on batches of graphs."""

import inspect
from collections.abc import Iterator
from typing import Any

import torch
from torch import Generator, Tensor, nn
from torch.nn import functional as F

from graphlab.models import Problem
from graphlab.train.config import TrainConfig
from graphlab.train.distributed import World
from graphlab.train.metrics import METRICS
from graphlab.train.tasks.base import Task, finite, shuffled, some_of
from graphlab.train.tasks.graph_store import GraphBatch, GraphStore


class GraphTask(Task):
    """Graph classification and regression.

    Labels that are class numbers are learned by cross entropy; tables of 0, 1 and missing (metric
    ``rocauc``) by binary cross entropy over what is known; numbers by absolute or squared error, as
    the metric is. Edge features go to a network whose ``forward`` has an argument ``edge_attr``.

    Args:
        dataset: a data set of many graphs.
        splits: graph indices of each split.
        device: where batches go.
        config: the settings; of these, whether edge features are used.
    """

    def __init__(
        self, dataset: Any, splits: dict[str, Tensor], device: torch.device, config: TrainConfig | None = None
    ) -> None:
        self.splits, self.store = splits, GraphStore(dataset, device)
        if config is not None and config.edge_features == "none":
            self.store.edge_attr = None
        self.metric_name = dataset.card.metric
        self.metric = METRICS[self.metric_name]
        self.higher_is_better = self.metric.higher_is_better
        self.price = _price(dataset)
        self.cached: dict[str, list[GraphBatch]] = {}
        first = dataset[0]
        classes = self.price is _class_loss
        self.problem = Problem(
            dataset.card.task,
            first.x.size(-1),
            dataset.num_classes if classes else first.y.view(1, -1).size(-1),
            atoms=not first.x.is_floating_point(),
            edge_channels=0 if self.store.edge_attr is None else self.store.edge_attr.size(1),
        )

    def batches(self, size: int, generator: Generator, world: World) -> Iterator[GraphBatch]:
        """Batches of ``size`` graphs over all processes."""
        for rows in shuffled(self.splits["train"], generator).split(size):
            mine = world.share(rows)
            if mine.numel():
                yield self.store.take(mine)

    def loss(self, model: nn.Module, batch: GraphBatch) -> Tensor:
        """Mean loss of the batch's graphs."""
        return self.price(_outputs(model, batch), batch.y)

    def evaluate(self, model: nn.Module, size: int) -> dict[str, float]:
        """The metric of each split; on train, of as many graphs as there are to validate on."""
        return {name: self._metric(model, name, size) for name in self.splits}

    def validate(self, model: nn.Module, size: int) -> dict[str, float]:
        """The metric on the graphs that validate."""
        return {"valid": self._metric(model, "valid", size)}

    def _metric(self, model: nn.Module, name: str, size: int) -> float:
        rows = self.splits[name]
        if name == "train":
            rows = some_of(rows, self.splits["valid"].numel())
        if name not in self.cached:
            self.cached[name] = [self.store.take(part) for part in rows.split(size)]
        batches = self.cached[name]
        outputs = torch.cat([_outputs(model, batch) for batch in batches])
        return self.metric.compute(finite(outputs), torch.cat([batch.y for batch in batches]))


def _outputs(model: nn.Module, batch: GraphBatch) -> Tensor:
    given = (batch.x, batch.edge_index, batch.batch, batch.num_graphs)
    if batch.edge_attr is None or "edge_attr" not in inspect.signature(model.forward).parameters:
        return model(*given)
    return model(*given, edge_attr=batch.edge_attr)


def _price(dataset: Any) -> Any:
    if dataset.card.task == "graph-regression":
        return _absolute_loss if dataset.card.metric == "mae" else _squared_loss
    return _known_loss if dataset.card.metric == "rocauc" else _class_loss


def _class_loss(logits: Tensor, labels: Tensor) -> Tensor:
    return F.cross_entropy(logits, labels.view(-1))


def _known_loss(logits: Tensor, labels: Tensor) -> Tensor:
    known = ~labels.isnan()
    return F.binary_cross_entropy_with_logits(logits[known], labels[known].to(logits.dtype))


def _absolute_loss(outputs: Tensor, targets: Tensor) -> Tensor:
    return F.l1_loss(outputs, targets)


def _squared_loss(outputs: Tensor, targets: Tensor) -> Tensor:
    return F.mse_loss(outputs, targets)
