"""Arguments that no op may accept, tried in a process of its own: a crash is then seen as one.

Run as a program it writes two lines of JSON per attempt: what it is, before, and what came of it, after.
"""

import json
import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import torch
from torch import Tensor

from tests.ops import emulated
from tests.ops.backends import active, at_home
from tests.ops.specimens import SPECIMENS, Arguments, Specimen, as_tuple, is_real

#: The CUDA code cannot look at indices without waiting for the device: there they must do no harm, no more.
LOOKS = ("cpu",)
#: Of the argument that decides what runs the op: other types than the kernels' take the reference.
TYPES = {
    "complex",
    "boolean",
    "bytes",
    "float16",
    "integers",
    "reals",
    "another precision",
    "the other type of integer",
}


def _with(t: Tensor, at: int, value: float) -> Tensor:
    changed = t.clone()
    changed[min(at, t.numel() - 1)] = value
    return changed


def _of_any(t: Tensor) -> Iterator[tuple[str, Any]]:
    yield "one dimension more", t.unsqueeze(0)
    yield "no dimension", t.new_zeros(())
    yield "complex", t.to(torch.complex64)
    yield "boolean", t.bool()
    yield "one more row", torch.cat([t, t[:1]])
    yield "one row less", t[:-1]
    yield "no row", t[:0]


def _of_indices(name: str, t: Tensor) -> Iterator[tuple[str, Tensor]]:
    yield "negative", _with(t, 1, -1)
    yield "far below", _with(t, 1, -(2**31))
    yield "too large", _with(t, 1, 2**31 - 1)
    yield "just too large", _with(t, 1, int(t.max()) + 1000)
    yield "reals", t.float()
    yield "the other type of integer", t.int() if t.dtype == torch.int64 else t.long()
    yield "bytes", t.to(torch.uint8)
    if t.dtype == torch.int64:
        yield "larger than 32 bits", _with(t, 1, 2**40)
    if name.endswith("ptr"):
        yield "not from zero", _with(t, 0, 1)
        yield "ends too late", _with(t, -1, int(t[-1]) + 5)
        yield "ends too early", _with(t, -1, int(t[-1]) - 1)
        yield "empty", t[:0]


def _of_reals(t: Tensor) -> Iterator[tuple[str, Tensor]]:
    yield "float16", t.half()
    yield "another precision", t.float() if t.dtype == torch.float64 else t.double()
    yield "integers", t.long()
    if t.dim() > 1:
        yield "one more column", torch.cat([t, t[..., :1]], -1)
        yield "one column less", t[..., :-1]
        yield "flat", t.reshape(-1)


def changes(name: str, value: Any) -> Iterator[tuple[str, Any]]:
    """Give wrong values in place of a right one.

    Args:
        name: The argument's name.
        value: The right value.
    """
    if isinstance(value, Tensor):
        yield from _of_any(value)
        if not value.numel():
            return
        yield from _of_reals(value) if is_real(value) else _of_indices(name, value)
    elif isinstance(value, str):
        yield "unknown word", "nonsense"
        yield "empty word", ""
    elif isinstance(value, int) and not isinstance(value, bool):
        yield "negative", -1
        yield "smallest", -(2**63)


def attempts(specimen: Specimen) -> Iterator[tuple[str, Arguments, Arguments]]:
    """Give labels, wrong arguments, and the right ones that they were made from.

    Args:
        specimen: The op.
    """
    for case in specimen.rules:
        args = specimen.arguments(case)
        for at, (name, value) in enumerate(zip(names(specimen), args, strict=True)):
            for what, wrong in changes(name, value):
                yield f"{case.variant}|{name}: {what}", [*args[:at], wrong, *args[at + 1 :]], args


def names(specimen: Specimen) -> list[str]:
    """Return the names of an op's arguments.

    Args:
        specimen: The op.
    """
    return [a.name for a in torch._C.parse_schema(f"graphlab::{specimen.op}{specimen.registered.schema}").arguments]


def judge(specimen: Specimen, backend: str, label: str, wrong: Arguments, right: Arguments) -> str:
    """Try wrong arguments; return what is to be blamed, or nothing.

    Args:
        specimen: The op.
        backend: What runs it.
        label: What is wrong with them.
        wrong: The arguments.
        right: Those that they were made from.
    """
    argument, change = label.split("|")[1].split(": ")
    decides = argument == names(specimen)[specimen.registered.values] and change in TYPES
    legal = decides or f"{argument}: {change}" in specimen.legal
    try:
        got = as_tuple(specimen.registered(*wrong))
    except (ValueError, RuntimeError, TypeError) as error:
        told = legal or any(f"'{name}'" in str(error) for name in names(specimen))
        return "" if told else f"the error names no argument: {type(error).__name__}: {error}"[:300]
    except Exception as error:
        return f"raised {type(error).__name__}: {error}"[:300]
    if legal or backend not in LOOKS:
        return ""
    expected = as_tuple(specimen.registered(*right))
    same = len(got) == len(expected) and all(torch.equal(a, b) for a, b in zip(got, expected, strict=True))
    # What an op does not read cannot hurt it.
    return "" if same else "accepted, with another result"


def blame(backend: str) -> dict[str, dict[str, str]]:
    """Try everything in other processes; return what went wrong for each op.

    Args:
        backend: What runs the ops.
    """
    found: dict[str, dict[str, str]] = {name: {} for name in SPECIMENS}
    done = 0
    while True:
        command = [sys.executable, "-m", "tests.ops.nasty", backend, str(done)]
        process = subprocess.run(command, capture_output=True, text=True)
        lines = [json.loads(line) for line in process.stdout.splitlines()]
        for (op, label), (verdict,) in zip(lines[::2], lines[1::2], strict=False):
            if verdict:
                found[op][label] = verdict
        if process.returncode == 0:
            return found
        if len(lines) % 2 == 0:
            raise RuntimeError(process.stderr)
        op, label = lines[-1]
        found[op][label] = f"ended the process ({process.returncode}): {process.stderr[-300:]}"
        done += (len(lines) + 1) // 2


def main(backend: str, start: int) -> None:
    """Try everything from one attempt on; announce each before it is tried, and give its verdict after.

    Args:
        backend: What runs the ops.
        start: How many attempts are done.
    """
    number = 0
    with active(backend):
        for specimen in SPECIMENS.values():
            if backend == "emulated" and not emulated.has(specimen.registered):
                continue
            for label, wrong, right in attempts(specimen):
                number += 1
                if number <= start:
                    continue
                print(json.dumps([specimen.op, label]), flush=True)
                verdict = judge(specimen, backend, label, at_home(backend, wrong), at_home(backend, right))
                print(json.dumps([verdict]), flush=True)


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
