"""Classes of the nodes of a graph that lies on disk, trained on its packed batches."""

import tempfile
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import torch
from torch import Generator, Tensor, nn
from torch.nn import functional as F

from graphlab.disk import DiskLoader, Neighbors, Rows, Stage, Store, layer_wise
from graphlab.models import MlpConfig, Problem
from graphlab.models.stack import Stack
from graphlab.ops import clear_cache
from graphlab.train.distributed import World
from graphlab.train.metrics import METRICS
from graphlab.train.tasks.base import Task, finite

_MASKS = {"train": "train_mask", "valid": "val_mask", "test": "test_mask"}


class DiskNodeTask(Task):
    """Mini-batch node classification from a store; judged by exact embeddings, computed layer by layer.

    Args:
        path: the store; its input nodes are the training nodes, its attributes hold ``y`` and the three masks.
        device: where the batches go.
        memory_budget: bytes that the process may hold.

    Raises:
        ValueError: if the store lacks labels or masks.
    """

    networks = MlpConfig

    def __init__(self, path: Path, device: torch.device, memory_budget: int | None) -> None:
        self.path, self.device, self.memory_budget = path, device, memory_budget
        self.store = Store(path)
        missing = [name for name in ("y", *_MASKS.values()) if name not in self.store.info.attributes]
        if missing:
            raise ValueError(
                f"disk: {path} lacks {', '.join(missing)}; expected a store prepared with labels and masks per node"
            )
        if len(self.store.info.row_shape) != 1:
            raise ValueError(
                f"disk: the features of {path} have rows of shape {self.store.info.row_shape}, expected rows of numbers"
            )
        self.y = self._labels()
        self.splits = {name: self._rows(mask) for name, mask in _MASKS.items()}
        self.metric_name = "accuracy"
        self.metric = METRICS[self.metric_name]
        self.higher_is_better = self.metric.higher_is_better
        width, classes = self.store.info.row_shape[0], int(self.y.max()) + 1
        self.problem = Problem("node-classification", width, classes, num_nodes=self.y.numel())
        self._loader: DiskLoader | None = None

    def batches(self, size: int, generator: Generator, world: World) -> Iterator[Any]:
        """The store's batches in a random order: this process's share of them."""
        if self._loader is None:
            self._loader = DiskLoader(
                self.path, memory_budget=self.memory_budget, rank=world.rank, world_size=world.size
            )
        self._loader.set_epoch(int(torch.randint(2**31, (), generator=generator)))
        for batch in self._loader:
            yield batch.to(self.device)
            # Layers remember graphs; the one of a batch does not come again while it would be remembered.
            clear_cache()

    def loss(self, model: nn.Module, batch: Any) -> Tensor:
        """Cross entropy of the seeds."""
        sampled = {}
        if isinstance(model, Stack) and len(model.layers) == len(batch.num_sampled_edges):
            sampled = {
                "num_sampled_nodes_per_hop": batch.num_sampled_nodes,
                "num_sampled_edges_per_hop": batch.num_sampled_edges,
            }
        logits = model(batch.x.float(), batch.edge_index, **sampled)[: batch.batch_size]
        return F.cross_entropy(logits, self.y[batch.n_id[: batch.batch_size].cpu()].to(logits.device))

    def evaluate(self, model: nn.Module, size: int) -> dict[str, float]:
        """The metric on all nodes of each split."""
        assert isinstance(model, Stack)
        with tempfile.TemporaryDirectory(dir=self.path, prefix="evaluation-") as scratch:
            out = layer_wise(self.store, self._stages(model), Path(scratch), memory_budget=self.memory_budget)
            logits = {name: finite(out.gather(rows)) for name, rows in self.splits.items()}
        return {name: self.metric.compute(logits[name], self.y[rows]) for name, rows in self.splits.items()}

    def _labels(self) -> Tensor:
        """The class of each node; -1 where it has none, which some data sets say with a NaN."""
        y = self._attribute("y")
        labels = y.nan_to_num(-1).long() if y.is_floating_point() else y.long()
        if y.is_floating_point() and not torch.equal(labels.to(y.dtype), y.nan_to_num(-1)):
            raise ValueError(f"disk: y of {self.path} holds fractions, expected the number of a class")
        return labels

    def _rows(self, mask: str) -> Tensor:
        chosen = self._attribute(mask)
        if chosen.dtype != torch.bool:
            raise ValueError(f"disk: {mask} of {self.path} holds {chosen.dtype}, expected bool")
        rows = chosen.nonzero().view(-1)
        if bool((self.y[rows] < 0).any()):
            raise ValueError(f"disk: {mask} of {self.path} holds nodes without a label")
        return rows

    def _attribute(self, name: str) -> Tensor:
        values = self.store.attribute(name)
        values.check_content()
        if len(values.row_shape) and values.row_shape != (1,):
            raise ValueError(f"disk: {name} of {self.path} has shape {values.info.shape}, expected one value per node")
        return values.read().view(-1)

    def _stages(self, model: Stack) -> list[Stage]:
        return [
            Rows(lambda x: model.encode(x.to(self.device).float())),
            *(Neighbors(partial(model.pass_on, depth)) for depth in range(len(model.layers))),
            Rows(model.head),
        ]
