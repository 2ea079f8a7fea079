"""Running every op in another process, whose environment chooses other kernels.

Run as a program it writes to a file what ran the ops, and the results of every op for a few cases.
"""

import os
import subprocess
import sys
from pathlib import Path

import torch

from graphlab.ops import backends, kernels
from tests.ops.cases import Case
from tests.ops.specimens import SPECIMENS, Specimen, as_tuple

#: What differs from one process to the next.
ENVIRONMENTS = {
    "base": {"GRAPHLAB_ISA": "base"},
    "avx2": {"GRAPHLAB_ISA": "avx2"},
    "reference": {"GRAPHLAB_BACKEND": "ref"},
    "no library": {"GRAPHLAB_EXT": "0"},
}


def cases(specimen: Specimen) -> list[Case]:
    """Give the cases that every process runs.

    Args:
        specimen: The op.
    """
    return [
        case.but(structure="one hub", d=d, dtype=dtype, index=torch.int32)
        for case in specimen.rules
        for d, dtype in ((70, torch.float32), (16, torch.bfloat16), (3, torch.float64))
    ]


def start(name: str, file: Path) -> subprocess.Popen:
    """Start a process.

    Args:
        name: A key of :data:`ENVIRONMENTS`.
        file: Where it writes.
    """
    kept = {k: v for k, v in os.environ.items() if k not in ("GRAPHLAB_ISA", "GRAPHLAB_BACKEND", "GRAPHLAB_EXT")}
    command = [sys.executable, "-m", "tests.ops.elsewhere", str(file)]
    return subprocess.Popen(command, env=kept | ENVIRONMENTS[name], stderr=subprocess.PIPE, text=True)


def main(file: str) -> None:
    """Run everything.

    Args:
        file: Where to write.
    """
    results = {
        f"{specimen.op} {case}": as_tuple(specimen.registered(*specimen.arguments(case)))
        for specimen in SPECIMENS.values()
        for case in cases(specimen)
    }
    missing = {name: kernels.missing(name) for name in ("_C", "_CUDA")}
    loaded = "graphlab._C" in sys.modules
    torch.save({"backends": backends(), "missing": missing, "loaded": loaded, "results": results}, file)


if __name__ == "__main__":
    main(sys.argv[1])
