"""Training from disk under a cap of memory that the kernel enforces, with the peak watched from outside.

Run ``python benchmarks/disk_memory.py``; it prints the peaks of each stage and writes ``disk_memory.json`` beside
itself. 1 GB of features and 160 MB of edges in ``.npy`` files are prepared, a GraphSAGE is trained from the store, and
the embeddings of all nodes are computed layer by layer, in a process that has ``RLIMIT_DATA`` set to the cap before it
begins. ``RLIMIT_DATA`` bounds private memory, but not that of mapped files, so this process reads ``RssAnon`` and
``RssFile`` of the other one every 20 ms, takes ``VmHWM`` at its end, and asks mincore what of all files is in the page
cache then: a training that leaned on the page cache would not be one within the cap. ``--features_gb 8`` is a graph of
which the cap is a sixteenth. The data is made under ``--folder`` and removed at the end; it takes some 4 times the
features.
"""

import argparse
import json
import os
import resource
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path
from typing import Any

from disk_data import World, cached_bytes

HERE = Path(__file__).parent


class Watch:
    """The largest RssAnon + RssFile of a process, by stage, and all together.

    Args:
        pid: The process.
    """

    def __init__(self, pid: int) -> None:
        self.stage, self.peaks, self.samples = "import", dict[str, dict[str, int]](), 0
        self._path, self._over = Path(f"/proc/{pid}/status"), threading.Event()
        self._thread = threading.Thread(target=self._run)
        self._thread.start()

    def stop(self) -> None:
        """Look no longer."""
        self._over.set()
        self._thread.join()

    def _run(self) -> None:
        while not self._over.wait(0.02):
            try:
                text = self._path.read_text(encoding="utf-8")
            except OSError:
                return
            found = {
                line.split(":")[0]: int(line.split()[1]) << 10 for line in text.splitlines() if line.endswith("kB")
            }
            if "RssAnon" not in found:
                return
            self.samples += 1
            now = {name: found[name] for name in ("RssAnon", "RssFile", "VmData")}
            now["resident"] = now["RssAnon"] + now["RssFile"]
            peak = self.peaks.setdefault(self.stage, now)
            if now["resident"] >= peak["resident"]:
                self.peaks[self.stage] = {**now, "VmData": max(now["VmData"], peak["VmData"])}


def run_capped(order: dict[str, Any], cap: int) -> dict[str, Any]:
    """Run the child under the cap and watch it."""
    # NumPy's OpenBLAS reserves 32 MB for each of its threads, touched or not, and RLIMIT_DATA counts what is reserved.
    environment = {**os.environ, "OMP_NUM_THREADS": str(order["threads"]), "OPENBLAS_NUM_THREADS": "1"}
    child = subprocess.Popen(
        [sys.executable, str(HERE / "disk_memory_child.py"), json.dumps(order)],
        stdout=subprocess.PIPE,
        text=True,
        env=environment,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_DATA, (cap, cap)),
    )
    watch, stages = Watch(child.pid), {}
    following = iter(["prepare", "import PyG", "open", "train", *["evaluate"][: order["evaluate"]], "end", "over"])
    assert child.stdout is not None
    try:
        for line in child.stdout:
            told = json.loads(line)
            stages[told.pop("stage")] = told
            watch.stage = next(following)
    finally:
        code = child.wait()
        watch.stop()
    if code:
        raise SystemExit(f"the child ended with {code} in stage '{watch.stage}'; peaks {watch.peaks}")
    for name, told in stages.items():
        told |= watch.peaks.get(name, {})
    return {"stages": stages, "samples": watch.samples}


