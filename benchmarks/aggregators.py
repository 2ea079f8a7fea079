"""Our pad-free aggregators against PyG's padded ones: time and peak memory on three graphs.

Run ``python benchmarks/aggregators.py`` on an idle machine; it prints a table and writes ``aggregators.json`` beside
itself. Memory is measured in a forked process for each, so that none meets what another one left. Where PyG fits, time
is measured by turns in one process; ``seconds_alone`` in the JSON is that of a process which does nothing else. All are
medians.

* ``uniform``: 20,000 nodes of in-degree 8, where padding costs nothing.
* ``ba``: Barabási-Albert, 20,000 nodes, m = 4.
* ``zipf``: 160,000 edges on 20,000 nodes by Zipf's law with exponent 0.72, hub of in-degree 2,924, median 4.

On ``ba`` and ``zipf`` a padded batch does not fit; PyG is measured on the largest part of the graph that holds the hub
and stays below 4 GB, and its figures for the whole graph are *extrapolated* per padded cell (marked ``~``).

The physical limit beside each is the time of its matrix products alone, 16 d^2 FLOP per combine of the tree, 12 and
16 d^2 per element of GRU and LSTM (three times that with gradients), at the rate of a large product measured in the
same run.
"""

import argparse
import json
import platform
import statistics
import time
from pathlib import Path
from typing import Any

import networkx as nx
import numpy as np
import torch
import torch_geometric.nn.aggr as pyg
from measure import Peak, forked, gemm_rate
from torch import Tensor
from torch_geometric.nn.aggr import Aggregation

from graphlab.aggr import SegmentGRUAggregation, SegmentLSTMAggregation, TreeLCMAggregation

NODES, EDGES, CHANNELS, HUB = 20_000, 160_000, 64, 2_924
GRAPHS = ("uniform", "ba", "zipf")
KINDS = ("lcm", "gru", "lstm")
# FLOP of the matrix products of a forward pass, in units of d^2, and per what.
FLOP = {"lcm": (16, "combines"), "gru": (12, "elements"), "lstm": (16, "elements")}
# PyG takes up to 4.8 KB per padded cell with gradients.
CELLS_IN_4GB = 800_000


