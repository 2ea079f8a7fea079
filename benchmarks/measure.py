"""What the benchmarks share: peak memory, processes of their own, physical limits."""

import ctypes
import multiprocessing
import shutil
import subprocess
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import Any

import torch
from torch import Tensor


def resident(field: str) -> int:
    """A line of this process's status in bytes."""
    text = Path("/proc/self/status").read_text(encoding="utf-8")
    return 1024 * int(next(line for line in text.splitlines() if line.startswith(field)).split()[1])


class Peak:
    """Peak resident memory above the start, in bytes."""

    def __enter__(self) -> "Peak":
        Path("/proc/self/clear_refs").write_text("5", encoding="utf-8")
        self.before = resident("VmRSS")
        return self

    def __exit__(self, *_: object) -> None:
        self.bytes = resident("VmHWM") - self.before


def forked(run: Callable[..., Any], *args: Any) -> Any:
    """What a function returns in a process of its own."""
    context = multiprocessing.get_context("fork")
    receiver, sender = context.Pipe(duplex=False)
    child = context.Process(target=lambda: sender.send(run(*args)))
    child.start()
    sender.close()
    found = receiver.recv()
    child.join()
    return found


def spawned(run: Callable[..., Any], *args: Any) -> Any:
    """What a function of a module returns in a fresh process, which holds nothing of this one."""
    with ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("spawn")) as pool:
        return pool.submit(run, *args).result()


def gemm_rate() -> float:
    """FLOP per second of a large product."""
    a, b = torch.randn(2, 2048, 2048)

    def seconds() -> float:
        started = time.perf_counter()
        torch.mm(a, b)
        return time.perf_counter() - started

    return 2 * 2048**3 / min(seconds() for _ in range(8))


_PROBE = r"""
#include <cstdint>
#include <ctime>
// Seconds of one thread's processor time for reading `count` rows of `row` floats in the given order, adding them all
// up: what memory gives at best. The next rows are asked for ahead, as a good kernel does.
template <int R>
static double run(const float* x, const int32_t* index, int64_t count, int64_t row, int64_t ahead, float* out) {
  timespec a, b;
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &a);
  float sum[R] = {0};
  for (int64_t e = 0; e < count; ++e) {
    const int64_t next = e + ahead < count ? e + ahead : count - 1;
    const float* coming = x + index[next] * row;
    for (int64_t k = 0; k < row; k += 16) __builtin_prefetch(coming + k, 0, 3);
    const float* now = x + index[e] * row;
    for (int64_t k = 0; k < row; k += R)
      for (int j = 0; j < R; ++j) sum[j] += now[k + j];
  }
  for (int j = 0; j < R; ++j) out[j] = sum[j];
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &b);
  return (b.tv_sec - a.tv_sec) + 1e-9 * (b.tv_nsec - a.tv_nsec);
}
extern "C" double probe(const float* x, const int32_t* index, int64_t count, int64_t row, int64_t ahead, float* out) {
  return row % 64 ? run<16>(x, index, count, row, ahead, out) : run<64>(x, index, count, row, ahead, out);
}
"""


class GatherProbe:
    """Reads random rows and does nothing else: the physical limit of a gather, at the same rows in the same order."""

    def __init__(self) -> None:
        compiler = shutil.which("g++") or shutil.which("clang++")
        if compiler is None:
            raise RuntimeError("the random-gather probe needs a C++ compiler")
        with tempfile.TemporaryDirectory() as folder:
            source, library = Path(folder) / "probe.cpp", Path(folder) / "probe.so"
            source.write_text(_PROBE, encoding="utf-8")
            flags = ["-O3", "-march=native", "-mprefer-vector-width=512", "-ffast-math", "-shared", "-fPIC"]
            subprocess.run([compiler, *flags, str(source), "-o", str(library)], check=True)
            self._probe = ctypes.CDLL(str(library)).probe
        self._probe.restype = ctypes.c_double

    def seconds(self, x: Tensor, index: Tensor) -> float:
        """Processor time of one thread; the best look-ahead of a few.

        Args:
            x: Rows of float32, a multiple of 16 columns.
            index: int32.
        """
        out = torch.empty(64)
        sizes = [ctypes.c_int64(v) for v in (index.numel(), x.size(1))]
        pointers = [ctypes.c_void_p(t.data_ptr()) for t in (x, index)]

        def run(ahead: int) -> float:
            return self._probe(*pointers, *sizes, ctypes.c_int64(ahead), ctypes.c_void_p(out.data_ptr()))

        return min(run(ahead) for ahead in (16, 32, 48, 64))
