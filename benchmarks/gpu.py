"""The fused ops on a GPU against what users have today: time, share of the copy bandwidth, equal bits, equal values.

Run ``python benchmarks/gpu.py`` on an idle GPU (under eight minutes); it prints a table and writes ``gpu.json`` beside
itself. ``--cpu --small`` tries the script itself where there is no GPU.

Times are medians over CUDA events with the second-level cache flushed before each run. A rate counts what an op must
move if nothing is cached: E rows gathered, N rows written, indices and weights. The share is of the bandwidth of a
large device-to-device copy measured in the same run; graphs that fit the cache may exceed 1.
"""

import argparse
import json
import statistics
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor
from torch_geometric.nn import GATv2Conv

from graphlab import ops
from graphlab.ops.gather_reduce import gather_argreduce

SIZES = [
    (100_000, 1_000_000, 64),
    (100_000, 5_000_000, 128),
    (169_343, 1_166_243, 128),
    (1_000_000, 20_000_000, 64),
    (4_000_000, 64_000_000, 128),
]
SMALL = [(2_000, 20_000, 64), (1_000, 5_000, 128)]
# Peers that make a message per edge are left out where those alone would take more.
MOST_MESSAGES = 40e9
HEADS = 4
FLUSH = 256 << 20
REPEATS = 10


class Clock:
    """Median milliseconds of a function on a device."""

    def __init__(self, device: str, runs: int) -> None:
        self.device, self.runs = device, runs
        self.cold = torch.empty(FLUSH if device == "cuda" else 1, dtype=torch.uint8, device=device)

    def __call__(self, run: Callable[[], Any]) -> float:
        """Time a function after three runs that do not count."""
        for _ in range(3):
            run()
        return statistics.median(self._once(run) for _ in range(self.runs))

    def _once(self, run: Callable[[], Any]) -> float:
        self.cold.zero_()
        if self.device == "cpu":
            started = time.perf_counter()
            run()
            return (time.perf_counter() - started) * 1e3
        begin, end = (torch.cuda.Event(enable_timing=True) for _ in range(2))
        begin.record()
        run()
        end.record()
        end.synchronize()
        return begin.elapsed_time(end)


@dataclass
class World:
    """A graph on a device and features.

    Args:
        nodes: The number of nodes.
        edges: The number of edges.
        channels: Features per node.
        dtype: The precision.
        device: The device.
        skewed: Whether few nodes get most edges (Zipf's law with exponent 1) or all equally many.
    """

    nodes: int
    edges: int
    channels: int
    dtype: torch.dtype
    device: str
    skewed: bool = False

    def __post_init__(self) -> None:
        torch.manual_seed(0)
        self.src, self.dst = (self._ends() for _ in range(2))
        self.edge_index = torch.stack([self.src, self.dst])
        self.graph = ops.Graph.from_edge_index(self.edge_index, (self.nodes, self.nodes))
        _ = self.graph.transposed
        self.x = torch.randn(self.nodes, self.channels, device=self.device).to(self.dtype)
        self.w = torch.rand(self.edges, device=self.device).to(self.dtype)

    def _ends(self) -> Tensor:
        drawn = torch.rand(self.edges, device=self.device)
        if self.skewed:
            return (self.nodes**drawn - 1).long().clamp(max=self.nodes - 1)
        return (drawn.double() * self.nodes).long().clamp(max=self.nodes - 1)

    def bytes(self, weighted: bool = False, rows_written: int = 1) -> int:
        """What a gather must move."""
        size, index = self.x.element_size(), self.graph.col.element_size()
        per_edge = self.channels * size + index + (size if weighted else 0)
        return self.edges * per_edge + self.nodes * (rows_written * self.channels * size + index)

    def zeros(self) -> Tensor:
        """Return a result to add to."""
        return torch.zeros(self.nodes, self.channels, dtype=self.dtype, device=self.device)


Contender = tuple[str, str, int, Callable[[], Any]]


