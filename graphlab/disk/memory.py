"""How much memory the process holds, and how much it may still take."""

import ctypes
import os
import resource
from pathlib import Path

from graphlab.disk.errors import MemoryBudgetError

#: What the interpreter and the libraries take while they work, beyond the buffers that are counted.
SLACK = 16 << 20
# A thread that begins reserves its stack, nearly all of which it never touches.
_STACK = 8 << 20


def resident() -> int:
    """Return the bytes of memory that the process holds: its own and those of files it has mapped."""
    fields = _fields(Path("/proc/self/status"), ("RssAnon", "RssFile", "RssShmem"))
    return sum(fields.values())


def default_budget() -> int:
    """Return the memory budget where none is given: what the process holds, and half of what is free."""
    return resident() + _fields(Path("/proc/meminfo"), ("MemAvailable",))["MemAvailable"] // 2


def installed() -> int:
    """Return the bytes of memory of the machine."""
    return _fields(Path("/proc/meminfo"), ("MemTotal",))["MemTotal"]


def room(memory_budget: int, least: int = 0) -> int:
    """Return the bytes that buffers may take now: what is left of the budget, or of the process's ``RLIMIT_DATA``.

    Args:
        memory_budget: Bytes that the process may hold in all.
        least: Bytes without which the work can not go on.

    Raises:
        MemoryBudgetError: There is less.

    Example:
        >>> from graphlab.disk.memory import resident, room
        >>> 0 < room(resident() + (1 << 30)) < 1 << 30
        True
    """
    held, left = _left(memory_budget)
    if left < max(least, 1):
        give_back()
        held, left = _left(memory_budget)
    if left < max(least, 1):
        if held + left + SLACK < memory_budget:
            raise MemoryBudgetError(
                f"'memory_budget' is {memory_budget:,} bytes, but the process is limited to less (RLIMIT_DATA, 'ulimit "
                f"-d'): {max(left, 0):,} bytes are left; raise that limit by {max(least, 1) - left:,} bytes at least"
            )
        raise MemoryBudgetError(
            f"'memory_budget' is {memory_budget:,} bytes, of which the process holds {held:,} already; "
            f"the least that works is {held + SLACK + max(least, 1):,}"
        )
    return left


def _left(memory_budget: int) -> tuple[int, int]:
    """Return what the process holds, and what buffers may take beyond."""
    held, (limit, _) = resident(), resource.getrlimit(resource.RLIMIT_DATA)
    left = memory_budget - held - SLACK
    if limit != resource.RLIM_INFINITY:
        # What is reserved counts here, touched or not.
        reserved = _fields(Path("/proc/self/status"), ("VmData",))["VmData"] + available_cores() * _STACK
        left = min(left, limit - reserved - SLACK)
    return held, left


def give_back() -> None:
    """Return memory to the system that was freed and is kept for later."""
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None)
    if trim is not None:
        trim(0)


def available_cores() -> int:
    """Return the number of cores that the process may use."""
    return len(os.sched_getaffinity(0))


def _fields(path: Path, names: tuple[str, ...]) -> dict[str, int]:
    lines = (line.split() for line in path.read_text().splitlines())
    return {words[0][:-1]: int(words[1]) << 10 for words in lines if words and words[0][:-1] in names}
