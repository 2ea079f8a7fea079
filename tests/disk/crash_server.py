"""Prepares stores in children of its own and kills them: at the n-th change of the disk, or after some time.

For each line of JSON that comes in, one goes out: how the child ended, and what it did until then. Children are forked
from a process that has imported everything, so each takes a fraction of a second.
"""

import json
import os
import signal
import sys
import time
from pathlib import Path

from graphlab.disk import build, journal, prepare, sampling
from tests.disk.graphs import ARGUMENTS, awkward, some_nodes

# Calls that change the disk. ``Path.replace`` is os.replace, ``unlink`` and ``rmtree`` are os.unlink and os.rmdir.
CALLS = ("pwrite", "write", "fsync", "fdatasync", "ftruncate", "posix_fallocate", "replace", "unlink", "rmdir", "mkdir")


class Killer:
    """Counts calls and ends the process before, in the middle of, or after the n-th."""

    def __init__(self, at, log):
        self.at, self.count, self.log = at, 0, log

    def watch(self):
        for name in CALLS:
            setattr(os, name, self.wrapped(name, getattr(os, name)))

    def wrapped(self, name, call):
        def counted(*args, **kwargs):
            self.count += 1
            size = len(memoryview(args[1]).cast("B")) if name == "pwrite" else 0
            self.log(f"{name} {size}")
            if self.count != self.at:
                return call(*args, **kwargs)
            try:
                if self.at % 3 == 1 and name in ("pwrite", "write"):
                    half = memoryview(args[1]).cast("B")
                    call(args[0], half[: len(half) // 2], *args[2:], **kwargs)
                elif self.at % 3 == 2:
                    call(*args, **kwargs)
            finally:
                os.kill(os.getpid(), signal.SIGKILL)

        return counted


def child(out, at, log):
    """Make a store in many small units."""
    build._UNIT_BYTES, sampling.MOST_BATCHES = 1, 2
    build.partition_rows = lambda *_: 40
    fd = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    write, append = os.write, journal.Journal.append
    Killer(at, lambda line: write(fd, f"{line}\n".encode())).watch()

    def noted(self, kind, **facts):
        append(self, kind, **facts)
        write(fd, f"unit {kind}\n".encode())

    journal.Journal.append = noted
    prepare(awkward(), out, input_nodes=some_nodes(), workers=1, shard_bytes=60_000, **ARGUMENTS)


def run(out, at, seconds, log):
    """Fork a child, wait for its end, and say how that was."""
    Path(log).unlink(missing_ok=True)
    pid = os.fork()
    if not pid:
        code = 1
        try:
            child(Path(out), at, log)
            code = 0
        finally:
            os._exit(code)
    if seconds is not None:
        time.sleep(seconds)
        os.kill(pid, signal.SIGKILL)
    status = os.waitpid(pid, 0)[1]
    did = Path(log).read_text().split("\n")[:-1] if Path(log).exists() else []
    return {"killed": os.WIFSIGNALED(status), "code": os.waitstatus_to_exitcode(status), "did": did}


if __name__ == "__main__":
    for line in sys.stdin:
        print(json.dumps(run(**json.loads(line))), flush=True)
