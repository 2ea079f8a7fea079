"""Ops of integers and bytes on the host: a compiled kernel runs them where it is loaded, else their reference."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch

from graphlab.ops import kernels

_HOST_OPS: list["HostOp"] = []


@dataclass(frozen=True, eq=False)
class HostOp:
    """A function of CPU tensors without derivatives, batching or tracing, which therefore is no ``Op``.

    Schema and kernel are the compiled library's alone. The kernel gives the same bits as the reference.

    Args:
        name: The op's name in ``torch.ops.graphlab``.
        reference: The specification, with the arguments and results of the kernel.
    """

    name: str
    reference: Callable[..., Any]

    def __post_init__(self) -> None:
        _HOST_OPS.append(self)

    def __call__(self, *args: Any) -> Any:
        """Run the kernel, or the reference where that is asked for or nothing is compiled.

        Args:
            *args: The arguments of the kernel's schema, by position.
        """
        kernel = None if kernels.backend() == "ref" else getattr(torch.ops.graphlab, self.name, None)
        return self.reference(*args) if kernel is None else kernel.default(*args)


def registered() -> list[HostOp]:
    """Return all host ops."""
    return list(_HOST_OPS)
