"""Classes of the nodes of one graph, trained on the whole graph at once."""

from collections.abc import Iterator
from typing import Any

import torch
from torch import Generator, Tensor, nn
from torch.nn import functional as F

from graphlab.directed import DecoupledModel, HopFeatures
from graphlab.models import Problem
from graphlab.train.config import TrainConfig
from graphlab.train.distributed import World
from graphlab.train.metrics import METRICS
from graphlab.train.tasks.base import Task, finite
from graphlab.train.tasks.preparation import prepare, sparse_features


class NodeTask(Task):
    """Full-batch node classification; processes share the training nodes' loss.

    Features that are mostly zero go as a sparse matrix to a network whose class says ``takes_sparse = True``.

    Args:
        dataset: a data set of one graph.
        splits: node indices of each split.
        device: where the graph lies.
        config: the settings; of these, how features and edges are prepared.
    """

    def __init__(
        self, dataset: Any, splits: dict[str, Tensor], device: torch.device, config: TrainConfig | None = None
    ) -> None:
        config = config or TrainConfig()
        self.data: Any = prepare(dataset[0], splits, config).to(device)
        self.sparse_x = sparse_features(self.data.x) if config.sparse == "auto" else None
        self.splits = {name: rows.to(device) for name, rows in splits.items()}
        self.metric_name = dataset.card.metric
        self.metric = METRICS[self.metric_name]
        self.higher_is_better = self.metric.higher_is_better
        classes, nodes = dataset.num_classes, self.data.num_nodes
        self.problem = Problem("node-classification", self.data.x.size(1), classes, num_nodes=nodes)
        self._hops: tuple[Any, HopFeatures] | None = None
        self._parts: dict[str, tuple[Tensor, HopFeatures]] = {}

    def batches(self, size: int, generator: Generator, world: World) -> Iterator[tuple[Tensor, float]]:
        """One batch: this process's training nodes, and how many there are per process."""
        rows = self.splits["train"]
        yield rows[world.rank :: world.size], rows.numel() / world.size

    def loss(self, model: nn.Module, batch: tuple[Tensor, float]) -> Tensor:
        """Cross entropy."""
        rows, count = batch
        logits = self._logits(model, rows, "train")
        return F.cross_entropy(logits, self.data.y[rows], reduction="sum") / count

    def evaluate(self, model: nn.Module, size: int) -> dict[str, float]:
        """The metric on all nodes of each split, from one forward pass."""
        logits = finite(self._logits(model))
        return {name: self.metric.compute(logits[rows], self.data.y[rows]) for name, rows in self.splits.items()}

    def validate(self, model: nn.Module, size: int) -> dict[str, float]:
        """As :meth:`evaluate`; of a network that sees one row at a time, on the validation nodes alone."""
        if not isinstance(model, DecoupledModel):
            return self.evaluate(model, size)
        rows = self.splits["valid"]
        return {"valid": self.metric.compute(finite(self._logits(model, rows, "valid")), self.data.y[rows])}

    def _logits(self, model: nn.Module, rows: Tensor | None = None, part: str = "") -> Tensor:
        if isinstance(model, DecoupledModel):
            hops = self._hops_of(model)
            return model.classify(hops if rows is None else self._chosen(hops, rows, part))
        logits = model(self._x(model), self.data.edge_index)
        return logits if rows is None else logits[rows]

    def _hops_of(self, model: DecoupledModel) -> HopFeatures:
        """What the network's propagation gives, computed once for all networks that propagate alike."""
        made = type(model), model.recipe
        if self._hops is None or self._hops[0] != made:
            self._hops = None  # what is there makes room first
            self._parts.clear()
            with torch.no_grad():
                self._hops = made, model.precompute(self._x(model), self.data.edge_index)
        return self._hops[1]

    def _chosen(self, hops: HopFeatures, rows: Tensor, part: str) -> HopFeatures:
        """The hops of a part's rows, copied once: every epoch asks for the same."""
        if part not in self._parts or not self._parts[part][0].equal(rows):
            self._parts[part] = rows, hops[rows]
        return self._parts[part][1]

    def _x(self, model: nn.Module) -> Tensor:
        takes_sparse = getattr(model, "takes_sparse", False)
        return self.sparse_x if takes_sparse and self.sparse_x is not None else self.data.x
