"""Classes of the nodes of one graph, trained on the whole graph at once."""

from collections.abc import Iterator
from typing import Any

import torch
from torch import Generator, Tensor, nn
from torch.nn import functional as F

from graphlab.models import Problem
from graphlab.train.distributed import World
from graphlab.train.metrics import METRICS
from graphlab.train.tasks.base import Task, finite


class NodeTask(Task):
    """Full-batch node classification; processes share the training nodes' loss.

    Args:
        dataset: a data set of one graph.
        splits: node indices of each split.
        device: where the graph lies.
    """

    def __init__(self, dataset: Any, splits: dict[str, Tensor], device: torch.device) -> None:
        self.data = dataset[0].to(device)
        self.splits = {name: rows.to(device) for name, rows in splits.items()}
        self.metric_name = dataset.card.metric
        self.metric = METRICS[self.metric_name]
        self.higher_is_better = self.metric.higher_is_better
        self.problem = Problem(dataset.card.task, dataset.num_features, dataset.num_classes)

    def batches(self, size: int, generator: Generator, world: World) -> Iterator[tuple[Tensor, float]]:
        """One batch: this process's training nodes, and how many there are per process."""
        rows = self.splits["train"]
        yield rows[world.rank :: world.size], rows.numel() / world.size

    def loss(self, model: nn.Module, batch: tuple[Tensor, float]) -> Tensor:
        """Cross entropy."""
        rows, count = batch
        logits = model(self.data.x, self.data.edge_index)[rows]
        return F.cross_entropy(logits, self.data.y[rows], reduction="sum") / count

    def evaluate(self, model: nn.Module, size: int) -> dict[str, float]:
        """The metric on all nodes of each split, from one forward pass."""
        logits = finite(model(self.data.x, self.data.edge_index))
        return {name: self.metric.compute(logits[rows], self.data.y[rows]) for name, rows in self.splits.items()}
