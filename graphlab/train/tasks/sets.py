"""Answers about multisets of integers, kept flat: all elements, and where each set begins."""

from collections.abc import Iterator
from typing import Any, NamedTuple

import torch
from torch import Generator, Tensor, nn
from torch.nn import functional as F

from graphlab.models import Problem
from graphlab.train.distributed import World
from graphlab.train.metrics import METRICS
from graphlab.train.tasks.base import SPLITS, Task, finite, shuffled, some_of


class Sets(NamedTuple):
    """Multisets and the bits of their answers."""

    values: Tensor
    ptr: Tensor
    bits: Tensor

    def take(self, rows: Tensor) -> "Sets":
        """The sets of these numbers, in this order."""
        sizes = self.ptr.diff()[rows]
        ptr = torch.cat([sizes.new_zeros(1), sizes.cumsum(0)])
        offsets = (self.ptr[rows] - ptr[:-1]).repeat_interleave(sizes)
        elements = torch.arange(int(ptr[-1]), device=ptr.device) + offsets
        return Sets(self.values[elements], ptr, self.bits[rows])

    def shuffled_within(self, generator: Generator) -> "Sets":
        """The same sets, each in random order, which teaches that order is noise."""
        index = torch.arange(self.bits.size(0)).repeat_interleave(self.ptr.diff())
        noise = torch.rand(self.values.numel(), generator=generator, dtype=torch.float64)
        return self._replace(values=self.values[torch.argsort(index + noise)])

    def to(self, device: torch.device) -> "Sets":
        """The same sets on a device."""
        return Sets(*(tensor.to(device) for tensor in self))


class SetTask(Task):
    """Every bit of each set's answer, by binary cross entropy.

    Args:
        dataset: a data set with ``multisets(split)``.
        device: where batches go.
    """

    def __init__(self, dataset: Any, device: torch.device) -> None:
        self.sets = {name: Sets(*dataset.multisets(name)) for name in SPLITS}
        self.device = device
        self.metric_name = dataset.card.metric
        self.metric = METRICS[self.metric_name]
        self.higher_is_better = self.metric.higher_is_better
        bits = self.sets["train"].bits.size(-1)
        self.problem = Problem(dataset.card.task, bits, bits)

    def batches(self, size: int, generator: Generator, world: World) -> Iterator[Sets]:
        """Batches of ``size`` sets over all processes, the elements of each set in random order."""
        sets = self.sets["train"].shuffled_within(generator)
        for rows in shuffled(torch.arange(sets.bits.size(0)), generator).split(size):
            mine = world.share(rows)
            if mine.numel():
                yield sets.take(mine).to(self.device)

    def loss(self, model: nn.Module, batch: Sets) -> Tensor:
        """Mean binary cross entropy of the bits."""
        logits = model(batch.values, batch.ptr)
        return F.binary_cross_entropy_with_logits(logits, batch.bits.to(logits.dtype))

    def evaluate(self, model: nn.Module, size: int) -> dict[str, float]:
        """The metric of each split; on train, of as many sets as there are to validate on."""
        return {name: self._metric(model, name, size) for name in SPLITS}

    def _metric(self, model: nn.Module, name: str, size: int) -> float:
        sets = self.sets[name]
        rows = torch.arange(sets.bits.size(0))
        if name == "train":
            rows = some_of(rows, self.sets["valid"].bits.size(0))
        parts = [sets.take(part).to(self.device) for part in rows.split(size)]
        logits = torch.cat([model(part.values, part.ptr) for part in parts])
        return self.metric.compute(finite(logits), torch.cat([part.bits for part in parts]))
