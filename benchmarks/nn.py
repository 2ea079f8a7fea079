"""The drop-in layers against PyG's, with the same parameters on the same edges: ratios of time and memory, on the CPU.

Run ``python benchmarks/nn.py`` on an idle machine; it prints a table and writes ``nn.json`` beside itself. With one
thread time is the thread's processor time, else wall time. Both run by turns in one process, and each figure is the
median over turns; the memory is that of a forward and a backward pass in a process of its own. The graph is uniform at
random, and PyG gets its edges twice: as they are drawn, and sorted as an ``EdgeIndex``. ``difference`` is the largest
one between the results, relative to the largest value.
"""

import argparse
import ctypes
import json
import platform
import statistics
import time
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
import torch_geometric.nn as pyg
from measure import Peak, forked
from torch import Tensor
from torch_geometric import EdgeIndex

from graphlab import nn, ops

HERE = Path(__file__).parent
AGGREGATORS, SCALERS = ["mean", "min", "max", "std"], ["identity", "amplification", "attenuation"]


def layers(d: int) -> dict[str, Callable[[Any], torch.nn.Module]]:
    """By name, what builds a layer from a package that has it."""
    degrees = torch.bincount(torch.full((100,), 10))
    return {
        "SAGEConv mean": lambda p: p.SAGEConv(d, d),
        "SAGEConv max": lambda p: p.SAGEConv(d, d, aggr="max"),
        "SAGEConv mean, to d/4": lambda p: p.SAGEConv(d, d // 4),
        "GINConv": lambda p: p.GINConv(torch.nn.Linear(d, d)),
        "PNAConv": lambda p: p.PNAConv(d, d, AGGREGATORS, SCALERS, degrees),
        "GATv2Conv 4 heads": lambda p: p.GATv2Conv(d, d // 4, heads=4),
        "TransformerConv 4 heads": lambda p: p.TransformerConv(d, d // 4, heads=4),
    }


def run_once(layer: torch.nn.Module, x: Tensor, edge_index: Any, backward: bool) -> Tensor:
    x = x.detach().requires_grad_(backward)
    with torch.set_grad_enabled(backward):
        out = layer(x, edge_index)
    if backward:
        layer.zero_grad()
        out.sum().backward()
    return out.detach()


def peak(layer: torch.nn.Module, x: Tensor, edge_index: Any) -> int:
    """Peak bytes of a forward and a backward pass."""
    # What earlier runs left to the allocator would hide the first allocations.
    ctypes.CDLL(None).malloc_trim(0)
    with Peak() as found:
        run_once(layer, x, edge_index, True)
    return found.bytes


def row_of(
    name: str, build: Callable[[Any], torch.nn.Module], x: Tensor, edges: dict, args: Any, backward: bool
) -> dict:
    theirs, ours = build(pyg), build(nn)
    ours.load_state_dict(theirs.state_dict())
    contenders: dict[str, tuple[torch.nn.Module, Any]] = {"graphlab": (ours, edges["PyG COO"])}
    contenders |= {form: (theirs, edge_index) for form, edge_index in edges.items()}
    seconds: dict[str, list[float]] = {contender: [] for contender in contenders}
    outs: dict[str, Tensor] = {}
    clock = time.thread_time if args.threads == 1 else time.perf_counter
    for turn in range(args.rounds + 1):
        for contender, (layer, edge_index) in contenders.items():
            started = clock()
            outs[contender] = run_once(layer, x, edge_index, backward)
            # The first turn sorts the edges and fills caches.
            if turn:
                seconds[contender].append(clock() - started)
    found = {contender: statistics.median(s) for contender, s in seconds.items()}
    expected = outs["PyG COO"]
    row: dict[str, Any] = {"layer": name, "backward": backward, "threads": args.threads, "seconds": found}
    row["ratio"] = {form: found[form] / found["graphlab"] for form in edges}
    row["difference"] = float((outs["graphlab"] - expected).abs().max() / expected.abs().max())
    if backward:
        row["peak_bytes"] = {c: forked(peak, layer, x, edge_index) for c, (layer, edge_index) in contenders.items()}
    return row


def show(row: dict[str, Any]) -> None:
    ratios = "  ".join(f"{form} {ratio:5.1f}x" for form, ratio in row["ratio"].items())
    print(f"{row['layer']:26} {'fwd+bwd' if row['backward'] else 'fwd':8}", end="")
    print(f"{row['seconds']['graphlab'] * 1e3:8.1f} ms   {ratios}", end="")
    if "peak_bytes" in row:
        ours = max(1, row["peak_bytes"]["graphlab"])
        print(f"   {ours >> 20} MiB, PyG COO {row['peak_bytes']['PyG COO'] / ours:.1f}x", end="")
    print(f"   difference {row['difference']:.0e}")


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--layers", nargs="+", choices=layers(4), default=list(layers(4)))
    parser.add_argument("--nodes", type=int, default=100_000)
    parser.add_argument("--edges", type=int, default=1_000_000)
    parser.add_argument("--channels", type=int, default=64)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--rounds", type=int, default=5, help="turns, after one to warm up (default: 5)")
    parser.add_argument("--out", type=Path, default=HERE / "nn.json")
    args = parser.parse_args()
    torch.set_num_threads(args.threads)
    warnings.filterwarnings("ignore", "Sparse CSR tensor support")
    torch.manual_seed(0)
    edge_index = torch.randint(0, args.nodes, (2, args.edges))
    order = edge_index[1].argsort(stable=True)
    size = (args.nodes, args.nodes)
    by_target: Any = EdgeIndex(edge_index[:, order].contiguous(), sparse_size=size, sort_order="col")  # pyright: ignore
    edges = {"PyG COO": edge_index, "PyG EdgeIndex": by_target.fill_cache_()}
    x = torch.randn(args.nodes, args.channels)
    print(f"N={args.nodes} E={args.edges} d={args.channels}, {args.threads} thread(s), {ops.backends()['cpu']}")
    rows = []
    for name in args.layers:
        for backward in (False, True):
            rows.append(row_of(name, layers(args.channels)[name], x, edges, args, backward))
            show(rows[-1])
    kept = json.loads(args.out.read_text(encoding="utf-8"))["rows"] if args.out.exists() else []
    rows += [r for r in kept if r["threads"] != args.threads or r["layer"] not in args.layers]
    sizes = {"nodes": args.nodes, "edges": args.edges, "channels": args.channels}
    machine = {"processor": platform.processor() or platform.machine(), "kernels": ops.backends()["cpu"]}
    record = {"torch": torch.__version__, "machine": machine, **sizes, "rows": rows}
    args.out.write_text(json.dumps(record, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
