"""Laws of reading rows of a file."""

import functools
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor

from graphlab.ops import kernels, read_rows, use_backend

backends = pytest.mark.parametrize("backend", ["auto", "ref"])
modes = pytest.mark.parametrize("direct", [False, True], ids=["buffered", "direct"])
compiled = pytest.mark.skipif(bool(kernels.missing("_C")), reason="the reference reads row by row")
FILE_BYTES = 1_000_003
BLOCK = 4096


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("rows") / "rows.bin"
    path.write_bytes(bytes(content().tolist()))
    return path


@functools.cache
def content() -> Tensor:
    return torch.randint(0, 256, (FILE_BYTES,), dtype=torch.uint8, generator=torch.Generator().manual_seed(1))


@contextmanager
def opened(path: Path, direct: bool = False) -> Iterator[int]:
    if direct and not hasattr(os, "O_DIRECT"):
        pytest.skip("this system has no O_DIRECT")
    try:
        fd = os.open(path, os.O_RDONLY | (os.O_DIRECT if direct else 0))
    except OSError as error:
        pytest.skip(f"the file system refuses O_DIRECT: {error}")
    try:
        yield fd
    finally:
        os.close(fd)


def read(fd: int, offset: int, row_bytes: int, ids: list[int], threads: int = 3, direct: bool = False):
    out = torch.full((len(ids), row_bytes), 77, dtype=torch.uint8)
    count = read_rows(
        fd, offset, row_bytes, torch.tensor(ids, dtype=torch.int64), out, threads=threads, direct_block=BLOCK * direct
    )
    return out, count


def wanted(offset: int, row_bytes: int, ids: list[int]) -> Tensor:
    held = content()
    rows = [held[offset + i * row_bytes : offset + (i + 1) * row_bytes] for i in ids]
    return torch.stack(rows) if rows else torch.empty(0, row_bytes, dtype=torch.uint8)


@backends
@modes
@pytest.mark.parametrize("row_bytes", [1, 7, 512, 4096, 4100, 100_000, 300_000])
@given(st.data())
def test_rows_are_those_of_the_file(path, backend, direct, row_bytes, data):
    offset = data.draw(st.integers(0, 5000))
    rows = (FILE_BYTES - offset) // row_bytes
    # Close to each other, far apart, and the file's last row.
    close = st.integers(0, min(rows, 40) - 1)
    ids = sorted(data.draw(st.lists(close | st.integers(0, rows - 1) | st.just(rows - 1), max_size=30)))
    threads = data.draw(st.sampled_from([1, 2, 9]))
    with use_backend(backend), opened(path, direct) as fd:
        assert torch.equal(read(fd, offset, row_bytes, ids, threads, direct)[0], wanted(offset, row_bytes, ids))


@compiled
@modes
def test_every_row_up_to_an_end_inside_a_block(path, direct):
    with opened(path, direct) as fd:
        out, count = read(fd, 3, 100, list(range(10_000)), 4, direct)
    assert torch.equal(out.flatten(), content()[3:]) and FILE_BYTES - 3 <= count <= FILE_BYTES


@compiled
@modes
def test_only_what_is_close_is_read_together(path, direct):
    with opened(path, direct) as fd:
        far = list(range(0, 1800, 40))  # 20 KB apart
        each = BLOCK if direct else 512
        assert read(fd, 0, 512, far, direct=direct)[1] == len(far) * each
        assert read(fd, 0, 512, sorted(far * 3), direct=direct)[1] == len(far) * each
        assert read(fd, 0, 512, [8, 9, 15], direct=direct)[1] == (BLOCK if direct else 8 * 512)
        assert read(fd, 0, 512, [0, 16], direct=direct)[1] == (3 * BLOCK if direct else 2 * 512)
        # Rows of two blocks each, of which neighbours share one.
        assert read(fd, 100, BLOCK, [0, 1, 2], direct=direct)[1] == (4 * BLOCK if direct else 3 * BLOCK)