def measure(args: argparse.Namespace, folder: Path) -> dict[str, Any]:
    """Make the data, run the child, look at the page cache."""
    nodes = int(args.features_gb * 1_000_000_000 / (4 * args.channels)) if args.nodes is None else args.nodes
    world = World(folder, nodes, args.degree * nodes, args.channels, npy=True)
    free, needed = shutil.disk_usage(folder).free, 4 * world.feature_bytes
    if needed > free:
        raise SystemExit(f"the data takes {needed:,} bytes of disk, {free:,} are free; give another --folder")
    world.write()
    cap = args.cap_mb << 20
    order = {
        "folder": str(folder),
        "nodes": nodes,
        "edges": world.edges,
        "channels": args.channels,
        "memory_budget": cap - (args.margin_mb << 20),
        "model_bytes": args.model_mb << 20,
        "cache_bytes": args.cache_mb << 20,
        "scratch_bytes": int(args.scratch_gb * 1e9),
        **{
            name: getattr(args, name)
            for name in ("num_neighbors", "batch_size", "batches", "epochs", "hidden", "threads", "evaluate")
        },
    }
    began = time.perf_counter()
    found = run_capped(order, cap)
    cached = {str(p.relative_to(folder)): cached_bytes(p) for p in sorted(folder.rglob("*")) if p.is_file()}
    peak = max(stage.get("resident", 0) for stage in found["stages"].values())
    peak = max(peak, found["stages"]["end"]["peak_bytes"])
    del order["folder"]
    return {
        **order,
        "cap": cap,
        "feature_bytes": world.feature_bytes,
        "edge_bytes": 8 * world.edges,
        "seconds": time.perf_counter() - began,
        "peak_bytes": peak,
        "excess_bytes": max(0, peak - order["memory_budget"]),
        "batches_per_second": found["stages"]["train"]["batches"] / found["stages"]["train"]["seconds"],
        "cached_bytes": sum(cached.values()),
        "cached": {name: size for name, size in cached.items() if size},
        **found,
    }


def show(found: dict[str, Any]) -> None:
    """Print a table."""
    print(f"{found['feature_bytes'] / 1e9:.2f} GB of features, {found['edge_bytes'] / 1e6:,.0f} MB of edges; ", end="")
    print(f"cap {found['cap'] >> 20} MiB, memory_budget {found['memory_budget'] >> 20} MiB")
    for name, stage in found["stages"].items():
        if "resident" in stage:
            parts = (f"{key} {stage[key] / 2**20:6.1f}" for key in ("resident", "RssAnon", "RssFile", "VmData"))
            print(f"{name:10} {stage['seconds']:7.1f} s   {'  '.join(parts)} MiB")
    print(f"{found['batches_per_second']:.2f} batches/s; in the page cache at the end: {found['cached_bytes']:,} bytes")
    for name, value, bar in (
        ("peak of resident memory", found["peak_bytes"], found["cap"]),
        ("memory_budget exceeded by", found["excess_bytes"], 64 << 20),
    ):
        verdict = "ok" if value <= bar else "MISSED"
        print(f"{name:30} {value / 2**20:8.1f} MiB   bar <= {bar >> 20} MiB {verdict}")


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--folder", type=Path, help="where to make the data (default: a temporary directory)")
    parser.add_argument("--features_gb", type=float, default=1.024)
    parser.add_argument("--nodes", type=int, help="in place of --features_gb")
    parser.add_argument("--channels", type=int, default=128)
    parser.add_argument("--degree", type=int, default=10)
    parser.add_argument("--cap_mb", type=int, default=512)
    parser.add_argument("--margin_mb", type=int, default=0, help="memory_budget is so much below the cap (default: 0)")
    parser.add_argument("--model_mb", type=int, default=24, help="what the model may take of the budget (default: 24)")
    parser.add_argument("--cache_mb", type=int, default=16, help="the hot set (default: 16)")
    parser.add_argument("--num_neighbors", type=int, nargs="+", default=[10, 10])
    parser.add_argument("--batch_size", type=int, default=256)
    parser.add_argument("--batches", type=int, default=100)
    parser.add_argument("--epochs", type=int, default=1)
    parser.add_argument("--hidden", type=int, default=64)
    parser.add_argument("--scratch_gb", type=float, default=4.0, help="disk that layer_wise may take (default: 4)")
    parser.add_argument("--evaluate", action=argparse.BooleanOptionalAction, default=True)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--out", type=Path, default=HERE / "disk_memory.json")
    args = parser.parse_args()
    with tempfile.TemporaryDirectory(dir=args.folder, prefix="disk-memory-") as folder:
        found = measure(args, Path(folder))
    show(found)
    args.out.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
