"""Where a training ran: versions, machine, threads, code."""

import platform
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import torch
import torch_geometric

from graphlab.train.distributed import World
from graphlab.version import __version__


def environment(argv: list[str], device: torch.device, world: World) -> dict[str, Any]:
    """Everything about this process that a result may depend on.

    Args:
        argv: the words of the command.
        device: where it trains.
        world: the processes that train together.
    """
    return {
        "argv": argv,
        "started": time.strftime("%Y-%m-%dT%H:%M:%S%z"),
        "graphlab": __version__,
        "git": _git_hash(),
        "python": sys.version.split()[0],
        "torch": torch.__version__,
        "torch_geometric": torch_geometric.__version__,
        "platform": platform.platform(),
        "cpu": _cpu(),
        "threads": torch.get_num_threads(),
        "device": torch.cuda.get_device_name(device) if device.type == "cuda" else "cpu",
        "processes": world.size,
    }


def _git_hash() -> str | None:
    command = ["git", "-C", str(Path(__file__).parent), "rev-parse", "HEAD"]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=10, check=True)
    except (OSError, subprocess.SubprocessError):
        return None
    return done.stdout.strip()


def _cpu() -> str:
    info = Path("/proc/cpuinfo")
    lines = info.read_text(encoding="utf-8").splitlines() if info.exists() else []
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.processor()