def sums(world: World) -> Iterator[Contender]:
    """Sums and means, weighted or not, and extremes."""
    g, x, w, src, dst = world.graph, world.x, world.w, world.src, world.dst
    yield "sum", "graphlab", world.bytes(), lambda: ops.gather_reduce(x, g)
    yield "mean", "graphlab", world.bytes(), lambda: ops.gather_reduce(x, g, reduce="mean")
    yield "weighted sum", "graphlab", world.bytes(True), lambda: ops.gather_reduce(x, g, w)
    yield "max", "graphlab", world.bytes(), lambda: ops.gather_reduce(x, g, reduce="max")
    if hasattr(ops, "multi_reduce"):
        yield "multi x5", "graphlab", world.bytes(rows_written=5), lambda: ops.multi_reduce(x, g)
    adjacency = torch.sparse_csr_tensor(
        g.rowptr, g.col, torch.ones_like(world.w), (world.nodes, world.nodes), check_invariants=False
    )
    yield "sum", "torch.sparse.mm", world.bytes(), lambda: torch.sparse.mm(adjacency, x)
    if world.edges * world.channels * x.element_size() > MOST_MESSAGES:
        return
    spread = dst.unsqueeze(1).expand(-1, world.channels)
    yield (
        "sum",
        "index_select + index_add_",
        world.bytes(),
        lambda: world.zeros().index_add_(0, dst, x.index_select(0, src)),
    )
    yield (
        "weighted sum",
        "index_select + index_add_",
        world.bytes(True),
        lambda: world.zeros().index_add_(0, dst, x.index_select(0, src) * w.unsqueeze(1)),
    )
    yield (
        "max",
        "index_select + scatter_reduce",
        world.bytes(),
        lambda: world.zeros().scatter_reduce(0, spread, x.index_select(0, src), "amax", include_self=False),
    )


def backwards(world: World) -> Iterator[Contender]:
    """Forward and backward together."""
    g, src, dst = world.graph, world.src, world.dst
    x, w = world.x.clone().requires_grad_(), world.w.clone().requires_grad_()
    grad = torch.randn_like(world.x)

    def both(run: Callable[[], Tensor], *wanted: Tensor) -> Callable[[], Any]:
        return lambda: torch.autograd.grad(run(), wanted, grad)

    yield "sum, both passes", "graphlab", 2 * world.bytes(), both(lambda: ops.gather_reduce(x, g), x)
    yield "weighted sum, both passes", "graphlab", 3 * world.bytes(True), both(lambda: ops.gather_reduce(x, g, w), x, w)
    yield "max, both passes", "graphlab", 2 * world.bytes(), both(lambda: ops.gather_reduce(x, g, reduce="max"), x)
    if world.edges * world.channels * x.element_size() > MOST_MESSAGES / 4:
        return
    name = "index_select + index_add_"

    def plain(weight: Tensor | None) -> Tensor:
        rows = x.index_select(0, src)
        return world.zeros().index_add(0, dst, rows if weight is None else rows * weight.unsqueeze(1))

    yield "sum, both passes", name, 2 * world.bytes(), both(lambda: plain(None), x)
    yield "weighted sum, both passes", name, 3 * world.bytes(True), both(lambda: plain(w), x, w)


def attention(world: World) -> Iterator[Contender]:
    """GATv2 with four heads, forward and backward, as a layer of PyG's and as our op on the same products."""
    if not hasattr(ops, "gatv2_attention") or world.edges * world.channels > 2.5e9:
        return
    width = world.channels // HEADS
    peer = GATv2Conv(world.channels, width, HEADS, bias=False, add_self_loops=False).to(world.device, world.dtype)
    x = world.x.clone().requires_grad_()
    wanted = [x, *peer.parameters()]
    grad = torch.randn_like(world.x)

    def ours() -> Tensor:
        left, right = (f(x).view(-1, HEADS, width) for f in (peer.lin_l, peer.lin_r))
        return ops.gatv2_attention(left, right, peer.att[0], world.graph).flatten(1)

    def theirs() -> Tensor:
        return peer(x, world.edge_index)

    for name, run in (("graphlab", ours), ("PyG GATv2Conv", theirs)):
        yield "GATv2", name, 0, lambda run=run: run().detach()
        yield "GATv2, both passes", name, 0, lambda run=run: torch.autograd.grad(run(), wanted, grad)