@modes
def test_the_number_of_threads_changes_nothing(path, direct):
    ids = [i * i for i in range(44)]
    with opened(path, direct) as fd:
        results = [read(fd, 17, 500, ids, threads, direct) for threads in (1, 2, 8, 200)]
    assert all(torch.equal(out, results[0][0]) and count == results[0][1] for out, count in results)


@backends
@modes
@pytest.mark.parametrize("threads", [1, 8])
def test_the_first_row_behind_the_end_is_told(path, backend, direct, threads):
    # 1953 whole rows, and 67 bytes of another one.
    said = r"row 1953, which is ids\[3\], at byte 999936 of file descriptor \d+: the file ends at byte 1000003"
    with use_backend(backend), opened(path, direct) as fd, pytest.raises(RuntimeError, match=said):
        read(fd, 0, 512, [0, 1, 1952, 1953, 1954, 5000, 10**9], threads, direct)


@backends
def test_an_error_of_the_system_is_told(tmp_path, backend):
    fd = os.open(tmp_path, os.O_RDONLY)
    try:
        with (
            use_backend(backend),
            pytest.raises(RuntimeError, match=r"row 5, which is ids\[0\].*Is a directory \(errno 21\)"),
        ):
            read(fd, 0, 8, [5, 6])
    finally:
        os.close(fd)
    with use_backend(backend), pytest.raises(RuntimeError, match=r"Bad file descriptor \(errno 9\)"):
        read(fd, 0, 8, [5])


@backends
@pytest.mark.skipif(not Path("/proc/self/mem").exists(), reason="needs a file with a part that cannot be read")
def test_a_failing_medium_is_told_with_its_row(backend):
    held = torch.arange(200, dtype=torch.uint8)
    at = held.data_ptr()
    with use_backend(backend), opened(Path("/proc/self/mem")) as fd:
        assert torch.equal(read(fd, at, 10, [0, 7, 19])[0], held.view(20, 10)[[0, 7, 19]])
        # Nothing is mapped so far up.
        with pytest.raises(RuntimeError, match=rf"row {2**46}, which is ids\[2\], .*: Input/output error \(errno 5\)"):
            read(fd, at, 10, [0, 7, 2**46, 2**46 + 1])


@backends
def test_unaligned_reads_of_a_direct_file_are_explained(path, backend):
    with use_backend(backend), opened(path, direct=True) as fd:
        try:
            os.preadv(fd, [bytearray(7)], 3)
        except OSError:
            with pytest.raises(
                RuntimeError, match=r"errno 22\); a file opened with O_DIRECT is read with 'direct_block'"
            ):
                read(fd, 3, 7, [0])
        else:
            pytest.skip("the file system takes unaligned reads")


STINGY = """
#include <dlfcn.h>
#include <errno.h>
#include <unistd.h>
// Gives a part of what is asked for, and is interrupted now and then.
static int total;
int stingy_calls(void) { return total; }
static ssize_t stingy(int fd, void* buffer, size_t size, off_t offset) {
  static __thread unsigned calls;
  static ssize_t (*real)(int, void*, size_t, off_t);
  if (!real) real = (ssize_t(*)(int, void*, size_t, off_t))dlsym(RTLD_NEXT, "pread64");
  __sync_add_and_fetch(&total, 1);
  if (++calls % 3 == 0) { errno = EINTR; return -1; }
  size_t part = 512 * (1 + calls * 7 % 11) + (offset % 512 || size % 512 ? calls % 13 : 0);
  return real(fd, buffer, part < size ? part : size, offset);
}
ssize_t pread(int fd, void* b, size_t n, off_t o) { return stingy(fd, b, n, o); }
ssize_t pread64(int fd, void* b, size_t n, off_t o) { return stingy(fd, b, n, o); }
"""


