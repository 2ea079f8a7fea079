"""The CUDA kernels on the host: the same source, compiled with -DGL_EMULATE, behind ``use_backend("emulated")``."""

import fcntl
import functools
import hashlib
import os
import shutil
import subprocess
import sys
from pathlib import Path

import torch

from graphlab.ops import op
from graphlab.ops.op import Op

ROOT = Path(__file__).resolve().parents[2]
CACHE = ROOT / "build" / "emulated"
TORCH = Path(torch.__file__).parent
NAMESPACE = "graphlab_emulated"
FLAGS = [
    *("-x", "c++", "-std=c++20", "-O2", "-g0", "-fPIC", "-fvisibility=hidden", "-Wno-unknown-pragmas"),
    *("-DGL_EMULATE", "-DTORCH_TARGET_VERSION=0x020b000000000000", "-I", str(TORCH / "include")),
]
LINK = ["-shared", "-s", "-L", str(TORCH / "lib"), "-Wl,--no-as-needed", "-ltorch_cpu", "-ltorch"]


class CannotEmulate(Exception):
    """There is no library, and why."""


@functools.cache
def load() -> None:
    """Build the library if its sources changed, load it, and register every op in its namespace.

    Raises:
        CannotEmulate: There is no compiler.
    """
    torch.ops.load_library(str(build()))
    for each in op.registered():
        each.register(NAMESPACE)


def has(each: Op) -> bool:
    """Tell whether the CUDA source has a kernel for an op; others run their reference on a GPU.

    Args:
        each: The op.
    """
    load()
    return torch._C._dispatch_has_kernel_for_dispatch_key(f"{NAMESPACE}::{each.name}", "CPU")


def build() -> Path:
    """Compile what changed since the last time, and link.

    Raises:
        CannotEmulate: There is no compiler.
    """
    compiler = os.environ.get("CXX") or shutil.which("g++") or shutil.which("clang++")
    if compiler is None or not sys.platform.startswith("linux"):
        raise CannotEmulate("the CUDA kernels are emulated with g++ or clang++ on Linux, which is not here")
    CACHE.mkdir(parents=True, exist_ok=True)
    with (CACHE / "lock").open("w") as lock:
        # Of several test processes one compiles; the others wait and find it done.
        fcntl.flock(lock, fcntl.LOCK_EX)
        objects = [_compile(compiler, source) for source in sorted((ROOT / "cuda").glob("*.cu"))]
        library = CACHE / f"emulated-{_digest(' '.join(o.name for o in objects).encode())}.so"
        if not library.exists():
            _run([compiler, *map(str, objects), *LINK], library)
        _forget_all_but({library, *objects})
    return library


def _compile(compiler: str, source: Path) -> Path:
    headers = sorted((ROOT / "cuda").glob("*.h"))
    content = b"".join(p.read_bytes() for p in (source, *headers))
    key = _digest(content + " ".join([compiler, torch.__version__, *FLAGS]).encode())
    target = CACHE / f"{source.stem}-{key}.o"
    if not target.exists():
        _run([compiler, *FLAGS, "-c", str(source)], target)
    return target


def _run(command: list[str], target: Path) -> None:
    partial = target.with_suffix(".partial")
    done = subprocess.run([*command, "-o", str(partial)], capture_output=True, text=True)
    assert done.returncode == 0, f"{' '.join(command)}\n{done.stderr}"
    partial.rename(target)


def _forget_all_but(kept: set[Path]) -> None:
    for path in CACHE.iterdir():
        if path.suffix in (".o", ".so") and path not in kept:
            path.unlink()


def _digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()[:16]
