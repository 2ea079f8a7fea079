"""Loading batches from disk against what the drive gives at best, against other readers, and against memory.

Run ``python benchmarks/disk.py`` on an idle machine with fio installed; it prints a table with the bar that each figure
is held against and writes ``disk.json`` beside itself. The data, 2,000,000 x 128 features and 20,000,000 edges by
default, is made under ``--folder`` and removed at the end; it takes some 3 GB. Each part runs in a process of its own,
on files that are not in the page cache (checked with mincore), rounds alternate with those of the peer, and figures are
medians over rounds. ``--parts`` runs some parts only and keeps the figures of the others.

The limit of sequential reading is fio with the loader's block size and number of threads on the same shard; the limit
of random reading is fio with 256 direct reads in flight, replaying the blocks that the cold rows of some batches lie
in, each once per batch. What a part does:

- ``packing`` makes the store, and counts what it reads; it always runs.
- ``loader`` reads all batches with 1 and with 2 reader threads.
- ``random`` replays the cold rows of some batches at random places.
- ``memmap`` reads the same rows through NumPy's memory maps.
- ``memory`` makes the same batches from a graph in memory.
- ``sampler`` samples, with 1 and with 2 threads.
"""

import argparse
import json
import platform
import shutil
import tempfile
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import disk_packing
import disk_readers
import disk_sampler
import torch
from disk_data import World
from measure import spawned

from graphlab import ops

HERE = Path(__file__).parent
# The loader's default is what is held against bars.
READERS = 2
PARTS = ("packing", "loader", "random", "memmap", "memory", "sampler")


@dataclass(frozen=True)
class Figure:
    """A figure that is held against a bar.

    Args:
        name: What it is.
        value: How much.
        bar: How much is asked for.
        least: Whether the bar is the least, not the most.
    """

    name: str
    value: float
    bar: float
    least: bool

    def __str__(self) -> str:
        kept = self.value >= self.bar if self.least else self.value <= self.bar
        bar = f"bar {'>=' if self.least else '<='} {self.bar:<5g}"
        return f"{self.name:58} {self.value:9.4g}   {bar} {'ok' if kept else 'MISSED'}"


def run_parts(args: argparse.Namespace, folder: Path) -> dict[str, Any]:
    """Measure, each part in a process of its own."""
    world, store = World(folder, args.nodes, args.edges, args.channels), folder / "store"
    world.write()
    num_seeds, some = args.batch_size * args.batches, min(args.some, args.batches)
    found: dict[str, Any] = {
        "packing": spawned(disk_packing.packing, world, store, args.batch_size, args.batches, args.memory_budget)
    }
    if "loader" in args.parts:
        found["loader"] = {str(n): spawned(disk_readers.loading, store, n, args.rounds) for n in (1, 2)}
    if "random" in args.parts:
        found["random"] = spawned(disk_readers.random_reads, world, store, some, args.rounds)
    if "memmap" in args.parts:
        found["memmap"] = spawned(disk_readers.memory_maps, world, store, some)
    if "memory" in args.parts:
        found["memory"] = spawned(
            disk_readers.in_memory, world, store, args.batch_size, num_seeds, min(20, args.batches - 3)
        )
    if "sampler" in args.parts:
        batches = min(20, args.batches)
        found["sampler"] = spawned(
            disk_sampler.sampling, world, store, args.batch_size, num_seeds, batches, args.rounds
        )
    return found


def figures(found: dict[str, Any]) -> list[Figure]:
    """Return what is held against a bar, as far as it was measured."""
    out = [
        Figure(
            "packing: bytes read in its phase / bytes of the features", found["packing"]["feature_reads"], 1.05, False
        )
    ]
    for readers, one in found.get("loader", {}).items():
        if int(readers) != READERS:
            continue
        out.append(Figure(f"loader, {readers} reader(s): rate / fio in sequence", one["of_fio"], 0.8, True))
        out.append(
            Figure(f"loader, {readers} reader(s): bytes read / bytes of batches", one["amplification"], 1.01, False)
        )
        if "random" in found:
            ratio = one["batches_per_second"] / found["random"]["as sampled"]["batches_per_second"]
            out.append(Figure(f"loader, {readers} reader(s): rate / 256 random reads in flight", ratio, 20, True))
    if "sampler" in found:
        ours = found["sampler"]["neighbor_sample_batches"]
        out.append(Figure("sampler: ms of processor time per batch", ours["cpu_ms_per_batch"], 5, False))
        for name in ("neighbor_sample_batches", "NeighborLoader"):
            out.append(Figure(f"{name}: speed-up of 2 threads", found["sampler"][name]["speed_up"], 1.7, True))
        for name, peer in found["sampler"].items():
            if "." in name:
                ratio = peer["cpu_ms_per_batch"] / ours["cpu_ms_per_batch"]
                out.append(Figure(f"sampler: processor time of {name} / ours", ratio, 5, True))
    return out


