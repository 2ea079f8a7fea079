"""The fused ops against what users have today, on the CPU: ratios of time and memory, and the memory's own limit.

Run ``python benchmarks/ops.py`` on an idle machine; it prints a table, writes ``ops.json`` beside itself and draws
``docs/images/ops.svg``. With one thread time is the thread's processor time, else wall time. Contenders run by turns in
one process, each twice in a row of which the second counts, so that nobody pays for the pages that another one gave
back; figures are medians over turns. ``--threads 2`` writes its rows beside those of one thread.

Graphs are uniform at random with N nodes and E edges, stored as users have them: COO peers get the edges in random
order, sorted ones (``segment_csr``, ``EdgeIndex``, ``torch.sparse``) their own sorted form, made outside the clock, as
ours is. The limit beside ``sum`` is a probe that reads the same rows in the same order, asks for them ahead and does
nothing else. Peers that are not installed are left out and named.
"""

import argparse
import json
import platform
import statistics
import time
import warnings
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
import torch.nn.functional as F
from measure import GatherProbe, Peak, forked
from torch import Tensor
from torch_geometric import EdgeIndex
from torch_geometric.nn import MessagePassing
from torch_geometric.nn.aggr import MultiAggregation
from torch_geometric.utils import scatter as pyg_scatter
from torch_geometric.utils import segment as pyg_segment
from torch_geometric.utils import softmax as pyg_softmax

from graphlab import ops

try:
    import torch_scatter
except ImportError:
    torch_scatter = None

HERE = Path(__file__).parent
FIVE = ("sum", "mean", "std", "min", "max")
HEADS = 4


@dataclass
class World:
    """A graph in every form that a contender may want, and features.

    Args:
        nodes: The number of nodes.
        edges: The number of edges.
        channels: Features per node.
    """

    nodes: int
    edges: int
    channels: int
    generator: torch.Generator = field(default_factory=lambda: torch.Generator().manual_seed(0))

    def __post_init__(self) -> None:
        self.edge_index = torch.randint(0, self.nodes, (2, self.edges), generator=self.generator)
        self.src, self.dst = self.edge_index
        self.graph = ops.Graph.from_edge_index(self.edge_index, (self.nodes, self.nodes))
        _ = self.graph.transposed
        self.order = self.dst.argsort(stable=True)
        self.col, self.row = self.src[self.order], self.dst[self.order]
        self.ptr = self.graph.rowptr.long()
        self.sorted_index = EdgeIndex(
            torch.stack([self.col, self.row]), sparse_size=(self.nodes, self.nodes), sort_order="col"
        ).fill_cache_()
        self.adj_t = torch.sparse_csr_tensor(self.ptr, self.col, torch.ones(self.edges), (self.nodes, self.nodes))
        self.x = self.random(self.nodes, self.channels)

    def random(self, *shape: int) -> Tensor:
        """Draw normal values."""
        return torch.randn(*shape, generator=self.generator)


@dataclass
class Case:
    """Contenders on the same inputs; each maps the inputs to its result.

    Args:
        name: The op.
        inputs: Leaves; all get a gradient.
        contenders: By name, ours among them as ``graphlab``.
        forward_only: Contenders that have no backward pass.
    """

    name: str
    inputs: list[Tensor]
    contenders: dict[str, Callable[..., Tensor]]
    forward_only: tuple[str, ...] = ()


class Plain(MessagePassing):
    """PyG's message passing with nothing of its own."""

    def forward(self, x: Tensor, edge_index: Tensor) -> Tensor:
        """Gather, then scatter."""
        return self.propagate(edge_index, x=x)


def compiled_sum(w: World) -> Callable[[Tensor], Tensor]:
    def run(x: Tensor) -> Tensor:
        return x.new_zeros(w.nodes, x.size(1)).index_add(0, w.dst, x.index_select(0, w.src))

    return torch.compile(run)


