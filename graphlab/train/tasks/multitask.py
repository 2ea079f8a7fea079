"""Several numbers of every node and of every graph at once."""

from collections.abc import Iterator
from typing import Any

import torch
from torch import Generator, Tensor, nn

from graphlab.models import Problem
from graphlab.train.distributed import World
from graphlab.train.tasks.base import Task, collate, finite, shuffled, some_of


class MultitaskTask(Task):
    """Regression of node and graph targets, each target weighing the same.

    Batches hold graphs of one size, because the network's depth is half the number of nodes.

    Args:
        dataset: a data set of graphs with ``y_node`` and ``y_graph``.
        splits: graph indices of each split.
        device: where batches go.
    """

    higher_is_better = False

    def __init__(self, dataset: Any, splits: dict[str, Tensor], device: torch.device) -> None:
        self.dataset, self.splits, self.device = dataset, splits, device
        self.metric_name = dataset.card.metric
        self.sizes = torch.tensor([data.num_nodes for data in dataset])
        self.cached: dict[str, list[Any]] = {}
        first = dataset[0]
        self.problem = Problem(
            dataset.card.task,
            first.x.size(-1),
            first.y_graph.size(-1),
            node_channels=first.y_node.size(-1),
        )

    def batches(self, size: int, generator: Generator, world: World) -> Iterator[Any]:
        """Batches of up to ``size`` graphs of one number of nodes, in random order."""
        parts = self._by_size(shuffled(self.splits["train"], generator), size)
        for place in torch.randperm(len(parts), generator=generator).tolist():
            mine = world.share(parts[place])
            if mine.numel():
                yield collate(self.dataset, mine, self.device)

    def loss(self, model: nn.Module, batch: Any) -> Tensor:
        """Mean squared error, averaged over the targets."""
        return torch.cat([one.mean(dim=0) for one in _squared_errors(model, batch)]).mean()

    def evaluate(self, model: nn.Module, size: int) -> dict[str, float]:
        r"""The mean over targets of :math:`\log_{10}` of the mean squared error."""
        return {name: self._metric(model, name, size) for name in self.splits}

    def _metric(self, model: nn.Module, name: str, size: int) -> float:
        if name not in self.cached:
            rows = self.splits[name]
            if name == "train":
                rows = some_of(rows, self.splits["valid"].numel())
            self.cached[name] = [collate(self.dataset, part, self.device) for part in self._by_size(rows, size)]
        errors = [_squared_errors(model, batch) for batch in self.cached[name]]
        means = [finite(torch.cat(kind)).double().mean(dim=0) for kind in zip(*errors, strict=True)]
        return float(torch.cat(means).log10().mean())

    def _by_size(self, rows: Tensor, size: int) -> list[Tensor]:
        sizes = self.sizes[rows]
        return [part for n in sizes.unique() for part in rows[sizes == n].split(size)]


def _squared_errors(model: nn.Module, batch: Any) -> tuple[Tensor, Tensor]:
    """Squared errors of nodes ``[num_nodes, targets]`` and of graphs ``[num_graphs, targets]``."""
    nodes, graphs = model(batch.x, batch.edge_index, batch.batch, batch.num_graphs)
    return (nodes - batch.y_node).square(), (graphs - batch.y_graph).square()
