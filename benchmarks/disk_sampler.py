"""The sampler alone and the loader around it: processor time of a batch, and what a second thread gives."""

import statistics
import time
from collections.abc import Callable
from importlib.util import find_spec
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
import torch
from disk_data import FANOUTS, Usage, World
from torch import Tensor

from graphlab.disk import Store
from graphlab.loader import NeighborLoader
from graphlab.ops import batch_key, neighbor_sample_batches, seed_permutation


def sampling(world: World, path: Path, batch_size: int, num_seeds: int, batches: int, rounds: int) -> dict[str, Any]:
    """Time the samplers, by turns with one thread and with two."""
    store = Store(path)
    rowptr, col = (array.read(0, len(array)) for array in (store.rowptr, store.col))
    rowptr = rowptr.to(col.dtype)
    nodes = world.seeds(num_seeds)
    contenders = {"neighbor_sample_batches": _ours(rowptr, col, nodes, batch_size, batches), **_peers(rowptr, col)}
    found: dict[str, Any] = {}
    for name, run in contenders.items():
        peer = name != "neighbor_sample_batches"
        found[name] = _timed(run if not peer else _each(run, nodes, batch_size, batches), batches, rounds, not peer)
    del rowptr, col
    found["NeighborLoader"] = _timed(_loader(world, nodes, batch_size, batches), batches, rounds, True)
    return found


def _timed(run: Callable[[int], None], batches: int, rounds: int, scales: bool) -> dict[str, float]:
    """Median wall and processor time of a batch with one thread, and the speed-up with two."""
    usages: dict[int, list[Usage]] = {1: [], 2: []}
    for turn in range(rounds + 1):
        for threads, of_threads in usages.items():
            if threads == 2 and not scales:
                continue
            torch.set_num_threads(threads)
            # The threads of the last turn spin for a while.
            time.sleep(0.1)
            with Usage() as usage:
                run(threads)
            # The first turn starts the threads and fills caches.
            if turn:
                of_threads.append(usage)
    one = usages[1]
    found = {
        "ms_per_batch": 1e3 * statistics.median(u.seconds for u in one) / batches,
        "cpu_ms_per_batch": 1e3 * statistics.median(u.cpu_seconds for u in one) / batches,
    }
    if scales:
        found["cpu_ms_per_batch_of_2"] = 1e3 * statistics.median(u.cpu_seconds for u in usages[2]) / batches
        found["speed_up"] = statistics.median(a.seconds / b.seconds for a, b in zip(one, usages[2], strict=True))
    return found


def _ours(rowptr: Tensor, col: Tensor, nodes: Tensor, batch_size: int, batches: int) -> Callable[[int], None]:
    seeds = nodes[seed_permutation(len(nodes), 0, 0, 0, batch_size * batches)].to(rowptr.dtype)
    ends = torch.arange(0, batch_size * batches + 1, batch_size)
    keys = [batch_key(0, 0, b) for b in range(batches)]

    def run(threads: int) -> None:
        # As many at a time as a user's memory may hold.
        for start in range(0, batches, 10):
            stop = min(start + 10, batches)
            part = seeds[ends[start] : ends[stop]]
            neighbor_sample_batches(rowptr, col, part, ends[: stop - start + 1], FANOUTS, keys[start:stop], csc=True)

    return run


def _loader(world: World, nodes: Tensor, batch_size: int, batches: int) -> Callable[[int], None]:
    from torch_geometric.data import Data

    x = torch.from_numpy(np.fromfile(world.features, np.float32)).view(world.nodes, world.channels)
    edge_index = torch.from_numpy(np.load(world.folder / "edge_index.npy")).long()
    data = Data(x=x, edge_index=edge_index)
    loaders = {
        threads: NeighborLoader(
            data, FANOUTS, input_nodes=nodes[: batch_size * batches], batch_size=batch_size, seed=0, num_workers=threads
        )
        for threads in (1, 2)
    }

    def run(threads: int) -> None:
        # Its own threads make batches; one batch is the work of one thread.
        torch.set_num_threads(1)
        for _batch in islice(loaders[threads], batches):
            pass

    return run


def _each(sample: Callable[[Tensor], Any], nodes: Tensor, batch_size: int, batches: int) -> Callable[[int], None]:
    def run(threads: int) -> None:
        for seeds in nodes[: batch_size * batches].split(batch_size):
            sample(seeds)

    return run


def _peers(rowptr: Tensor, col: Tensor) -> dict[str, Callable[[Tensor], Any]]:
    """Return the samplers of other packages, as far as they are installed."""
    found: dict[str, Callable[[Tensor], Any]] = {}
    if find_spec("torch_sparse"):
        import torch_sparse  # noqa: F401

        ptr, index = rowptr.long(), col.long()
        found["torch_sparse.neighbor_sample"] = lambda seeds: torch.ops.torch_sparse.neighbor_sample(
            ptr, index, seeds, FANOUTS, False, True
        )
    if find_spec("pyg_lib"):
        import pyg_lib  # pyright: ignore

        ptr, index = rowptr.long(), col.long()
        found["pyg_lib.neighbor_sample"] = lambda seeds: pyg_lib.sampler.neighbor_sample(ptr, index, seeds, FANOUTS)
    return found
