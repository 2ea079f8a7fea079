"""Memory of SPEN's layer against the global layer of order 2, and what equal ego nets save when they share one bag."""

import os
from argparse import Namespace
from typing import Any

import torch
from measure import Peak, spawned
from torch import Tensor
from torch_geometric.data import Batch

from graphlab.data import load
from graphlab.subgraph import Bags, EquivariantLinear, PairPlan, SPENConv

CHANNELS, MEAN_DEGREE, SIZES, LARGEST_GLOBAL, BAR_AT = 32, 4, (100, 300, 1000, 5000), 1000, {1000: 25}
SETS = ("mutag", "ptc", "proteins", "nci1", "imdb-binary", "imdb-multi")
# How many times smaller the sum of squared sizes becomes.
MERGE_BARS = {"imdb-binary": 3.5, "imdb-multi": 3.5}


def random_edges(nodes: int) -> Tensor:
    """A random graph, each edge both ways."""
    torch.manual_seed(0)
    half = torch.randint(nodes, (2, nodes * MEAN_DEGREE // 2))
    half = half[:, half[0] != half[1]]
    return torch.unique(torch.cat([half, half.flip(0)], dim=1), dim=1)


class Local:
    """SPEN's layer, from pairs to pairs and nodes; bags and plan are part of what it takes."""

    def __init__(self, nodes: int) -> None:
        self.edges, self.nodes, self.conv = random_edges(nodes), nodes, SPENConv(CHANNELS, 0, CHANNELS)

    def step(self) -> None:
        """Forward and backward."""
        plan = PairPlan(Bags.from_edge_index(self.edges, self.nodes), (1,))
        pairs, of_nodes = self.conv(torch.randn(plan.num_pairs, CHANNELS, requires_grad=True), None, plan)
        torch.autograd.backward([pairs, of_nodes], [torch.ones_like(pairs), torch.ones_like(of_nodes)])


class Global:
    """All equivariant linear maps of the whole graph, from pairs to pairs and nodes."""

    def __init__(self, nodes: int) -> None:
        self.nodes = nodes
        self.to_pairs, self.to_nodes = (
            EquivariantLinear(CHANNELS, CHANNELS),
            EquivariantLinear(CHANNELS, CHANNELS, 2, 1),
        )

    def step(self) -> None:
        """Forward and backward."""
        x = torch.randn(1, self.nodes, self.nodes, CHANNELS, requires_grad=True)
        pairs, of_nodes = self.to_pairs(x), self.to_nodes(x)
        torch.autograd.backward([pairs, of_nodes], [torch.ones_like(pairs), torch.ones_like(of_nodes)])


def peak(kind: type[Local] | type[Global], nodes: int) -> int:
    """Bytes above the start of one step from the edges on, features and gradients included."""
    torch.set_num_threads(1)
    kind(20).step()
    layer = kind(nodes)
    with Peak() as found:
        layer.step()
    return found.bytes


def layers(nodes: int) -> dict[str, Any]:
    """Both layers, each in a process of its own that gives back at once what it frees, so that the peak is of use."""
    os.environ["MALLOC_MMAP_THRESHOLD_"] = str(1 << 16)
    bags = Bags.from_edge_index(random_edges(nodes), nodes, merge=False)
    local, scale = spawned(peak, Local, nodes), nodes / min(nodes, LARGEST_GLOBAL)
    of_all = spawned(peak, Global, min(nodes, LARGEST_GLOBAL)) * scale**2
    pairs = nodes**2 / int(bags.size.square().sum())
    return {"nodes": nodes, "local": local, "global": of_all, "ratio": of_all / local, "pairs": pairs, "scale": scale}


def merging(name: str) -> dict[str, Any]:
    """Squared sizes of a whole data set, summed: of graphs, of nets, and of the bags that are left."""
    dataset: Any = load(name)
    batch: Any = Batch.from_data_list([*dataset])
    nets = Bags.from_edge_index(batch.edge_index, batch.num_nodes, merge=False)
    bags = nets.merged()
    squared = [int(size.square().sum()) for size in (batch.batch.bincount(), nets.size, bags.size)]
    counts = {"nets": nets.num_bags, "bags": bags.num_bags, "largest": int(nets.size.max())}
    return counts | dict(zip(("of_graphs", "of_nets", "of_bags"), squared, strict=True))


def run(args: Namespace) -> dict[str, Any]:
    """The layers, then the data sets."""
    record: dict[str, Any] = {"channels": CHANNELS, "mean_degree": MEAN_DEGREE, "layers": [], "sets": {}}
    for nodes in SIZES:
        record["layers"].append(found := layers(nodes))
        line = f"{nodes:5} nodes: {found['local'] / 2**20:8.1f} MiB, global {found['global'] / 2**20:10.1f} MiB"
        line += f" (scaled up from {LARGEST_GLOBAL} nodes)" if found["scale"] > 1 else ""
        line += f", {found['ratio']:.1f} times less; {found['pairs']:.1f} times fewer pairs in nets"
        if nodes in BAR_AT:
            line += f"; bar >= {BAR_AT[nodes]} {'ok' if found['ratio'] >= BAR_AT[nodes] else 'MISSED'}"
        print(line)
    for name in SETS:
        record["sets"][name] = found = merging(name)
        ratio, merged = found["of_nets"] / found["of_graphs"], found["of_nets"] / found["of_bags"]
        line = f"{name:12} sum n^2 {found['of_graphs']:9,}, sum m^2 {found['of_nets']:9,} ({ratio:5.2f}), "
        line += f"merged {found['of_bags']:9,} ({found['of_bags'] / found['of_graphs']:5.2f}): {merged:.2f} times less"
        if name in MERGE_BARS:
            line += f", bar >= {MERGE_BARS[name]} {'ok' if merged >= MERGE_BARS[name] else 'MISSED'}"
        print(line)
    return record
