"""What the benchmarks of the disk share: a graph in files, a store made of it, cold files, and figures of a process."""

import ctypes
import mmap
import os
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

_CHUNK = 1 << 17
FANOUTS = [10, 10]
CLASSES = 16


@dataclass(frozen=True)
class World:
    """A graph in files: sources are popular as 1 / rank^0.8, targets are uniform.

    Args:
        folder: Where it lies.
        nodes: The number of nodes.
        edges: The number of edges.
        channels: Features per node, float32.
        npy: Whether the features lie in a ``.npy`` file; else they lie in one without a header, rows within blocks.
    """

    folder: Path
    nodes: int
    edges: int
    channels: int
    npy: bool = False

    @property
    def features(self) -> Path:
        """The file of the features."""
        return self.folder / ("x.npy" if self.npy else "x.bin")

    @property
    def inputs(self) -> tuple[Path, ...]:
        """All files."""
        return self.features, self.folder / "edge_index.npy", self.folder / "y.npy"

    @property
    def row_bytes(self) -> int:
        """Bytes of a node's features."""
        return 4 * self.channels

    @property
    def feature_bytes(self) -> int:
        """Bytes of all features."""
        return self.nodes * self.row_bytes

    def write(self) -> None:
        """Write features, edges and labels."""
        rng = np.random.default_rng(0)
        with self.features.open("wb") as file:
            if self.npy:
                header = {"descr": "<f4", "fortran_order": False, "shape": (self.nodes, self.channels)}
                np.lib.format.write_array_header_1_0(file, header)
            for start in range(0, self.nodes, _CHUNK):
                rows = min(_CHUNK, self.nodes - start)
                rng.standard_normal((rows, self.channels), np.float32).tofile(file)
        ids = rng.permutation(self.nodes)
        edges = np.lib.format.open_memmap(self.folder / "edge_index.npy", "w+", np.int32, (2, self.edges))
        most = self.nodes**0.2
        for start in range(0, self.edges, _CHUNK):
            count = min(_CHUNK, self.edges - start)
            rank = (1 + rng.random(count) * (most - 1)) ** 5
            edges[0, start : start + count] = ids[rank.astype(np.int64) - 1]
            edges[1, start : start + count] = rng.integers(self.nodes, size=count)
        edges.flush()
        del edges
        np.save(self.folder / "y.npy", rng.integers(CLASSES, size=self.nodes))
        cool(*self.inputs)

    def files(self) -> Any:
        """Name the files, as ``prepare`` takes them."""
        from graphlab.disk import GraphFiles, RawFile

        raw = RawFile(self.features, "float32", (self.nodes, self.channels))
        return GraphFiles(
            features=self.features if self.npy else raw,
            edge_index=self.folder / "edge_index.npy",
            num_nodes=self.nodes,
            y=self.folder / "y.npy",
        )

    def seeds(self, count: int) -> Any:
        """Draw nodes to make batches of."""
        import torch

        return torch.from_numpy(np.random.default_rng(1).choice(self.nodes, count, replace=False)).sort().values


@dataclass
class Usage:
    """What this process took up to now, or between two moments.

    Args:
        seconds: Wall time.
        cpu_seconds: Processor time of all threads.
        read_bytes: What it had the drives read.
    """

    seconds: float = 0.0
    cpu_seconds: float = 0.0
    read_bytes: int = 0

    @classmethod
    def now(cls) -> "Usage":
        """Return what it took up to now."""
        return cls(time.perf_counter(), time.process_time(), _read_bytes())

    def __sub__(self, other: "Usage") -> "Usage":
        return Usage(
            self.seconds - other.seconds, self.cpu_seconds - other.cpu_seconds, self.read_bytes - other.read_bytes
        )

    def __enter__(self) -> "Usage":
        self._began = Usage.now()
        return self

    def __exit__(self, *_: object) -> None:
        vars(self).update(vars(Usage.now() - self._began))


def _read_bytes() -> int:
    lines = Path("/proc/self/io").read_text(encoding="utf-8").splitlines()
    return int(next(line for line in lines if line.startswith("read_bytes")).split()[1])


def cool(*paths: Path) -> None:
    """Drop files from the page cache, and make sure that they are gone."""
    for path in paths:
        fd = os.open(path, os.O_RDONLY)
        try:
            os.fsync(fd)
            os.posix_fadvise(fd, 0, 0, os.POSIX_FADV_DONTNEED)
        finally:
            os.close(fd)
        if left := cached_bytes(path):
            raise RuntimeError(f"{path} keeps {left:,} bytes in the page cache: some process has it mapped")


def cached_bytes(path: Path) -> int:
    """Return how many bytes of a file lie in the page cache."""
    size = path.stat().st_size
    if not size:
        return 0
    with path.open("r+b") as file, mmap.mmap(file.fileno(), size, mmap.MAP_SHARED, mmap.PROT_READ) as mapped:
        here = np.frombuffer(mapped, np.uint8)
        pages = np.empty(-(-size // mmap.PAGESIZE), np.uint8)
        address, out = ctypes.c_void_p(here.ctypes.data), ctypes.c_void_p(pages.ctypes.data)
        if ctypes.CDLL(None, use_errno=True).mincore(address, ctypes.c_size_t(size), out):
            raise OSError(ctypes.get_errno(), "mincore", str(path))
        del here
    return int((pages & 1).sum()) * mmap.PAGESIZE