def reduce_case(w: World, reduce: str) -> Case:
    spread = w.dst.unsqueeze(1).expand(-1, w.channels)
    plain = Plain(aggr=reduce)
    native = {"sum": "sum", "mean": "mean", "max": "amax"}[reduce]
    contenders: dict[str, Callable[..., Tensor]] = {
        "graphlab": lambda x: ops.gather_reduce(x, w.graph, reduce=reduce),
        "PyG propagate COO": lambda x: plain(x, w.edge_index),
        "PyG propagate EdgeIndex": lambda x: plain(x, w.sorted_index),
        "PyG EdgeIndex.matmul": lambda x: w.sorted_index.matmul(x, reduce=reduce, transpose=True),
        "PyG segment": lambda x: pyg_segment(x.index_select(0, w.col), w.ptr, reduce=reduce),
        "scatter_reduce": lambda x: x.new_zeros(w.nodes, w.channels).scatter_reduce(
            0, spread, x.index_select(0, w.src), native, include_self=False
        ),
    }
    if torch_scatter is not None:
        contenders["torch_scatter.scatter"] = lambda x: torch_scatter.scatter(
            x.index_select(0, w.src), w.dst, 0, None, w.nodes, reduce
        )
        contenders["torch_scatter.segment_csr"] = lambda x: torch_scatter.segment_csr(
            x.index_select(0, w.col), w.ptr, None, reduce
        )
    if reduce == "sum":
        contenders["torch.sparse.mm"] = lambda x: torch.sparse.mm(w.adj_t, x)
        contenders["index_add_"] = lambda x: x.new_zeros(w.nodes, w.channels).index_add(
            0, w.dst, x.index_select(0, w.src)
        )
        contenders["torch.compile"] = compiled_sum(w)
    elif reduce == "mean":
        contenders["torch.sparse.mm"] = lambda x: torch.sparse.mm(w.adj_t, x, "mean")
    return Case(reduce, [w.x], contenders)


def weighted_case(w: World) -> Case:
    def plain(x: Tensor, weight: Tensor) -> Tensor:
        return x.new_zeros(w.nodes, w.channels).index_add(0, w.dst, x.index_select(0, w.src) * weight.unsqueeze(1))

    contenders: dict[str, Callable[..., Tensor]] = {
        "graphlab": lambda x, weight: ops.gather_reduce(x, w.graph, weight),
        "index_add_": plain,
        "torch.compile": torch.compile(plain),
    }
    if torch_scatter is not None:
        contenders["torch_scatter.scatter"] = lambda x, weight: torch_scatter.scatter(
            x.index_select(0, w.src) * weight.unsqueeze(1), w.dst, 0, None, w.nodes, "sum"
        )
    return Case("weighted sum", [w.x, w.random(w.edges)], contenders)


def multi_case(w: World) -> Case:
    aggregators = MultiAggregation(list(FIVE))
    contenders = {
        "graphlab": lambda x: ops.multi_reduce(x, w.graph, FIVE).flatten(1),
        "PyG COO": lambda x: aggregators(x.index_select(0, w.src), w.dst, dim_size=w.nodes),
        "PyG sorted": lambda x: aggregators(x.index_select(0, w.col), ptr=w.ptr, dim_size=w.nodes),
    }
    return Case("multi_reduce x5", [w.x], contenders)


