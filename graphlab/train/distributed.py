"""The processes that train one network together; one process alone is the plain case.

Gradients are averaged by one all-reduce after ``backward`` and not by ``DistributedDataParallel``:
a penalty that is added to the loss outside ``forward``, and parameters that some batches never
touch, both break its bookkeeping.
"""

import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, TypeVar

import torch
import torch.distributed as dist
from torch import Tensor, nn

T = TypeVar("T")


@dataclass(frozen=True)
class World:
    """Which of how many processes this is.

    Args:
        rank: number of this process, from 0.
        size: number of processes.
    """

    rank: int = 0
    size: int = 1

    @property
    def leads(self) -> bool:
        """Whether this process is the one that writes and speaks."""
        return self.rank == 0

    def share(self, rows: Tensor) -> Tensor:
        """This process's equal share of ``rows``; what cannot be dealt evenly is left out."""
        return rows[: rows.size(0) - rows.size(0) % self.size][self.rank :: self.size]

    def from_leader(self, value: T) -> T:
        """The leading process's ``value`` on every process."""
        if self.size == 1:
            return value
        box: list[Any] = [value]
        dist.broadcast_object_list(box, src=0)
        return box[0]

    def mean(self, value: Tensor) -> Tensor:
        """Average over the processes."""
        if self.size > 1:
            dist.all_reduce(value)
        return value / self.size

    @torch.no_grad()
    def align(self, module: nn.Module) -> None:
        """Give every process the leading one's parameters and buffers."""
        if self.size > 1:
            for tensor in module.state_dict().values():
                dist.broadcast(tensor, src=0)

    def average_gradients(self, parameters: Iterable[nn.Parameter]) -> None:
        """Replace every gradient by its average; one that no process has stays absent."""
        if self.size == 1:
            return
        parameters = list(parameters)
        parts = [_gradient(one).reshape(-1) for one in parameters]
        present = torch.stack([parts[0].new_tensor(float(p.grad is not None)) for p in parameters])
        flat = self.mean(torch.cat([*parts, present]))
        *averages, present = flat.split([*(p.numel() for p in parameters), len(parameters)])
        for parameter, average, used in zip(parameters, averages, present.tolist(), strict=True):
            parameter.grad = average.view_as(parameter).clone() if used else None


def _gradient(parameter: nn.Parameter) -> Tensor:
    return torch.zeros_like(parameter) if parameter.grad is None else parameter.grad


@contextmanager
def join_world(device: torch.device) -> Iterator[World]:
    """Join the processes that ``torchrun`` started; without it, be a world of one."""
    size = int(os.environ.get("WORLD_SIZE", "1"))
    if size == 1:
        yield World()
        return
    dist.init_process_group("nccl" if device.type == "cuda" else "gloo")
    try:
        yield World(dist.get_rank(), size)
    finally:
        dist.destroy_process_group()
