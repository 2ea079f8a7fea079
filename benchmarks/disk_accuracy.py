"""What training from few sampled epochs costs in accuracy: GraphSAGE from 1, 4 and ever new sampled epochs.

Run ``GRAPHLAB_DATA=... python benchmarks/disk_accuracy.py``. A store keeps the samples of some epochs and training
takes them in turn; here the batches come from the in-memory loader, which gives the same bits. Two layers, [10, 10]
neighbours, a seed per run for weights, dropout and samples; the test accuracy is that of the epoch with the best
validation accuracy, both with all neighbours. Differences are of pairs with the same seed and split.
"""

import argparse
import json
import os
import statistics
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch_geometric.data import Data
from torch_geometric.utils import to_undirected

import graphlab.data
from graphlab.loader import NeighborLoader
from graphlab.nn import SAGEConv
from graphlab.ops import seed_permutation

POOLS = {"one sampled epoch": 1, "pool of 4": 4, "fresh samples": None}


@dataclass(frozen=True)
class Setting:
    """How to train on a data set.

    Args:
        batch_size: Seeds of a batch.
        epochs: Passes over the training nodes.
        lr: Learning rate.
    """

    batch_size: int
    epochs: int
    lr: float = 0.005


SETTINGS = {
    "squirrel": Setting(256, 60),
    "actor": Setting(256, 30),
    "minesweeper": Setting(512, 60),
    "digits": Setting(64, 60),
    "cora": Setting(32, 40),
}


class Net(nn.Module):
    """Two GraphSAGE layers."""

    def __init__(self, in_channels: int, hidden_channels: int, out_channels: int, dropout: float) -> None:
        super().__init__()
        self.convs = nn.ModuleList([SAGEConv(in_channels, hidden_channels), SAGEConv(hidden_channels, hidden_channels)])
        self.head = nn.Linear(hidden_channels, out_channels)
        self.dropout = dropout

    def forward(self, x: Tensor, edge_index: Tensor) -> Tensor:
        """Return logits."""
        for conv in self.convs:
            x = F.dropout(conv(x, edge_index).relu(), self.dropout, self.training)
        return self.head(x)


def load(name: str, split: int) -> Data:
    """Load a graph with the masks of one of its splits."""
    if name in ("cora", "digits"):
        return graphlab.data.load(name)[0]
    archive = np.load(Path(os.environ["GRAPHLAB_DATA"]) / "node" / "heterophilous" / f"{name}.npz")
    data = Data(
        x=torch.from_numpy(archive["node_features"]).float(),
        y=torch.from_numpy(archive["node_labels"]).long(),
        edge_index=to_undirected(torch.from_numpy(archive["edges"]).long().t().contiguous()),
    )
    for part in ("train", "val", "test"):
        data[f"{part}_mask"] = torch.from_numpy(archive[f"{part}_masks"][split]).bool()
    return data


def train(data: Data, setting: Setting, pool: int | None, seed: int) -> float:
    """Train once; return the test accuracy in percent."""
    torch.manual_seed(seed)
    net = Net(data.num_features, 64, int(data.y.max()) + 1, 0.5)
    optimizer = torch.optim.Adam(net.parameters(), lr=setting.lr)
    loader = NeighborLoader(
        data, [10, 10], input_nodes=data.train_mask, batch_size=setting.batch_size, shuffle=True, seed=seed
    )
    best = (0.0, 0.0)
    for epoch in range(setting.epochs):
        net.train()
        sampled = epoch if pool is None else epoch % pool
        for number in seed_permutation(len(loader), seed, epoch).tolist():
            batch = loader.batch(sampled, number)
            optimizer.zero_grad()
            out = net(batch.x, batch.edge_index)[: batch.batch_size]
            F.cross_entropy(out, batch.y[: batch.batch_size]).backward()
            optimizer.step()
        best = max(best, evaluate(net, data), key=lambda pair: pair[0])
    return best[1]


@torch.no_grad()
def evaluate(net: Net, data: Data) -> tuple[float, float]:
    """Return validation and test accuracy in percent."""
    net.eval()
    right = (net(data.x, data.edge_index).argmax(-1) == data.y).double()
    return float(100 * right[data.val_mask].mean()), float(100 * right[data.test_mask].mean())


def compare(name: str, seeds: int) -> dict:
    """Train from every pool with every seed."""
    accuracy = {kind: [] for kind in POOLS}
    for seed in range(seeds):
        data = load(name, seed % 10)
        for kind, pool in POOLS.items():
            accuracy[kind].append(train(data, SETTINGS[name], pool, seed))
    fresh = accuracy["fresh samples"]
    rows = {}
    for kind, values in accuracy.items():
        apart = [a - b for a, b in zip(values, fresh, strict=True)]
        rows[kind] = {
            "accuracy": round(statistics.mean(values), 2),
            "std": round(statistics.stdev(values), 2),
            "difference": round(statistics.mean(apart), 2),
            "standard_error": round(statistics.stdev(apart) / seeds**0.5, 2),
        }
        print(
            f"{name:12s} {kind:18s} {rows[kind]['accuracy']:6.2f} ± {rows[kind]['std']:.2f} %   "
            f"against fresh {rows[kind]['difference']:+.2f} ± {rows[kind]['standard_error']:.2f}",
            flush=True,
        )
    return rows


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", nargs="+", default=list(SETTINGS), choices=list(SETTINGS))
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--out", type=Path, default=Path(__file__).with_suffix(".json"))
    args = parser.parse_args()
    torch.set_num_threads(1)
    args.out.write_text(json.dumps({name: compare(name, args.seeds) for name in args.data}, indent=2) + "\n")


if __name__ == "__main__":
    main()