def attention_case(w: World) -> Case:
    shape = (w.nodes, HEADS, w.channels // HEADS)

    def coo(x_src: Tensor, x_dst: Tensor, att: Tensor) -> Tensor:
        message = x_src.index_select(0, w.src)
        score = (F.leaky_relu(message + x_dst.index_select(0, w.dst), 0.2) * att).sum(-1)
        alpha = pyg_softmax(score, w.dst, num_nodes=w.nodes)
        return pyg_scatter(message * alpha.unsqueeze(-1), w.dst, 0, w.nodes, "sum")

    def by_ptr(x_src: Tensor, x_dst: Tensor, att: Tensor) -> Tensor:
        message = x_src.index_select(0, w.col)
        score = (F.leaky_relu(message + x_dst.index_select(0, w.row), 0.2) * att).sum(-1)
        alpha = pyg_softmax(score, ptr=w.ptr, num_nodes=w.nodes)
        return pyg_segment((message * alpha.unsqueeze(-1)).flatten(1), w.ptr, reduce="sum").view(shape)

    contenders = {
        "graphlab": lambda x_src, x_dst, att: ops.gatv2_attention(x_src, x_dst, att, w.graph),
        "PyG COO": coo,
        "PyG sorted": by_ptr,
    }
    inputs = [w.random(*shape), w.random(*shape), w.random(1, *shape[1:])[0]]
    return Case("GATv2 attention H4 D16", inputs, contenders)


def softmax_case(w: World) -> Case:
    contenders: dict[str, Callable[..., Tensor]] = {
        "graphlab": lambda s: ops.segment_softmax(s, ptr=w.ptr),
        "PyG softmax COO": lambda s: pyg_softmax(s, w.row, num_nodes=w.nodes),
        "PyG softmax sorted": lambda s: pyg_softmax(s, ptr=w.ptr, num_nodes=w.nodes),
    }
    if torch_scatter is not None:
        contenders["torch_scatter.scatter_softmax"] = lambda s: torch_scatter.scatter_softmax(
            s, w.row, 0, dim_size=w.nodes
        )
    return Case("segment_softmax d=16", [w.random(w.edges, 16)], contenders)


def csr_case(w: World) -> Case:
    def sort(x: Tensor) -> Tensor:
        _, order = torch.sort(w.dst, stable=True)
        ptr = torch.cumsum(torch.bincount(w.dst, minlength=w.nodes), 0)
        col = w.src[order]
        back = torch.sort(col, stable=True)[1]
        return ptr, back, torch.bincount(col, minlength=w.nodes).cumsum(0)  # pyright: ignore

    def ours(x: Tensor) -> Tensor:
        ops.clear_cache()
        return ops.Graph.from_edge_index(w.edge_index, (w.nodes, w.nodes)).transposed  # pyright: ignore

    return Case("CSR and transpose", [w.x], {"graphlab": ours, "torch.sort": sort}, ("graphlab", "torch.sort"))


CASES: dict[str, Callable[[World], Case]] = {
    "sum": lambda w: reduce_case(w, "sum"),
    "mean": lambda w: reduce_case(w, "mean"),
    "max": lambda w: reduce_case(w, "max"),
    "weighted": weighted_case,
    "multi": multi_case,
    "attention": attention_case,
    "softmax": softmax_case,
    "csr": csr_case,
}


def run_once(case: Case, name: str, backward: bool) -> None:
    leaves = [t.detach().requires_grad_(backward) for t in case.inputs]
    out = case.contenders[name](*leaves)
    if backward:
        out.backward(torch.ones_like(out))


def timed(case: Case, backward: bool, rounds: int, threads: int) -> dict[str, float]:
    """Median seconds by contender."""
    clock = time.thread_time if threads == 1 else time.perf_counter
    names = [n for n in case.contenders if not (backward and n in case.forward_only)]
    seconds: dict[str, list[float]] = {name: [] for name in names}
    for turn in range(rounds + 1):
        for name in names:
            if turn:
                run_once(case, name, backward)
            started = clock()
            run_once(case, name, backward)
            # The first turn compiles and fills caches.
            if turn:
                seconds[name].append(clock() - started)
    return {name: statistics.median(s) for name, s in seconds.items()}


def peak(case: Case, name: str) -> int:
    """Peak bytes of a forward and a backward pass."""
    with Peak() as found:
        run_once(case, name, True)
    return found.bytes


def row_of(case: Case, backward: bool, rounds: int, threads: int, with_memory: bool) -> dict[str, Any]:
    seconds = timed(case, backward, rounds, threads)
    row: dict[str, Any] = {"op": case.name, "backward": backward, "threads": threads, "seconds": seconds}
    row["ratio"] = {n: s / seconds["graphlab"] for n, s in seconds.items() if n != "graphlab"}
    if with_memory and backward:
        row["peak_bytes"] = {n: forked(peak, case, n) for n in seconds if n != "torch.compile"}
    return row


def show(row: dict[str, Any]) -> None:
    ours = row["seconds"]["graphlab"]
    print(f"{row['op']:24} {'fwd+bwd' if row['backward'] else 'fwd':8} graphlab {ours * 1e3:8.1f} ms", end="")
    if "of_probe" in row:
        print(f"   {row['of_probe']:.0%} of the speed of the random-gather probe", end="")
    print()
    for name, ratio in sorted(row["ratio"].items(), key=lambda item: item[1]):
        memory = ""
        if "peak_bytes" in row and name in row["peak_bytes"]:
            memory = f"   {row['peak_bytes'][name] / max(1, row['peak_bytes']['graphlab']):6.1f}x the memory"
        print(f"    {name:34} {row['seconds'][name] * 1e3:9.1f} ms {ratio:8.1f}x{memory}")


def probe_share(w: World, seconds: float) -> dict[str, float]:
    """Our rate of reading rows against that of a loop that does nothing else."""
    try:
        bare = GatherProbe().seconds(w.x, w.graph.col.int())
    except RuntimeError:
        return {}
    row = 4 * w.channels
    index = w.graph.col.element_size()
    ours = (w.edges * (row + index) + w.nodes * (row + index)) / seconds
    limit = w.edges * (row + 4) / bare
    return {"probe_bytes_per_second": limit, "bytes_per_second": ours, "of_probe": ours / limit}


def draw(rows: list[dict[str, Any]], path: Path) -> None:
    import matplotlib

    matplotlib.use("svg")
    import matplotlib.pyplot as plt

    bars = [
        (f"{row['op']}: {name}", row["backward"], ratio)
        for row in rows
        if row["threads"] == 1
        for name, ratio in sorted(row["ratio"].items())
    ]
    labels = list(dict.fromkeys(label for label, *_ in bars))
    figure, axes = plt.subplots(figsize=(8, 0.22 * len(labels) + 1))
    for backward, shift, color in ((False, 0.2, "#4c78a8"), (True, -0.2, "#f58518")):
        found = {label: ratio for label, b, ratio in bars if b == backward}
        places = [-i + shift for i, label in enumerate(labels) if label in found]
        axes.barh(places, [found[label] for label in labels if label in found], 0.4, color=color)
    axes.set_yticks([-i for i in range(len(labels))], labels, fontsize=7)
    axes.set_xscale("log")
    axes.axvline(1, color="black", linewidth=0.8)
    axes.set_xlabel("time of the other / time of graphlab, one thread")
    axes.legend(["equal", "forward", "forward + backward"], fontsize=7, loc="lower right")
    axes.margins(y=0.01)
    figure.tight_layout()
    figure.savefig(path, metadata={"Date": None})


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--cases", nargs="+", choices=CASES, default=list(CASES), help="which; rows of others are kept")
    parser.add_argument("--nodes", type=int, default=100_000)
    parser.add_argument("--edges", type=int, default=1_000_000)
    parser.add_argument("--channels", type=int, default=64)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--rounds", type=int, default=3, help="turns, after one to warm up (default: 3)")
    parser.add_argument("--out", type=Path, default=HERE / "ops.json")
    args = parser.parse_args()
    torch.set_num_threads(args.threads)
    torch.sparse.check_sparse_tensor_invariants.disable()
    warnings.filterwarnings("ignore", "Sparse CSR tensor support")
    world = World(args.nodes, args.edges, args.channels)
    print(f"N={args.nodes} E={args.edges} d={args.channels}, {args.threads} thread(s), {ops.backends()['cpu']}")
    rows: list[dict[str, Any]] = []
    for name in args.cases:
        case = CASES[name](world)
        for backward in (False, True):
            if backward and "graphlab" in case.forward_only:
                continue
            row = row_of(case, backward, args.rounds, args.threads, name in ("attention", "sum"))
            if name == "sum" and not backward and args.threads == 1:
                row |= probe_share(world, row["seconds"]["graphlab"])
            row |= {"case": name}
            rows.append(row)
            show(row)
    kept = json.loads(args.out.read_text(encoding="utf-8"))["rows"] if args.out.exists() else []
    rows += [r for r in kept if r["threads"] != args.threads or r["case"] not in args.cases]
    rows.sort(key=lambda r: (r["threads"], list(CASES).index(r["case"]), r["backward"]))
    sizes = {"nodes": args.nodes, "edges": args.edges, "channels": args.channels}
    machine = {"processor": platform.processor() or platform.machine(), "kernels": ops.backends()["cpu"]}
    record = {"torch": torch.__version__, "machine": machine, **sizes, "rows": rows}
    args.out.write_text(json.dumps(record, indent=1) + "\n", encoding="utf-8")
    if args.out == HERE / "ops.json":
        draw(rows, HERE.parent / "docs" / "images" / "ops.svg")


if __name__ == "__main__":
    main()
