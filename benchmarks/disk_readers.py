"""Readers of the same rows: the loader, fio in sequence and at random, NumPy's memory maps, and the graph in memory."""

import json
import mmap
import statistics
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch
from disk_data import FANOUTS, Usage, World, cool
from measure import resident

from graphlab.disk import DiskLoader, Store
from graphlab.disk.batch_reader import cold_ids, decode
from graphlab.disk.files import BLOCK, aligned_bytes, read_blocks

# The loader reads this much per system call.
STEP = 4 << 20


def median_of(usages: list[Usage], batches: int) -> dict[str, float]:
    """Return the medians of some rounds."""
    return {
        "seconds": statistics.median(u.seconds for u in usages),
        "batches_per_second": batches / statistics.median(u.seconds for u in usages),
        "cpu_ms_per_batch": 1e3 * statistics.median(u.cpu_seconds for u in usages) / batches,
        "read_bytes": statistics.median(u.read_bytes for u in usages),
    }


def loading(path: Path, readers: int, rounds: int) -> dict[str, Any]:
    """Read a store with the loader and one of its shards with fio, by turns."""
    store = Store(path)
    shards = [store.shard_path(s.number) for s in store.shards]
    entries = [e for s in store.shards for e in s.entries]
    opening = Usage()
    with opening:
        loader = DiskLoader(path, readers=readers)
    usages, rates = [], []
    for _ in range(rounds):
        cool(*shards)
        usages.append(Usage())
        with usages[-1]:
            for _batch in loader:
                pass
        del _batch
        cool(*shards)
        rates.append(sequential(max(shards, key=lambda p: p.stat().st_size), readers))
    pack, record = sum(e.pack_bytes for e in entries), sum(e.record_bytes for e in entries)
    found: dict[str, Any] = {"readers": readers, "batches": len(loader), **median_of(usages, len(loader))}
    rate = (pack + record) / found["seconds"]
    return {
        **found,
        "useful_bytes": pack + record,
        "cold_bytes": pack,
        "bytes_per_second": rate,
        "fio_bytes_per_second": statistics.median(rates),
        # Neighbours in time share what the machine has to give.
        "of_fio": statistics.median((pack + record) / u.seconds / fio for u, fio in zip(usages, rates, strict=True)),
        "amplification": found["read_bytes"] / (pack + record),
        "amplification_of_cold": found["read_bytes"] / max(pack, 1),
        "open_seconds": opening.seconds,
        "open_bytes": opening.read_bytes,
        "peak_bytes": resident("VmHWM"),
    }


def fio(*options: str) -> dict[str, Any]:
    """Run one job of fio, past the page cache; return what it says of reads."""
    command = ["fio", "--name=read", "--direct=1", "--thread", "--group_reporting", "--output-format=json", *options]
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode:
        raise RuntimeError(f"{' '.join(command)} failed: {done.stderr or done.stdout}")
    return json.loads(done.stdout[done.stdout.index("{") :])["jobs"][0]["read"]


def sequential(path: Path, threads: int) -> float:
    """Bytes per second of threads that read a file from end to end, each its part, as the loader's readers read."""
    part = path.stat().st_size // threads // STEP * STEP
    size = [f"--filename={path}", f"--size={part}", f"--offset_increment={part}", f"--numjobs={threads}"]
    return fio("--rw=read", "--ioengine=psync", f"--bs={STEP}", *size)["bw_bytes"]


def cold_rows(path: Path, batches: range) -> list[np.ndarray]:
    """Cold nodes of some batches, distinct, in the order in which they were sampled."""
    store, found = Store(path), []
    for number in batches:
        shard, entry = store.entry(0, number)
        data = aligned_bytes(entry.extent)
        read_blocks(store.shard_path(shard), data, entry.offset)
        counts, arrays = decode(store.info, data, entry)
        ids = cold_ids(counts, arrays)
        # Each place is met first where its node is.
        _, first = np.unique(arrays["place"].numpy(), return_index=True)
        cold = np.sort(first[arrays["place"].numpy()[first] >= 0])
        found.append(arrays["n_id"].numpy()[cold].astype(np.int64))
        assert np.array_equal(np.sort(found[-1]), ids.numpy())
    return found


