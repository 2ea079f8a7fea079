"""Ego nets of all nodes against loops over roots and dense masks: PyG's and networkx's."""

import time
import warnings
from argparse import Namespace
from collections.abc import Callable
from typing import Any

import networkx as nx
import torch
from directed_turns import by_turns
from measure import Peak, resident, spawned
from torch import Tensor
from torch_geometric.data import Data
from torch_geometric.transforms import RootedEgoNets
from torch_geometric.utils import k_hop_subgraph

from graphlab import ops
from graphlab.ops import EgoNets, Graph, ego_nets
from graphlab.subgraph import Bags

NODES, DEGREE, SAMPLE, DENSE_ROUNDS = 5000, 10, 200, 1
# Milliseconds, and how many times faster than the loop of PyG and than its dense masks: of the random graph.
BARS = {1: (10, 200, 500), 2: (100, 30, None)}
LARGE, LARGE_SECONDS, LARGE_BYTES = 1_000_000, 5, 2 << 30


def graphs() -> dict[str, nx.Graph]:
    """Three kinds of about the same number of edges: even, with hubs, with many triangles."""
    radius = (DEGREE / (NODES * torch.pi)) ** 0.5
    return {
        "random": nx.gnm_random_graph(NODES, NODES * DEGREE // 2, seed=0),
        "hubs": nx.barabasi_albert_graph(NODES, DEGREE // 2, seed=0),
        "geometric": nx.random_geometric_graph(NODES, radius, seed=0),
    }


def edges_of(graph: nx.Graph) -> Tensor:
    """Each edge both ways."""
    edges = torch.tensor(list(graph.edges())).T
    return torch.cat([edges, edges.flip(0)], dim=1)


def timed(run: Callable[[], Any]) -> tuple[float, Any]:
    """Processor seconds of one run."""
    started = time.thread_time()
    found = run()
    return time.thread_time() - started, found


def agree(nets: EgoNets, graph: Graph, edges: Tensor, roots: list[int], k: int) -> bool:
    """Whether nodes and edges of some nets are those that PyG finds."""
    assert graph.perm is not None

    def part(values: Tensor, ptr: Tensor, root: int) -> list[int]:
        return values[ptr[root] : ptr[root + 1]].sort().values.tolist()

    user_edge = graph.perm[nets.edge]
    for root in roots:
        subset, _, _, mask = k_hop_subgraph(root, k, edges, num_nodes=NODES)
        if part(nets.node, nets.node_ptr, root) != subset.tolist():
            return False
        if part(user_edge, nets.edge_ptr, root) != mask.nonzero().view(-1).tolist():
            return False
    return True


def limit(nets: EgoNets, graph: Graph) -> float:
    """Seconds for what cannot be saved: the end of each edge is looked up once, and what is found is written once."""
    count, size = int(graph.degree[nets.node.long()].sum()), 2 * nets.node.numel() + 3 * nets.row.numel()
    table, index = torch.zeros(NODES, dtype=torch.int32), torch.randint(NODES, (count,), dtype=torch.int32)
    found, written = torch.empty(count, dtype=torch.int32), torch.empty(size, dtype=torch.int32)
    return sum(
        by_turns({"look": lambda: torch.index_select(table, 0, index, out=found), "write": written.zero_}, 5).values()
    )


def peers(graph: nx.Graph, edges: Tensor, k: int) -> dict[str, dict[str, Any]]:
    """Seconds for all roots; of k = 2, of a sample of them, scaled up."""
    roots = list(range(NODES)) if k == 1 else torch.randperm(NODES)[:SAMPLE].tolist()
    some = roots[:SAMPLE]
    loop, _ = timed(lambda: [k_hop_subgraph(root, k, edges, num_nodes=NODES) for root in roots])
    networkx, _ = timed(lambda: [nx.ego_graph(graph, root, radius=k) for root in some])
    return {
        "PyG k_hop_subgraph": {"seconds": loop * NODES / len(roots), "roots": len(roots)},
        "networkx ego_graph": {"seconds": networkx * NODES / len(some), "roots": len(some)},
    }


def dense_masks(nodes: int, edges: Tensor, k: int) -> dict[str, float]:
    """Of RootedEgoNets."""
    torch.set_num_threads(1)
    warnings.filterwarnings("ignore", "Sparse")
    before = resident("VmHWM")
    seconds, _ = timed(lambda: RootedEgoNets(k)(Data(edge_index=edges, num_nodes=nodes)))
    return {"seconds": seconds, "peak_bytes": resident("VmHWM") - before}


def one(name: str, graph: nx.Graph, k: int, rounds: int) -> dict[str, Any]:
    """All contenders on one graph."""
    edges = edges_of(graph)
    csr = Graph.from_edge_index(edges, (NODES, NODES))
    nets = ego_nets(csr.rowptr, csr.col, k)

    def bags(merge: bool) -> Bags:
        ops.clear_cache()
        return Bags.from_edge_index(edges, NODES, k, merge)

    seconds = by_turns(
        {
            "graphlab ego_nets": lambda: ego_nets(csr.rowptr, csr.col, k),
            "graphlab Bags, from edges": lambda: (
                ops.clear_cache(),
                Bags.from_edge_index(edges, NODES, k, merge=False),
            ),
            "graphlab Bags, merged": lambda: bags(merge=True),
        },
        rounds if k == 1 else max(rounds // 4, 3),
    )
    found = {what: {"seconds": value} for what, value in seconds.items()} | peers(graph, edges, k)
    if k == 1 or name == "random":
        found["PyG RootedEgoNets"] = spawned(dense_masks, NODES, edges, k)
    equal = agree(nets, csr, edges, list(range(0, NODES, NODES // SAMPLE)), k)
    record = {"nodes_of_nets": nets.node.numel(), "edges_of_nets": nets.row.numel(), "equal": equal}
    return {"graph": name, "num_hops": k, **record, "limit_seconds": limit(nets, csr), "contenders": found}


def report(record: dict[str, Any]) -> None:
    """Print a table, and how the bars are met."""
    name, k, found = record["graph"], record["num_hops"], record["contenders"]
    print(f"\n{name}, k = {k}: {record['nodes_of_nets']:,} nodes, {record['edges_of_nets']:,} edges in nets, ", end="")
    print("equal" if record["equal"] else "NOT EQUAL", f"to PyG's; limit {record['limit_seconds'] * 1e3:.2f} ms")
    ours = found["graphlab ego_nets"]["seconds"]
    for what, given in found.items():
        line = f"{what:28} {given['seconds'] * 1e3:12.2f} ms {given['seconds'] / ours:10.1f} x"
        line += f"   {given['peak_bytes'] / 2**30:.2f} GiB" if "peak_bytes" in given else ""
        print(line + (f"   scaled up from {given['roots']} roots" if given.get("roots", NODES) < NODES else ""))
    if name == "random":
        milliseconds, loop, dense = BARS[k]
        bars = {f"<= {milliseconds} ms": ours * 1e3 <= milliseconds}
        bars[f">= {loop} x the loop"] = found["PyG k_hop_subgraph"]["seconds"] >= loop * ours
        if dense is not None:
            bars[f">= {dense} x the masks"] = found["PyG RootedEgoNets"]["seconds"] >= dense * ours
        print("bars", ", ".join(f"{bar} {'ok' if met else 'MISSED'}" for bar, met in bars.items()))


def large(nodes: int) -> dict[str, Any]:
    """A graph of a million nodes, k = 1."""
    torch.set_num_threads(1)
    torch.manual_seed(0)
    half = torch.randint(nodes, (2, nodes * DEGREE // 2))
    graph = Graph.from_edge_index(torch.cat([half, half.flip(0)], dim=1), (nodes, nodes))
    with Peak() as peak:
        seconds, nets = timed(lambda: ego_nets(graph.rowptr, graph.col, 1))
    result = sum(t.numel() * t.element_size() for t in nets)
    return {"nodes": nodes, "seconds": seconds, "peak_bytes": peak.bytes, "result_bytes": result}


def run(args: Namespace) -> dict[str, Any]:
    """All graphs, then the large one in a process of its own."""
    torch.manual_seed(0)
    records = [one(name, graph, k, args.rounds) for name, graph in graphs().items() for k in BARS]
    for record in records:
        report(record)
    found = spawned(large, LARGE)
    met = found["seconds"] <= LARGE_SECONDS and found["peak_bytes"] <= LARGE_BYTES
    print(f"\n{LARGE:,} nodes of degree {DEGREE}, k = 1: {found['seconds']:.2f} s, ", end="")
    print(f"{found['peak_bytes'] / 2**30:.2f} GiB, of which the nets {found['result_bytes'] / 2**30:.2f}; ", end="")
    print(f"bars <= {LARGE_SECONDS} s, <= {LARGE_BYTES / 2**30:.0f} GiB {'ok' if met else 'MISSED'}")
    return {"nodes": NODES, "degree": DEGREE, "graphs": records, "large": found}
