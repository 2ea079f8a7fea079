"""What the sections of ``directed.py`` share: contenders by turns, and their table."""

import statistics
import time
from collections.abc import Callable, Mapping
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

WARM_UP = 2


def by_turns(contenders: Mapping[str, Callable[[], Any]], rounds: int) -> dict[str, float]:
    """Median processor seconds of each contender."""
    seconds: dict[str, list[float]] = {name: [] for name in contenders}
    for turn in range(rounds + WARM_UP):
        for name, run in contenders.items():
            started = time.thread_time()
            run()
            # The first turns sort the edges and fill caches.
            if turn >= WARM_UP:
                seconds[name].append(time.thread_time() - started)
    return {name: statistics.median(found) for name, found in seconds.items()}


def training_step(net: nn.Module, forward: Callable[[], Tensor], y: Tensor, lr: float = 0.005) -> Callable[[], None]:
    """Forward, loss, backward, Adam."""
    optimizer = torch.optim.Adam(net.parameters(), lr=lr)

    def step() -> None:
        optimizer.zero_grad()
        F.cross_entropy(forward(), y).backward()
        optimizer.step()

    return step


def show(seconds: Mapping[str, float], bars: Mapping[str, tuple[str, float]]) -> None:
    """Print what each took, and its ratio to the contender that a bar names."""
    for name, found in seconds.items():
        line = f"{name:44} {found * 1e3:9.2f} ms"
        if name in bars:
            other, bar = bars[name]
            ratio = found / seconds[other]
            line += f"   {ratio:.4f} of {other}, bar <= {bar} {'ok' if ratio <= bar else 'MISSED'}"
        print(line)
