"""Graphs that simple tests do not tell apart, read from GRAPHLAB_DATA."""

import os
from pathlib import Path

import networkx as nx
import pytest
import torch
from torch import Tensor
from torch_geometric.data import Batch, Data
from torch_geometric.utils import to_undirected

BREC = ("basic", "simple_regular", "strongly_regular", "extension", "cfi", "four_vertex_condition", "distance_regular")
# Relative difference of outputs that counts as told apart, and what rounding may make of equal graphs.
SEPARATED, NOISE = 1e-12, 1e-14


def path_of(name: str) -> Path:
    path = Path(os.environ.get("GRAPHLAB_DATA", "")) / "expressivity" / name
    if not path.is_file():
        pytest.skip(f"no {path}: GRAPHLAB_DATA must name the folder of the data sets")
    return path


def graph6(name: str) -> list[Data]:
    """Graphs of a file of graph6 lines; those of a pair follow one another."""
    graphs = nx.read_graph6(path_of(name))
    return [graph_of(list(g.edges), g.number_of_nodes()) for g in graphs]


def graph_of(edges: list[tuple[int, int]], num_nodes: int) -> Data:
    edge_index = to_undirected(torch.tensor(edges, dtype=torch.int64).view(-1, 2).T)
    return Data(edge_index=edge_index, x=torch.ones(num_nodes, 1, dtype=torch.float64), num_nodes=num_nodes)


def graphsat(name: str) -> list[Data]:
    """Graphs of EXP or CEXP with one-hot kinds of nodes; those of a pair follow one another."""
    lines = iter(path_of(f"{name.lower()}/{name}_GRAPHSAT.txt").read_text().splitlines())
    graphs = []
    for _ in range(int(next(lines))):
        num_nodes = int(next(lines).split()[0])
        rows = [[int(word) for word in next(lines).split()] for _ in range(num_nodes)]
        data = graph_of([(i, j) for i, row in enumerate(rows) for j in row[2:]], num_nodes)
        data.x = torch.nn.functional.one_hot(torch.tensor([row[0] for row in rows]), 2).double()
        graphs.append(data)
    return graphs


def brec(name: str) -> list[Data]:
    return graph6(f"brec/{name}.g6")


def csl() -> list[Data]:
    """The first graph of each of the ten classes."""
    labels = path_of("csl/csl_labels.txt").read_text().split()
    graphs = graph6("csl/csl.g6")
    return [graphs[labels.index(label)] for label in sorted(set(labels))]


def batch_of(graphs: list[Data]) -> Batch:
    return Batch.from_data_list(graphs)  # pyright: ignore


def permuted(data: Data) -> Data:
    """The same graph with its nodes in another order."""
    order = torch.randperm(data.num_nodes)
    place = torch.argsort(order)
    return Data(edge_index=place[data.edge_index], x=data.x[order], num_nodes=data.num_nodes)


def colors_differ(color: Tensor) -> int:
    """How many pairs of graphs that follow one another have two colors."""
    return int((color[::2] != color[1::2]).sum())


def equal_pairs(color: Tensor) -> int:
    """How many pairs among all graphs have one color."""
    counts = torch.bincount(color)
    return int((counts * (counts - 1) // 2).sum())


def embed(net: torch.nn.Module, graphs: list[Data], at_once: int = 40) -> Tensor:
    """What a network makes of each graph."""
    outputs = []
    with torch.no_grad():
        for i in range(0, len(graphs), at_once):
            batch = batch_of(graphs[i : i + at_once])
            outputs.append(net(batch.x, batch.edge_index, batch.batch, batch.num_graphs))
    return torch.cat(outputs)


def gaps(outputs: Tensor) -> Tensor:
    """Relative differences of graphs that follow one another."""
    one, other = outputs[::2], outputs[1::2]
    return (one - other).norm(dim=1) / torch.maximum(one.norm(dim=1), other.norm(dim=1))


def noise(net: torch.nn.Module, graphs: list[Data]) -> float:
    """The largest relative difference of a graph and a permuted copy."""
    torch.manual_seed(0)
    return float(gaps(embed(net, [copy for data in graphs for copy in (data, permuted(data))])).max())


def close_pairs(outputs: Tensor, tolerance: float) -> int:
    """How many pairs among all graphs differ by no more than the tolerance times the largest norm."""
    outputs = outputs[torch.argsort(outputs[:, 0])]
    limit, count = tolerance * outputs.norm(dim=1).max(), 0
    for shift in range(1, len(outputs)):
        difference = outputs[shift:] - outputs[:-shift]
        if bool((difference[:, 0] > limit).all()):
            break
        count += int((difference.norm(dim=1) <= limit).sum())
    return count