def show(found: dict[str, Any]) -> None:
    """Print a table."""
    packing = found["packing"]
    print(f"packing: {packing['seconds']:.1f} s wall, {packing['cpu_seconds']:.1f} s of processor time: ", end="")
    print(", ".join(f"{name} {phase['seconds']:.1f} s" for name, phase in packing["phases"].items()))
    print(f"    {packing['rows_per_batch']:,.0f} rows per batch, {packing['hot_share']:.0%} of them hot; ", end="")
    print(f"packs take {packing['blow_up']:.2f} x the features; peak {packing['peak_bytes'] >> 20} MiB")
    for readers, one in found.get("loader", {}).items():
        print(f"loader, {readers} reader(s): {one['batches_per_second']:.1f} batches/s, ", end="")
        print(
            f"{one['bytes_per_second'] / 1e6:,.0f} MB/s of fio's {one['fio_bytes_per_second'] / 1e6:,.0f} MB/s, ",
            end="",
        )
        print(f"{one['cpu_ms_per_batch']:.1f} ms of processor time per batch, peak {one['peak_bytes'] >> 20} MiB")
        print(f"    bytes read / bytes of cold rows {one['amplification_of_cold']:.3f}")
    for name, one in found.get("random", {}).items():
        print(f"256 random reads in flight, {name}: {one['batches_per_second']:.2f} batches/s, ", end="")
        print(f"{one['reads_per_second']:,.0f} reads/s")
    for name, one in found.get("memmap", {}).items():
        print(f"np.memmap, {name}: {one['batches_per_second']:.2f} batches/s, ", end="")
        print(f"bytes read / bytes of rows {one['amplification']:.1f}")
    if "memory" in found:
        one = found["memory"]
        print(
            f"in memory, 1 thread: {one['batches_per_second']:.1f} batches/s, {one['cpu_ms_per_batch']:.1f} ms of ",
            end="",
        )
        print(f"processor time per batch; {'the same bits' if one['equal'] else 'OTHER BITS'}")
    for name, one in found.get("sampler", {}).items():
        print(
            f"{name}: {one['ms_per_batch']:.2f} ms per batch, {one['cpu_ms_per_batch']:.2f} ms of processor time",
            end="",
        )
        two = f", {one.get('speed_up', 0):.2f}x with 2 threads, which take {one.get('cpu_ms_per_batch_of_2', 0):.2f} ms"
        print(two if "speed_up" in one else "")
    for figure in figures(found):
        print(figure)


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--parts", nargs="+", choices=PARTS, default=list(PARTS), help="which; others are kept")
    parser.add_argument("--folder", type=Path, help="where to make the data (default: a temporary directory)")
    parser.add_argument("--nodes", type=int, default=2_000_000)
    parser.add_argument("--edges", type=int, default=20_000_000)
    parser.add_argument("--channels", type=int, default=128)
    parser.add_argument("--batch_size", type=int, default=1024)
    parser.add_argument("--batches", type=int, default=100)
    parser.add_argument("--some", type=int, default=5, help="batches of the slow readers (default: 5)")
    parser.add_argument("--memory_budget", type=int, help="bytes that prepare may hold (default: half of what is free)")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--out", type=Path, default=HERE / "disk.json")
    args = parser.parse_args()
    if ("loader" in args.parts or "random" in args.parts) and not shutil.which("fio"):
        parser.error("the parts 'loader' and 'random' need fio; install it, or choose other --parts")
    with tempfile.TemporaryDirectory(dir=args.folder, prefix="disk-") as folder:
        found = run_parts(args, Path(folder))
    sizes = {name: getattr(args, name) for name in ("nodes", "edges", "channels", "batch_size", "batches", "rounds")}
    kept = json.loads(args.out.read_text(encoding="utf-8")) if args.out.exists() else {}
    same = all(kept.get(name) == value for name, value in sizes.items())
    found = {**(kept["parts"] if same else {}), **found}
    show(found)
    machine = {"processor": platform.processor() or platform.machine(), "kernels": ops.backends()["cpu"]}
    bars = [asdict(figure) for figure in figures(found)]
    record = {"torch": torch.__version__, "machine": machine, **sizes, "bars": bars, "parts": found}
    args.out.write_text(json.dumps(record, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