def checks(world: World) -> dict[str, Any]:
    """Whether repeats have the same bits, and how far the result is from that of the CPU."""
    g, x, w = world.graph, world.x, world.w
    here = ops.Graph(*(None if t is None else t.cpu() for t in (g.rowptr, g.col, g.perm)), world.nodes)  # pyright: ignore
    result: dict[str, Any] = {}
    for reduce in ("sum", "mean", "min", "max"):
        out, arg = gather_argreduce(x, g, w, reduce)
        repeats = [gather_argreduce(x, g, w, reduce) for _ in range(REPEATS - 1)]
        same = all(torch.equal(out, o) and torch.equal(arg, a) for o, a in repeats)
        host, host_arg = gather_argreduce(x.cpu(), here, w.cpu(), reduce)
        scale = host.abs().max().clamp(min=1e-30)
        result[reduce] = {
            "repeats_have_same_bits": same,
            "largest_relative_error": float((out.cpu() - host).abs().max() / scale),
            "choices_equal": bool(torch.equal(arg.cpu(), host_arg)),
        }
    return result


def peak_memory(run: Callable[[], Any]) -> int | None:
    """Bytes that a call takes beyond what was held before."""
    if not torch.cuda.is_available():
        return None
    torch.cuda.synchronize()
    torch.cuda.reset_peak_memory_stats()
    before = torch.cuda.memory_allocated()
    run()
    torch.cuda.synchronize()
    return torch.cuda.max_memory_allocated() - before


def copy_bandwidth(clock: Clock, device: str) -> float:
    """Bytes per second read and written by a large copy."""
    source = torch.empty(1 << (30 if device == "cuda" else 22), dtype=torch.float32, device=device)
    target = torch.empty_like(source)
    return 2 * source.numel() * source.element_size() / (clock(lambda: target.copy_(source)) * 1e-3)


def measure(world: World, clock: Clock, copy: float) -> list[dict[str, Any]]:
    """Time every contender in one world."""
    rows, base = [], {}
    for family in (sums, backwards, attention):
        for what, who, moved, run in family(world):
            try:
                ms = clock(run)
            except (RuntimeError, NotImplementedError) as error:  # a peer without this precision, or out of memory
                rows.append({"what": what, "who": who, "failed": str(error).splitlines()[0][:120]})
                continue
            base.setdefault(what, ms)
            row: dict[str, Any] = {"what": what, "who": who, "ms": ms, "times_ours": ms / base[what]}
            if moved:
                row |= {"gb_per_s": moved / ms / 1e6, "share_of_copy": moved / (ms * 1e-3) / copy}
            row["peak_bytes"] = peak_memory(run)
            rows.append(row)
            share = f"{row['gb_per_s']:7.0f} GB/s {row['share_of_copy']:5.2f} of copy" if moved else " " * 26
            print(f"  {what:26s} {who:30s} {ms:9.3f} ms {share} {row['times_ours']:6.2f}x", flush=True)
    return rows


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--cpu", action="store_true", help="run on the CPU: tries the script")
    parser.add_argument("--small", action="store_true", help="small graphs: tries the script")
    parser.add_argument("--runs", type=int, default=15, help="timed runs of each contender")
    parser.add_argument("--seconds", type=float, default=420, help="start no further graph after this time")
    parser.add_argument("--out", type=Path, default=Path(__file__).with_name("gpu.json"))
    args = parser.parse_args()
    started, device = time.monotonic(), "cpu" if args.cpu else "cuda"
    clock = Clock(device, 1 if args.small else args.runs)
    copy = copy_bandwidth(clock, device)
    name = "CPU" if args.cpu else torch.cuda.get_device_name()
    result: dict[str, Any] = {"device": name, "torch": torch.__version__, "backends": ops.backends(), "copy": copy}
    print(f"{name}, torch {torch.__version__}, {ops.backends()[device]}, copy {copy / 1e9:.0f} GB/s")
    result["worlds"] = []
    for nodes, edges, channels in SMALL if args.small else SIZES:
        for dtype in (torch.float32, torch.bfloat16):
            for skewed in (False, True) if edges <= 1_000_000 else (False,):
                if time.monotonic() - started > args.seconds:
                    print("out of time; what is left is not measured")
                    break
                world = World(nodes, edges, channels, dtype, device, skewed)
                degree = int(world.graph.degree.max())
                print(f"N={nodes} E={edges} d={channels} {dtype} largest degree {degree}")
                said = {"nodes": nodes, "edges": edges, "channels": channels, "dtype": str(dtype), "degree": degree}
                found = checks(world) if edges <= 5_000_000 else None
                result["worlds"].append(said | {"checks": found, "rows": measure(world, clock, copy)})
                args.out.write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")
                del world
                ops.clear_cache()
    print(f"{time.monotonic() - started:.0f} s, written to {args.out}")


if __name__ == "__main__":
    main()