def at_random(world: World, rows: list[np.ndarray], in_order: bool) -> dict[str, float]:
    """The drive's best at random: 256 direct reads of a block in flight, each block once per batch."""
    block = [np.unique(ids * world.row_bytes // BLOCK, return_index=True) for ids in rows]
    pages = [distinct if in_order else distinct[np.argsort(first)] for distinct, first in block]
    log, x = world.folder / "random.log", world.features
    lines = [f"{x} read {page * BLOCK} {BLOCK}" for batch in pages for page in batch.tolist()]
    log.write_text("\n".join(["fio version 2 iolog", f"{x} add", f"{x} open", *lines, f"{x} close", ""]))
    cool(x)
    try:
        read = fio(f"--read_iolog={log}", "--ioengine=libaio", "--iodepth=256", "--replay_no_stall=1")
    finally:
        log.unlink()
    if read["total_ios"] != len(lines):
        raise RuntimeError(f"fio made {read['total_ios']:,} of {len(lines):,} reads")
    seconds = read["io_bytes"] / read["bw_bytes"]
    return {"batches_per_second": len(rows) / seconds, "reads_per_second": len(lines) / seconds, "reads": len(lines)}


def mapped(world: World, rows: list[np.ndarray], advice: int | None) -> dict[str, Any]:
    """NumPy's memory map: each batch from a cold cache, as it is wherever memory is short."""
    usages = []
    for ids in rows:
        cool(world.features)
        usages.append(Usage())
        with usages[-1]:
            x = np.memmap(world.features, np.float32, "r", shape=(world.nodes, world.channels))
            if advice is not None:
                x._mmap.madvise(advice)  # pyright: ignore
            x[ids]
        del x
    useful = statistics.median(len(ids) * world.row_bytes for ids in rows)
    found = median_of(usages, 1)
    return {**found, "amplification": found["read_bytes"] / useful}


def memory_maps(world: World, store: Path, batches: int) -> dict[str, Any]:
    """NumPy's memory maps, plain and with advice."""
    rows = cold_rows(store, range(batches))
    return {"plain": mapped(world, rows, None), "MADV_RANDOM": mapped(world, rows, mmap.MADV_RANDOM)}


def random_reads(world: World, store: Path, batches: int, rounds: int) -> dict[str, Any]:
    """Random reads of fio, by turns in the order of the sample and in ascending order."""
    rows = cold_rows(store, range(batches))

    def best(in_order: bool) -> Callable[[], dict[str, float]]:
        return lambda: at_random(world, rows, in_order)

    turns = [(best(False)(), best(True)()) for _ in range(rounds)]
    found = {}
    for name, each in zip(("as sampled", "ascending"), zip(*turns, strict=True), strict=True):
        found[name] = {key: statistics.median(one[key] for one in each) for key in each[0]}
    return found


def in_memory(world: World, store: Path, batch_size: int, num_seeds: int, batches: int) -> dict[str, Any]:
    """The loader of graphs in memory with one thread, on the same batches; and whether these have the same bits."""
    from torch_geometric.data import Data

    from graphlab.loader import NeighborLoader

    stored = Store(store)
    x = torch.from_numpy(np.fromfile(world.features, np.float32)).view(world.nodes, world.channels)
    edge_index = torch.from_numpy(np.load(world.folder / "edge_index.npy")).long()
    data = Data(x=x, edge_index=edge_index, y=torch.from_numpy(np.load(world.folder / "y.npy")))
    sampling = stored.info.sampling
    loader = NeighborLoader(
        data,
        FANOUTS,
        input_nodes=world.seeds(num_seeds),
        batch_size=batch_size,
        shuffle=True,
        seed=sampling.seed,
        num_workers=0,
    )
    equal = all(_same(loader.batch(0, b), DiskLoader(store).batch(0, b)) for b in (0, len(loader) - 1))
    torch.set_num_threads(1)
    usage = Usage()
    iterator = iter(loader)
    # The allocator keeps large pieces only once some were given back.
    for _ in range(3):
        next(iterator)
    with usage:
        for _ in range(batches):
            next(iterator)
    return {**median_of([usage], batches), "equal": equal, "peak_bytes": resident("VmHWM")}


def _same(ours: Any, theirs: Any) -> bool:
    return all(torch.equal(ours[key], theirs[key]) for key in ("x", "y", "edge_index", "n_id", "e_id", "input_id"))