def destinations(graph: str) -> Tensor:
    if graph == "uniform":
        return torch.arange(NODES).repeat_interleave(EDGES // NODES)
    if graph == "ba":
        edges = torch.tensor(list(nx.barabasi_albert_graph(NODES, 4, seed=0).edges))
        return torch.cat([edges[:, 0], edges[:, 1]]).sort().values
    weight = np.arange(2, NODES + 1) ** -0.72
    drawn = np.random.default_rng(0).choice(NODES - 1, EDGES - HUB, p=weight / weight.sum())
    counts = np.concatenate([[HUB], np.bincount(drawn, minlength=NODES - 1)])
    return torch.from_numpy(np.repeat(np.arange(NODES), counts))


def part_with_hub(index: Tensor, cells: int) -> Tensor:
    """The largest group and as many others as fit into that many padded cells."""
    counts = index.bincount(minlength=NODES)
    order = torch.cat([counts.argmax().view(1), torch.randperm(NODES, generator=torch.Generator().manual_seed(0))])
    kept = order[: max(2, cells // int(counts.max()))].unique()
    return torch.arange(kept.numel()).repeat_interleave(counts[kept])


def module(kind: str, whose: str) -> Aggregation:
    if whose == "graphlab":
        ours = {"lcm": TreeLCMAggregation, "gru": SegmentGRUAggregation, "lstm": SegmentLSTMAggregation}
        options = {"project": False} if kind == "lcm" else {}
        return ours[kind](CHANNELS, CHANNELS, **options)
    theirs = {"lcm": pyg.LCMAggregation, "gru": pyg.GRUAggregation, "lstm": pyg.LSTMAggregation}
    return theirs[kind](CHANNELS, CHANNELS, **({"project": False} if kind == "lcm" else {}))


def measure(kind: str, whose: str, graph: str, backward: bool, repeats: int) -> dict[str, Any]:
    """Median seconds and peak bytes of one aggregator on one graph; runs in a process of its own."""
    torch.manual_seed(0)
    index = destinations(graph)
    whole = int(index.bincount().max()) * NODES
    if whose == "pyg" and whole > CELLS_IN_4GB:
        index = part_with_hub(index, CELLS_IN_4GB)
    nodes = int(index.max()) + 1
    x = torch.randn(index.numel(), CHANNELS, requires_grad=backward)
    aggr = module(kind, whose)

    def step(x: Tensor, index: Tensor, nodes: int) -> None:
        with torch.set_grad_enabled(backward):
            out = aggr(x, index, dim_size=nodes)
        if backward:
            out.sum().backward()

    # The libraries' own start is not the aggregator's memory.
    step(torch.randn(64, CHANNELS, requires_grad=backward), torch.zeros(64, dtype=torch.long), 1)
    with Peak() as peak:
        step(x, index, nodes)
    seconds = []
    for _ in range(repeats):
        x.grad = None
        started = time.perf_counter()
        step(x, index, nodes)
        seconds.append(time.perf_counter() - started)
    counts = index.bincount()
    return {
        "seconds": statistics.median(seconds),
        "bytes": peak.bytes,
        "cells": int(counts.max()) * nodes,
        "cells_whole": whole,
        "elements": index.numel(),
        "combines": int((counts - 1).clamp(min=0).sum()),
    }


def interleaved(kind: str, backward: bool, rounds: int) -> dict[str, float]:
    """Median seconds of both on the uniform graph, by turns in one process, as two layers of one program would run."""
    torch.manual_seed(0)
    index = destinations("uniform")
    x = torch.randn(index.numel(), CHANNELS, requires_grad=backward)
    both = {whose: module(kind, whose) for whose in ("graphlab", "pyg")}
    seconds: dict[str, list[float]] = {whose: [] for whose in both}
    for _ in range(rounds):
        for whose, aggr in both.items():
            x.grad = None
            started = time.perf_counter()
            with torch.set_grad_enabled(backward):
                out = aggr(x, index, dim_size=NODES)
            if backward:
                out.sum().backward()
            seconds[whose].append(time.perf_counter() - started)
    return {whose: statistics.median(found[1:]) for whose, found in seconds.items()}


def compare(kind: str, graph: str, backward: bool, rounds: int, repeats: int) -> dict[str, Any]:
    """Ours and theirs by turns."""
    found: dict[str, list[dict[str, Any]]] = {"graphlab": [], "pyg": []}
    for turn in range(rounds):
        for whose, results in found.items():
            # One run of a part that takes gigabytes says enough to extrapolate from.
            if graph == "uniform" or whose == "graphlab":
                results.append(forked(measure, kind, whose, graph, backward, repeats))
            elif turn == 0:
                results.append(forked(measure, kind, whose, graph, backward, 1))
    row: dict[str, Any] = {"kind": kind, "graph": graph, "backward": backward}
    for whose, results in found.items():
        scale = results[0]["cells_whole"] / results[0]["cells"] if whose == "pyg" else 1.0
        row[whose] = {
            "seconds": statistics.median(r["seconds"] for r in results) * scale,
            "bytes": statistics.median(r["bytes"] for r in results) * scale,
            "extrapolated_by": scale,
        }
    if graph == "uniform":
        for whose, seconds in forked(interleaved, kind, backward, 3 * repeats).items():
            row[whose]["seconds_alone"], row[whose]["seconds"] = row[whose]["seconds"], seconds
    row["speedup"] = row["pyg"]["seconds"] / row["graphlab"]["seconds"]
    row["memory_ratio"] = row["pyg"]["bytes"] / row["graphlab"]["bytes"]
    row["combines"], row["elements"] = found["graphlab"][0]["combines"], found["graphlab"][0]["elements"]
    return row


def show(row: dict[str, Any], rate: float) -> str:
    mark = "~" if row["pyg"]["extrapolated_by"] > 1 else " "
    ours, theirs = row["graphlab"], row["pyg"]
    limit = ""
    if row["kind"] in FLOP:
        unit, count = FLOP[row["kind"]]
        row["products_alone"] = (3 if row["backward"] else 1) * unit * CHANNELS**2 * row[count] / rate
        limit = f"  products alone {row['products_alone']:6.3f} s, {ours['seconds'] / row['products_alone']:.2f}x of it"
    direction = "forward+backward" if row["backward"] else "forward"
    return (
        f"{row['kind']:5}{row['graph']:8} {direction:17}"
        f" graphlab {ours['seconds']:7.3f} s {ours['bytes'] / 1e6:7.0f} MB"
        f"   PyG{mark}{theirs['seconds']:9.3f} s{mark}{theirs['bytes'] / 1e6:9.0f} MB"
        f"   {row['speedup']:7.1f}x faster {row['memory_ratio']:7.1f}x less memory{limit}"
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--kinds", nargs="+", choices=KINDS, default=KINDS, help="which; the rows of others are kept")
    parser.add_argument("--graphs", nargs="+", choices=GRAPHS, default=GRAPHS, help="which, likewise")
    parser.add_argument("--threads", type=int, default=2, help="threads of torch (default: 2)")
    parser.add_argument("--rounds", type=int, default=3, help="turns of ours and theirs (default: 3)")
    parser.add_argument("--repeats", type=int, default=5, help="runs per turn (default: 5)")
    parser.add_argument("--out", type=Path, default=Path(__file__).with_suffix(".json"), help="where the JSON goes")
    args = parser.parse_args()
    torch.set_num_threads(args.threads)
    rate = forked(gemm_rate)
    print(f"torch {torch.__version__}, {args.threads} threads, product rate {rate / 1e9:.0f} GFLOP/s, d = {CHANNELS}")
    rows = []
    if args.out.exists():
        kept = json.loads(args.out.read_text(encoding="utf-8"))["rows"]
        rows = [r for r in kept if r["kind"] not in args.kinds or r["graph"] not in args.graphs]
    for kind in args.kinds:
        for graph in args.graphs:
            for backward in (False, True):
                rows.append(compare(kind, graph, backward, args.rounds, args.repeats))
                print(show(rows[-1], rate), flush=True)
    machine = {"processor": platform.processor() or platform.machine(), "threads": args.threads}
    rows.sort(key=lambda r: (KINDS.index(r["kind"]), GRAPHS.index(r["graph"]), r["backward"]))
    record = {"torch": torch.__version__, "machine": machine, "gemm_flops_per_second": rate, "rows": rows}
    args.out.write_text(json.dumps(record, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
