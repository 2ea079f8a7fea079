import re
import subprocess
import sys

import pytest
import torch

from graphlab.disk import MemoryBudgetError, memory
from graphlab.disk.files import aligned_bytes
from graphlab.disk.memory import default_budget, give_back, resident, room


def test_buffers_count_while_they_live():
    before = resident()
    buffer = aligned_bytes(64 << 20)
    assert resident() - before < 8 << 20
    buffer.fill_(1)
    assert resident() - before > 60 << 20
    del buffer
    give_back()
    assert resident() - before < 8 << 20


def test_freed_tensors_are_given_back():
    before = resident()
    parts = [torch.ones(1 << 14) for _ in range(1000)]
    assert resident() - before > 60 << 20
    del parts
    give_back()
    assert resident() - before < 16 << 20


def test_a_small_budget_is_refused_with_what_would_do():
    budget = resident() + (40 << 20)
    assert 0 < room(budget) < 40 << 20
    with pytest.raises(MemoryBudgetError, match=r"'memory_budget' is [\d,]+ bytes.*least that works is") as raised:
        room(budget, least=100 << 20)
    least = int(str(raised.value).rsplit(" ", 1)[1].replace(",", ""))
    assert room(least + (4 << 20), least=100 << 20) >= 100 << 20


def test_the_default_leaves_half_to_others():
    assert default_budget() > 1 << 20


def test_the_default_leaves_room_to_a_process_that_is_large_itself(monkeypatch):
    fields = memory._fields

    def scarce(path, names):
        return {
            name: resident() // 2 if name == "MemAvailable" else value for name, value in fields(path, names).items()
        }

    monkeypatch.setattr(memory, "_fields", scarce)
    assert room(default_budget()) > 0


def test_a_limit_of_the_process_counts_as_well():
    code = """
import resource
from graphlab.disk import MemoryBudgetError
from graphlab.disk.files import aligned_bytes
from graphlab.disk.memory import room
unlimited = room(4 << 30)
reserved = next(int(line.split()[1]) << 10 for line in open("/proc/self/status") if line.startswith("VmData"))
resource.setrlimit(resource.RLIMIT_DATA, (reserved + (256 << 20),) * 2)
left = room(4 << 30)
print(unlimited > 2 << 30, 0 < left < 256 << 20)
buffer = aligned_bytes(left)
try:
    room(4 << 30, least=64 << 20)
except MemoryBudgetError as error:
    print(error)
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    limits, error = done.stdout.splitlines()
    assert limits == "True True"
    assert re.search(
        r"'memory_budget' is [\d,]+ bytes, but the process is limited .* raise that limit by [\d,]+", error
    )
