"""One training from one seed, which can stop after any epoch and go on to the same bits."""

import math
import random
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from graphlab.aggr import penalty
from graphlab.models import MODELS, build
from graphlab.train.config import ConfigError, TrainConfig
from graphlab.train.distributed import World
from graphlab.train.tasks import NonFiniteError, Task

_OPTIMIZERS = {"adam": torch.optim.Adam, "adamw": torch.optim.AdamW, "sgd": torch.optim.SGD}


class DivergedError(ArithmeticError):
    """Training that left the finite numbers; its message is one line and says what to try."""


@dataclass
class Best:
    """The best validated epoch so far, and the weights it had.

    Args:
        epoch: its number, from 1; 0 before the first evaluation.
        metrics: what was evaluated there.
        weights: the network's parameters and buffers there.
        evaluations_since: evaluations that were no better.
    """

    epoch: int = 0
    metrics: dict[str, float] = field(default_factory=dict)
    weights: dict[str, Tensor] = field(default_factory=dict)
    evaluations_since: int = 0


class Run:
    """One training from one seed.

    All randomness of an epoch is drawn from (seed, epoch, rank), so that no generator's state need
    be saved: an epoch comes out the same whether or not the process was stopped before it.

    Args:
        task: the data.
        config: the settings.
        number: which run this is, from 0; its seed is ``config.seed + number``.
        device: where to train.
        world: the processes that train together.
        terse: whether an epoch that validates no better than the best may tell no more than that.

    Raises:
        ConfigError: if the network cannot be built for this task.
    """

    def __init__(
        self, task: Task, config: TrainConfig, number: int, device: torch.device, world: World, terse: bool = False
    ) -> None:
        self.task, self.config, self.number, self.world, self.terse = task, config, number, world, terse
        self.seed = config.seed + number
        self.epoch, self.seconds = 0, 0.0
        self.best = Best()
        seed(_entropy(self.seed, 0))
        self.model = build_for(config, task).to(device)
        world.align(self.model)
        self.optimizer = make_optimizer(config, list(self.model.parameters()))

    @property
    def num_params(self) -> int:
        """Number of learned parameters."""
        return sum(one.numel() for one in self.model.parameters())

    @property
    def done(self) -> bool:
        """Whether the last epoch is over, or patience."""
        patience = self.config.patience
        tired = 0 < patience <= self.best.evaluations_since
        return tired or self.epoch >= self.config.epochs

    def train_epoch(self) -> dict[str, Any]:
        """Train for one epoch and, where one is due, evaluate.

        Returns:
            What to log: run, seed, epoch, loss, seconds and, if evaluated, the metrics by name.

        Raises:
            DivergedError: if the loss or the outputs are not finite.
        """
        started = time.perf_counter()
        record: dict[str, Any] = {"run": self.number, "seed": self.seed, "epoch": self.epoch + 1}
        try:
            record["loss"] = self._learn(self.epoch + 1)
            self.epoch += 1
            if self.epoch % self.config.eval_every == 0 or self.epoch == self.config.epochs:
                record |= self._evaluate()
        except NonFiniteError as error:
            raise DivergedError(self._advice(record["epoch"], str(error))) from None
        self.seconds += time.perf_counter() - started
        return record | {"seconds": round(self.seconds, 3)}

    def _learn(self, epoch: int) -> float:
        for group in self.optimizer.param_groups:
            group["lr"] = self.config.lr * self._share_of_lr(epoch)
        seed(_entropy(self.seed, epoch, self.world.rank))
        generator = torch.Generator().manual_seed(_entropy(self.seed, epoch))
        self.model.train()
        losses = []
        for batch in self.task.batches(self.config.batch_size, generator, self.world):
            losses.append(self._step(batch))
        if not losses:
            raise ConfigError(
                f"batch_size: no batch has a share for each of {self.world.size} processes; "
                f"expected more training examples or fewer processes"
            )
        loss = float(self.world.mean(torch.stack(losses).mean()))
        if not np.isfinite(loss):
            raise NonFiniteError("the loss")
        return loss

    def _share_of_lr(self, epoch: int) -> float:
        """From the epoch's number alone, so that a continued run needs no state of a scheduler."""
        if self.config.schedule == "constant":
            return 1.0
        if self.config.schedule == "step":
            return self.config.gamma ** ((epoch - 1) // self.config.step_size)
        return 0.5 * (1 + math.cos(math.pi * (epoch - 1) / self.config.epochs))

    def _step(self, batch: Any) -> Tensor:
        self.optimizer.zero_grad()
        loss = self.task.loss(self.model, batch)
        (loss + penalty(self.model)).backward()
        self.world.average_gradients(self.model.parameters())
        if self.config.clip:
            nn.utils.clip_grad_norm_(self.model.parameters(), self.config.clip)
        self.optimizer.step()
        return loss.detach()

    @torch.no_grad()
    def _evaluate(self) -> dict[str, float]:
        self.model.eval()
        metrics = self._judged(self.task.validate if self.terse else self.task.evaluate)
        if self.task.better(metrics["valid"], self.best.metrics.get("valid")):
            if "test" not in metrics:
                metrics = self._judged(self.task.evaluate) | metrics
            weights = {name: one.detach().clone() for name, one in self.model.state_dict().items()}
            self.best = Best(self.epoch, metrics, weights)
        else:
            self.best.evaluations_since += 1
        return metrics

    def _judged(self, judge: Callable[[nn.Module, int], dict[str, float]]) -> dict[str, float]:
        metrics = judge(self.model, self.config.batch_size) if self.world.leads else {}
        return self.world.from_leader(metrics)

    def _advice(self, epoch: int, what: str) -> str:
        norm = ", or layers that normalise: model.norm = layer" if hasattr(self.config.model, "norm") else ""
        return (
            f"{what} is not finite in epoch {epoch} of run {self.number + 1} (seed {self.seed}); "
            f"try a smaller lr (now {self.config.lr}){norm}"
        )

    def result(self) -> dict[str, Any]:
        """What this run came to."""
        return {
            "seed": self.seed,
            "best_epoch": self.best.epoch,
            **{name: value for name, value in self.best.metrics.items() if name != "train"},
            "epochs": self.epoch,
            "seconds": round(self.seconds, 3),
        }

    def state_dict(self) -> dict[str, Any]:
        """Everything that the epochs to come depend on."""
        return {
            "number": self.number,
            "epoch": self.epoch,
            "seconds": self.seconds,
            "best": vars(self.best),
            "model": self.model.state_dict(),
            "optimizer": self.optimizer.state_dict(),
        }

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Go back to a saved state."""
        self.epoch, self.seconds = state["epoch"], state["seconds"]
        self.best = Best(**state["best"])
        self.model.load_state_dict(state["model"])
        self.optimizer.load_state_dict(state["optimizer"])


def _entropy(*numbers: int) -> int:
    """One seed from several numbers, so well mixed that seeds 0 and 1 share no epoch."""
    return int(np.random.SeedSequence(numbers).generate_state(1)[0])


def seed(entropy: int) -> None:
    """Seed every generator that a network may draw from.

    As PyG's ``seed_everything``; but that queues a call for a GPU which is not in use, with the stack formatted as
    text, and doing so every epoch costs more than a small network's step and is never freed.

    Args:
        entropy: the seed, below :math:`2^{32}`.
    """
    random.seed(entropy)
    np.random.seed(entropy)  # noqa: NPY002  # what others' layers draw from
    torch.default_generator.manual_seed(entropy)
    if torch.cuda.is_initialized():
        torch.cuda.manual_seed_all(entropy)


def make_optimizer(config: TrainConfig, parameters: list[nn.Parameter]) -> torch.optim.Optimizer:
    """The optimiser that a configuration names; its step is one kernel, where the parameters' type has one.

    Args:
        config: the settings.
        parameters: what to optimise.
    """
    fused = all(one.is_floating_point() for one in parameters)
    return _OPTIMIZERS[config.optimizer](parameters, lr=config.lr, weight_decay=config.weight_decay, fused=fused)


def build_for(config: TrainConfig, task: Task) -> nn.Module:
    """Build the network of a configuration for a task.

    Raises:
        ConfigError: if it does not learn this task or not from these data, or an aggregator cannot be made.
    """
    if not isinstance(config.model, task.networks):
        able = [name for name, cls in MODELS.items() if issubclass(cls, task.networks)]
        source = config.disk or config.data
        raise ConfigError(f"model: '{config.model.name}' does not learn from {source}; expected {' or '.join(able)}")
    try:
        return build(config.model, task.problem)
    except (ValueError, ImportError) as error:
        raise ConfigError(str(error)) from error
