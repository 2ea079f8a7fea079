"""What can run the ops in this process, and running one there."""

from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import Tensor

from graphlab.ops import kernels, use_backend
from tests.ops import emulated
from tests.ops.specimens import Arguments, Specimen, as_tuple

#: The last where a GPU is at hand.
BACKENDS = ("ref", "cpu", "emulated", "cuda") if torch.cuda.is_available() else ("ref", "cpu", "emulated")


def _no_emulation() -> str:
    try:
        emulated.load()
    except emulated.CannotEmulate as error:
        return str(error)
    return ""


def _no_cuda() -> str:
    return kernels.missing("_CUDA")


_REASONS: dict[str, Callable[[], str]] = {
    "ref": lambda: "",
    "cpu": lambda: kernels.missing("_C"),
    "emulated": _no_emulation,
    "cuda": _no_cuda,
}


def need(backend: str, specimen: Specimen | None = None) -> None:
    """Skip a test where its backend is missing.

    Args:
        backend: One of :data:`BACKENDS`.
        specimen: The op that the test is about.
    """
    reason = _REASONS[backend]()
    if not reason and backend == "emulated" and specimen is not None and not emulated.has(specimen.registered):
        reason = "the op has no CUDA kernel, its reference runs there"
    if reason:
        pytest.skip(f"{backend}: {reason}")


def at_home(backend: str, args: Arguments) -> Arguments:
    """Move arguments to where a backend wants them.

    Args:
        backend: One of :data:`BACKENDS`.
        args: The arguments.
    """
    device = "cuda" if backend == "cuda" else "cpu"
    return [a.to(device) if isinstance(a, Tensor) else a for a in args]


def active(backend: str) -> Any:
    """Return the context in which a backend runs the ops.

    Args:
        backend: One of :data:`BACKENDS`.
    """
    if backend == "emulated":
        emulated.load()
    return use_backend(backend if backend in ("ref", "emulated") else "auto")


def run(specimen: Specimen, backend: str, args: Arguments) -> tuple:
    """Run an op; results come back to the host.

    Args:
        specimen: The op.
        backend: One of :data:`BACKENDS`.
        args: The arguments of its schema.
    """
    with active(backend):
        results = as_tuple(specimen.registered(*at_home(backend, args)))
    return tuple(r.cpu() for r in results)


def raw(specimen: Specimen, backend: str) -> Any:
    """Return the op as ``torch.ops`` has it for a backend.

    Args:
        specimen: The op.
        backend: One of :data:`BACKENDS`.
    """
    namespace = {"ref": "graphlab_ref", "emulated": "graphlab_emulated"}.get(backend, "graphlab")
    return getattr(getattr(torch.ops, namespace), specimen.op).default
