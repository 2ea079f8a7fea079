"""Examines an installation: what is there, what is missing, and how to get it."""

import importlib
import os
import platform
import re
import shlex
import shutil
import subprocess
import sys
import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from importlib import metadata
from pathlib import Path
from typing import Literal

from graphlab.version import __version__

_REQUIREMENT = re.compile(r"([\w.-]+)\s*([^;]*?)\s*(?:;.*extra == .(\w+).)?$")
_IMPORTED = {"torch": "torch", "torch-geometric": "torch_geometric"}
# Built against the torch that is installed, which pip's isolated build would not see.
_HINTS = {"torch-scatter": "pip install --no-build-isolation torch-scatter"}


@dataclass(frozen=True)
class Finding:
    """What one probe found.

    Args:
        topic: What was looked at: a package, ``cuda``, an op.
        status: ``ok``; ``absent`` (optional and not there); ``broken`` (should work and does not).
        detail: Version, reason, or the way out.
        required: Whether graphlab is unusable while the status is ``broken``.
    """

    topic: str
    status: Literal["ok", "absent", "broken"]
    detail: str
    required: bool = False


def examine() -> list[Finding]:
    """Run every probe; one that fails becomes a finding and does not stop the others."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # what packages say while they load is no finding
        return [finding for name, probe in PROBES.items() for finding in _isolated(name, probe)]


def usable(findings: list[Finding]) -> bool:
    """Say whether all that graphlab requires is there and new enough.

    Args:
        findings: What :func:`examine` returned.
    """
    return not any(finding.required and finding.status == "broken" for finding in findings)


def check_requirement(requirement: str, installed: str | None) -> str:
    """Return why an installed version does not meet a requirement; empty if it does.

    Args:
        requirement: As in package metadata, with ``>=`` and ``<`` bounds.
        installed: The installed version; None if there is none.

    Example:
        >>> check_requirement("torch-geometric<3,>=2.7", "2.6.1")
        'is 2.6.1, needs >=2.7'
    """
    if installed is None:
        return "not installed"
    for sign, bound in re.findall(r"(>=|<)\s*([\d.]+)", requirement):
        new_enough = _release(installed) >= _release(bound)
        if new_enough != (sign == ">="):
            return f"is {installed}, needs {sign}{bound}"
    return ""


def _isolated(name: str, probe: Callable[[], Iterator[Finding]]) -> list[Finding]:
    findings: list[Finding] = []
    try:
        findings.extend(probe())
    except (Exception, SystemExit) as error:  # a doctor that crashes on a sick patient is no help
        findings.append(Finding(name, "broken", _said(error), required=name in _NEEDED))
    return findings


def _said(error: BaseException) -> str:
    if isinstance(error, metadata.PackageNotFoundError):
        return f"{error.name} is not installed as a package: run pip install -e . in its source"
    return " ".join(f"{type(error).__name__}: {error}".split())


def _release(version: str) -> tuple[int, ...]:
    found = re.match(r"\d+(\.\d+)*", version)
    return tuple(int(part) for part in found.group().split(".")) if found else ()


def _python() -> Iterator[Finding]:
    yield Finding("graphlab", "ok", f"{__version__} in {Path(__file__).parent}")
    version = platform.python_version()
    why_not = check_requirement(metadata.metadata("graphlab")["Requires-Python"], version)
    yield Finding("python", "broken" if why_not else "ok", why_not or version, required=True)


def _packages() -> Iterator[Finding]:
    for line in metadata.requires("graphlab") or ():
        match = _REQUIREMENT.match(line)
        if match and match[3] != "dev":
            yield from _isolated(match[1], partial(_package, *match.groups()))


def _package(name: str, bounds: str, extra: str | None) -> Iterator[Finding]:
    try:
        installed = metadata.version(name)
    except metadata.PackageNotFoundError:
        installed = None
    why_not = check_requirement(bounds, installed)
    if not why_not:
        why_not = _does_not_import(name)
    if not why_not:
        yield Finding(name, "ok", str(installed))
    elif extra:
        hint = _HINTS.get(name, f"pip install 'graphlab[{extra}]'")
        status = "broken" if installed else "absent"
        yield Finding(name, status, f"{why_not} (optional): {hint}")
    else:
        yield Finding(name, "broken", f"{why_not}: pip install '{name}{bounds}'", required=True)


def _does_not_import(name: str) -> str:
    """Return the error of importing a package with compiled parts; empty if it works."""
    if name in _IMPORTED:
        try:
            importlib.import_module(_IMPORTED[name])
        except Exception as error:
            return f"does not import ({_said(error)})"
    if name == "torch-scatter":
        # One that was built for another torch may take the process down: try it in another one.
        command = [sys.executable, "-c", "import torch_scatter"]
        run = subprocess.run(command, capture_output=True, text=True, timeout=120)
        if run.returncode:
            last = (run.stderr.strip().splitlines() or [f"exit code {run.returncode}"])[-1]
            return f"does not import ({last})"
    return ""


def _cuda() -> Iterator[Finding]:
    import torch

    if torch.cuda.is_available():
        names = [torch.cuda.get_device_name(i) for i in range(torch.cuda.device_count())]
        yield Finding("cuda", "ok", f"{torch.version.cuda}: {', '.join(names)}")
    elif torch.version.cuda is None:
        yield Finding("cuda", "absent", "this torch was built without CUDA; the CPU is used")
    else:
        detail = f"torch was built for CUDA {torch.version.cuda} and finds no GPU; the CPU is used"
        yield Finding("cuda", "absent", detail)


def _threads() -> Iterator[Finding]:
    import torch

    limit = os.environ.get("OMP_NUM_THREADS", "not set")
    detail = f"{torch.get_num_threads()} of {os.cpu_count()} cores (OMP_NUM_THREADS {limit})"
    yield Finding("threads", "ok", detail)


def _ops() -> Iterator[Finding]:
    ops = importlib.import_module("graphlab.ops")
    for device, runs in ops.backends().items():
        status = "ok" if runs.startswith("compiled") else "absent"
        yield Finding(f"kernels {device}", status, runs)


def _compiler() -> Iterator[Finding]:
    wanted = shlex.split(os.environ.get("CXX", ""))[:1] or ["c++", "g++", "clang++"]
    found = next(filter(None, map(shutil.which, wanted)), None)
    if found is None:
        yield Finding("compiler", "absent", f"none of {', '.join(wanted)} found")
        return
    run = subprocess.run([found, "--version"], capture_output=True, text=True, timeout=20)
    yield Finding("compiler", "ok", f"{found}: {(run.stdout.splitlines() or ['no version'])[0]}")


def _data() -> Iterator[Finding]:
    folder = os.environ.get("GRAPHLAB_DATA")
    if not folder:
        detail = "GRAPHLAB_DATA is not set: set it to the folder that holds the data sets"
        yield Finding("data folder", "absent", detail)
    elif not Path(folder).is_dir():
        detail = f"GRAPHLAB_DATA={folder} is no folder: create it or set another"
        yield Finding("data folder", "broken", detail)
    else:
        yield Finding("data folder", "ok", f"GRAPHLAB_DATA={folder}")


def _cards() -> Iterator[Finding]:
    names = importlib.import_module("graphlab.data").names()
    yield Finding("data sets", "ok", f"{len(names)} by name")


def _aggregators() -> Iterator[Finding]:
    resolver = importlib.import_module("torch_geometric.nn.resolver").aggregation_resolver
    register = importlib.import_module("graphlab.aggr.register")
    with register.register_aggregations():
        for cls in register.OURS:
            name = cls.__name__.removesuffix("Aggregation").lower()
            found = type(resolver(name))
            good = found is cls
            detail = f"aggr='{name}' gives {found.__module__}.{found.__name__}"
            yield Finding(f"aggregator {name}", "ok" if good else "broken", detail)


PROBES: dict[str, Callable[[], Iterator[Finding]]] = {
    "python": _python,
    "packages": _packages,
    "cuda": _cuda,
    "threads": _threads,
    "ops": _ops,
    "compiler": _compiler,
    "data folder": _data,
    "data sets": _cards,
    "aggregators": _aggregators,
}
_NEEDED = ("python", "packages")
