"""Threads that compute alone."""

import ast
import subprocess
import sys

CODE = """
import threading, torch
from graphlab.ops.worker_pool import worker_pool

def ask(name):
    both_there.wait()
    found[name] = torch.get_num_threads()

torch.set_num_threads(3)
found, both_there = {}, threading.Barrier(2)
with worker_pool(2, "some") as pool:
    list(pool.map(ask, ["first", "second"]))
    names = sorted(thread.name for thread in threading.enumerate())[1:]
both_there = threading.Barrier(1)
ask("caller")
later = threading.Thread(target=ask, args=["later"])
later.start()
later.join()
print([found, names])
"""


def test_threads_compute_alone_and_change_nothing_for_others():
    done = subprocess.run([sys.executable, "-c", CODE], capture_output=True, text=True, check=True)
    found, names = ast.literal_eval(done.stdout)
    assert found == {"first": 1, "second": 1, "caller": 3, "later": 3}
    assert names == ["some_0", "some_1"]
