"""Answers about multisets of integers, kept flat: all elements, and where each set begins."""

from collections.abc import Iterator
from typing import Any, NamedTuple

import torch
from torch import Generator, Tensor, nn
from torch.nn import functional as F

from graphlab.data.second_minimum import Multisets, to_bits
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
        blocks = {name: [_sets(one, dataset.bits) for one in dataset.multisets(name)] for name in SPLITS}
        (self.train,), (self.valid,), self.tests = blocks.values()
        self.device = device
        self.metric_name = dataset.card.metric
        self.metric = METRICS[self.metric_name]
        self.higher_is_better = self.metric.higher_is_better
        self.problem = Problem(dataset.card.task, dataset.bits, dataset.bits)

    def batches(self, size: int, generator: Generator, world: World) -> Iterator[Sets]:
        """Batches of ``size`` sets over all processes, the elements of each set in random order."""
        sets = self.train.shuffled_within(generator)
        for rows in shuffled(torch.arange(len(sets.bits)), generator).split(size):
            mine = world.share(rows)
            if mine.numel():
                yield sets.take(mine).to(self.device)

    def loss(self, model: nn.Module, batch: Sets) -> Tensor:
        """Mean binary cross entropy of the bits."""
        return F.binary_cross_entropy_with_logits(model(batch.values, batch.ptr), batch.bits)

    def evaluate(self, model: nn.Module, size: int) -> dict[str, float]:
        """The metric of each split, and of the test sets of each size by itself.

        On train, it is that of as many sets as there are to validate on.
        """
        rows = some_of(torch.arange(len(self.train.bits)), len(self.valid.bits))
        metrics = {"train": self._metric(model, self.train.take(rows), size)}
        metrics["valid"] = self._metric(model, self.valid, size)
        by_size = {f"test n={int(one.ptr[1])}": self._metric(model, one, size) for one in self.tests}
        return metrics | {"test": sum(by_size.values()) / len(by_size)} | by_size

    def _metric(self, model: nn.Module, sets: Sets, size: int) -> float:
        parts = [sets.take(rows).to(self.device) for rows in torch.arange(len(sets.bits)).split(size)]
        logits = torch.cat([model(part.values, part.ptr) for part in parts])
        return self.metric.compute(finite(logits), torch.cat([part.bits for part in parts]))


def _sets(raw: Multisets, bits: int) -> Sets:
    return Sets(raw.values, raw.ptr, to_bits(raw.y, bits))
