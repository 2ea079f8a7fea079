"""Graphs that the loaders' tests share, and what must hold of every batch."""

from typing import Any

import torch
from torch_geometric.data import Data, HeteroData

from graphlab.loader import NeighborLoader

CITES = ("paper", "cites", "paper")
WRITES = ("author", "writes", "paper")
WRITTEN = ("paper", "rev_writes", "author")


def random_graph(num_nodes: int = 60, num_edges: int = 240, seed: int = 0) -> Data:
    """Edges with loops and parallels; the last tenth of the nodes is isolated."""
    random = torch.Generator().manual_seed(seed)
    linked = max(1, num_nodes - num_nodes // 10)
    return Data(
        x=torch.randn(num_nodes, 3, generator=random),
        y=torch.arange(num_nodes),
        edge_index=torch.randint(linked, (2, num_edges), generator=random),
        edge_attr=torch.arange(num_edges) * 10,
        time=torch.randint(20, (num_nodes,), generator=random),
        edge_time=torch.randint(20, (num_edges,), generator=random),
        weight=torch.rand(num_edges, generator=random),
        name="a graph",
    )


def typed_graph(seed: int = 0) -> HeteroData:
    """Papers that cite papers, and authors who write them."""
    random = torch.Generator().manual_seed(seed)
    data = HeteroData()
    for kind, number in (("paper", 30), ("author", 12), ("venue", 3)):
        data[kind].x = torch.randn(number, 2, generator=random)
        data[kind].y = torch.arange(number)
        data[kind].time = torch.randint(20, (number,), generator=random)
    sizes = {"paper": 30, "author": 12}
    for kind, number in ((CITES, 90), (WRITES, 50)):
        ends = [torch.randint(sizes[end], (number,), generator=random) for end in (kind[0], kind[2])]
        data[kind].edge_index = torch.stack(ends)
    data[WRITTEN].edge_index = data[WRITES].edge_index.flip(0)
    for kind in (CITES, WRITES, WRITTEN):
        number = data[kind].edge_index.size(1)
        data[kind].edge_attr = torch.arange(number) * 10
        data[kind].weight = torch.rand(number, generator=random)
        data[kind].since = torch.randint(20, (number,), generator=random)
    return data


def same(one: Any, other: Any) -> bool:
    """Whether two batches hold the same bits."""
    one, other = one.to_dict(), other.to_dict()
    return flat(one) == flat(other)


def flat(value: Any) -> Any:
    if isinstance(value, torch.Tensor):
        return value.dtype, value.shape, value.tolist()
    if isinstance(value, dict):
        return {key: flat(part) for key, part in value.items()}
    return value


def check_rows(data: Data, batch: Data) -> None:
    """Nodes and edges of a batch are those of the graph that they say they are."""
    assert torch.equal(batch.x, data.x[batch.n_id])
    assert torch.equal(batch.y, data.y[batch.n_id])
    assert torch.equal(batch.edge_attr, data.edge_attr[batch.e_id])
    assert torch.equal(batch.n_id[batch.edge_index], data.edge_index[:, batch.e_id])


def check_typed_rows(data: HeteroData, batch: HeteroData) -> None:
    """The same of each type."""
    for kind in data.node_types:
        assert torch.equal(batch[kind].x, data[kind].x[batch[kind].n_id])
    for kind in data.edge_types:
        edges, n_id = batch[kind], batch[kind].edge_index
        ends = torch.stack([batch[kind[0]].n_id[n_id[0]], batch[kind[2]].n_id[n_id[1]]])
        assert torch.equal(ends, data[kind].edge_index[:, edges.e_id])
        assert torch.equal(edges.edge_attr, data[kind].edge_attr[edges.e_id])


def all_same(ones, others) -> bool:
    return all(same(one, other) for one, other in zip(ones, others, strict=True))


def load(data=None, num_neighbors=(3, 2), **options) -> NeighborLoader:
    options = {"batch_size": 16, "seed": 1} | options
    return NeighborLoader(random_graph() if data is None else data, list(num_neighbors), **options)
