"""Small graphs with everything that is awkward, and what a store of one must hold."""

import torch
from torch_geometric.data import Data

from tests.disk.naive_store import write_store

NODES, EDGES = 211, 1300


def awkward(width=7, dtype=torch.float32, seed=0):
    """A graph with isolated nodes, self loops, parallel edges, and attributes of nodes and edges."""
    g = torch.Generator().manual_seed(seed)
    edge_index = torch.randint(0, NODES - 15, (2, EDGES), generator=g)
    # Some nodes are far more frequent than others.
    edge_index[0, ::2] = edge_index[0, ::2] // 8
    edge_index[:, 7] = edge_index[:, 8]
    edge_index[0, 9] = edge_index[1, 9]
    x = torch.randn(NODES, width, generator=g).to(dtype)
    return Data(
        x=x,
        edge_index=edge_index,
        y=torch.randint(5, (NODES,), generator=g),
        train_mask=torch.rand(NODES, generator=g) < 0.5,
        weight=torch.randn(EDGES, 3, generator=g).half(),
    )


def some_nodes():
    """Seeds: isolated ones and duplicates among them, and a last batch that is short."""
    g = torch.Generator().manual_seed(1)
    return torch.cat([torch.randint(0, NODES, (60,), generator=g), torch.tensor([5, 5, NODES - 1, 5])])


#: Arguments that make several batches of two epochs.
ARGUMENTS = {"num_neighbors": [3, 4], "batch_size": 15, "epochs": 2, "mode": "packed", "cache_bytes": 600}


def content(path):
    """The bytes of a store but the manifest, which names times and places."""
    return {p.name: p.read_bytes() for p in sorted(path.iterdir()) if p.name != "manifest.json"}


def check(path, info, data, seeds, naive, **arguments):
    """Compare a store with what follows from its definition."""
    write_store(naive, data, seeds, info.sampling, hot_rows=info.hot_rows, mode=info.mode, **arguments)
    ours, theirs = content(path), content(naive)
    # How wide the permutation is written is not defined.
    theirs.pop("perm.bin", None)
    ours.pop("perm.bin", None)
    assert ours.keys() == theirs.keys()
    assert [name for name in ours if ours[name] != theirs[name]] == []
