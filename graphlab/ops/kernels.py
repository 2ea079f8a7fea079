"""Finding the compiled kernels, and choosing what runs an op: them, or the pure PyTorch reference."""

import importlib
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import torch
from torch import Tensor

#: What can run an op: compiled kernels where there are any, the reference, the CUDA arithmetic on the host (for tests).
BACKENDS = ("auto", "ref", "emulated")
#: Precisions for which there are kernels; others take the reference.
DTYPES = (torch.float32, torch.float64, torch.bfloat16)
#: Integer types of indices.
INDEX_DTYPES = (torch.int64, torch.int32)

_HERE = Path(__file__).parent.parent


def _load_c() -> str:
    """Load the CPU library; say why it did not come, or nothing."""
    if os.environ.get("GRAPHLAB_EXT") == "0":
        return "switched off by GRAPHLAB_EXT=0"
    try:
        importlib.import_module("graphlab._C")
    except ImportError as error:
        return _build_status("_C") or f"failed to load: {error}"
    return ""


def _load_cuda() -> str:
    """Load the CUDA library where torch can use it; say why it did not come, or nothing."""
    library = _HERE / "_CUDA.so"
    if _MISSING["_C"]:
        return f"needs the CPU library, which is missing: {_MISSING['_C']}"
    if torch.version.cuda is None:
        return "this torch has no CUDA"
    if not library.exists():
        return _build_status("_CUDA") or "not built: nvcc was not found at installation"
    try:
        torch.ops.load_library(str(library))
    except OSError as error:
        return f"failed to load: {error}"
    return ""


def _build_status(name: str) -> str:
    try:
        status = json.loads((_HERE / "_build.json").read_text())[name]
    except (OSError, KeyError, ValueError):
        return ""
    return "" if status == "built" else status


def _asked_backend() -> str:
    asked = os.environ.get("GRAPHLAB_BACKEND", "auto")
    if asked not in BACKENDS:
        raise ValueError(f"GRAPHLAB_BACKEND must be one of {', '.join(BACKENDS)}, got {asked!r}; unset it for 'auto'")
    return asked


_MISSING: dict[str, str] = {}
_MISSING["_C"] = _load_c()
_MISSING["_CUDA"] = _load_cuda()
_DEFAULT = _asked_backend()
_active = _DEFAULT
# What open `use_backend` blocks ask for, the last one first to be heard.
_asked: list[list[str]] = []


def missing(library: str) -> str:
    """Say why a library of kernels is not there; empty if it is.

    Args:
        library: ``"_C"`` (CPU) or ``"_CUDA"``.
    """
    return _MISSING[library]


def backend() -> str:
    """Return what runs the ops now, one of :data:`BACKENDS`."""
    return _active


@contextmanager
def use_backend(name: str) -> Iterator[None]:
    """Let another backend run the ops of this process inside a ``with`` block, backward passes included.

    Args:
        name: ``"auto"`` for compiled kernels where there are any, ``"ref"`` for pure PyTorch.

    Raises:
        ValueError: ``name`` is unknown.

    Example:
        >>> from graphlab.ops import use_backend
        >>> with use_backend("ref"):
        ...     pass
    """
    global _active
    if name not in BACKENDS:
        raise ValueError(f"'name' must be one of {', '.join(map(repr, BACKENDS))}, got {name!r}")
    entry = [name]
    _asked.append(entry)
    _active = name
    try:
        yield
    finally:
        # Blocks of several threads may end in another order than they began.
        _asked[:] = [other for other in _asked if other is not entry]
        _active = _asked[-1][0] if _asked else _DEFAULT


def native(x: Tensor) -> bool:
    """Tell whether compiled CPU kernels run ops on this tensor.

    Args:
        x: The values that the op works on.
    """
    return _active == "auto" and not _MISSING["_C"] and x.device.type == "cpu" and x.dtype in DTYPES


def namespace(x: Tensor, dtypes: tuple[torch.dtype, ...] = DTYPES) -> str:
    """Return the ``torch.ops`` namespace whose ops work on this tensor.

    Args:
        x: The values that the op works on.
        dtypes: The types for which there are kernels.
    """
    if _active == "emulated":
        return "graphlab_emulated"
    return "graphlab_ref" if _active == "ref" or x.dtype not in dtypes else "graphlab"