@compiled
@pytest.mark.skipif(shutil.which("cc") is None or sys.platform != "linux", reason="needs a C compiler, and Linux")
def test_short_and_interrupted_reads_go_on(path, tmp_path):
    source, library = tmp_path / "stingy.c", tmp_path / "stingy.so"
    source.write_text("#define _GNU_SOURCE\n" + STINGY)
    subprocess.run(["cc", "-shared", "-fPIC", "-O1", str(source), "-o", str(library), "-ldl"], check=True)
    code = f"""
import ctypes, torch
from pathlib import Path
from tests.ops.test_read_rows import opened, read, wanted
ids = [*range(200), 230, 230, 240]
with opened(Path({str(path)!r})) as fd:
    out, count = read(fd, 5, 4100, ids, 4)
    assert torch.equal(out, wanted(5, 4100, ids))
    try:
        read(fd, 0, 512, [1, 1953])
    except RuntimeError as error:
        assert "row 1953" in str(error) and "ends at byte 1000003" in str(error), error
    else:
        raise AssertionError
assert ctypes.CDLL(None).stingy_calls() > 100
print(count)
"""
    environment = {**os.environ, "LD_PRELOAD": str(library), "GRAPHLAB_BACKEND": "auto"}
    done = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    with opened(path) as fd:
        assert int(done.stdout) == read(fd, 5, 4100, [*range(200), 230, 230, 240])[1]


@backends
def test_wrong_arguments_are_told(path, backend):
    ids, out = torch.tensor([0, 1]), torch.empty(2, 4, dtype=torch.uint8)
    shared = torch.zeros(2, 16, dtype=torch.uint8)
    wrong = [
        ((-1, 4, ids, out), {}, "'offset' must not be negative, got -1"),
        ((0, 16, shared.view(torch.int64)[:, 0], shared), {}, "'out' must not share memory with 'ids'"),
        ((0, 16, shared.view(torch.int64)[0], shared), {}, "'out' must not share memory with 'ids'"),
        ((0, 0, ids, out), {}, "'row_bytes' must be positive, got 0"),
        ((0, 4, ids.int(), out), {}, "'ids' must be int64, got int32"),
        ((0, 4, ids, out[:1]), {}, r"'out' must have shape \(2, 4\), got \(1, 4\)"),
        ((0, 4, ids, out.flatten()), {}, r"'out' must have shape \(2, 4\), got \(8,\)"),
        ((0, 4, ids, out.float()), {}, "'out' must be uint8, got float32"),
        ((0, 4, ids, torch.empty(4, 2, dtype=torch.uint8).T), {}, "'out' must be contiguous"),
        ((0, 4, ids, out), {"threads": 0}, r"'threads' must lie in \[1, 1024\], got 0"),
        ((0, 4, ids, out), {"direct_block": 1000}, "'direct_block' must be 0 or a power of two up to 262144, got 1000"),
        ((0, 4, torch.tensor([2, 1]), out), {}, r"'ids' must not decrease, but ids\[1\] is 1 after 2; sort them"),
        ((0, 4, torch.tensor([-1, 1]), out), {}, r"'ids' must lie in \[0, \d+\), but ids\[0\] is -1"),
        ((0, 4, torch.tensor([0, 2**62]), out), {}, r"'ids' must lie in \[0, \d+\), but ids\[1\] is 46116860184273879"),
    ]
    with use_backend(backend), opened(path) as fd:
        for args, options, said in wrong:
            with pytest.raises((ValueError, RuntimeError), match=said):
                read_rows(fd, *args, **options)
        for bad in (-1, fd + 2**32):
            with pytest.raises(ValueError, match=f"'fd' must be an open file's descriptor, got {bad}"):
                read_rows(bad, 0, 4, ids, out)


@compiled
def test_the_kernel_takes_no_memory_that_it_writes(path):
    out = torch.zeros(64, 1024, dtype=torch.uint8)
    ids = out.view(-1)[:512].view(torch.int64)
    with opened(path) as fd, pytest.raises(RuntimeError, match="'out' must not share memory with 'ids'"):
        torch.ops.graphlab.read_rows(fd, 0, 1024, ids, out, 1, 0)
    with pytest.raises(RuntimeError, match="'fd' must be an open file's descriptor, got 4294967296"):
        torch.ops.graphlab.read_rows(2**32, 0, 1024, ids.clone(), out, 1, 0)
