"""GraphSAGE on a graph whose features are several times larger than the memory that the process may take.

Run ``python examples/disk_training.py``: 2 GB of features are made, prepared and trained on under 512 MiB, which
``setrlimit`` enforces. ``torchrun --nproc_per_node 2 examples/disk_training.py`` gives each rank a store of its own.

Expected: test accuracy above 0.9 after two epochs (a network that looks at the features alone gets 0.4), a peak of
resident memory below --memory_mb, and reads of about the packed bytes per epoch.
"""

import argparse
import mmap
import os
import resource
from pathlib import Path

import numpy as np
import torch
import torch.distributed as dist
import torch.nn.functional as F
from torch import Tensor, nn

from graphlab.disk import DiskLoader, GraphFiles, Neighbors, layer_wise, prepare
from graphlab.nn import SAGEConv

CLASSES = 16


def make_graph(folder: Path, num_nodes: int, num_features: int, degree: int) -> None:
    """Write a graph in which neighbours share classes and one node's features tell little."""
    rng = np.random.default_rng(0)
    y = rng.integers(CLASSES, size=num_nodes)
    part = rng.random(num_nodes)
    for name, values in {"y": y, "train_mask": part < 0.1, "test_mask": part > 0.99}.items():
        np.save(folder / f"{name}.npy", values)
    centers = rng.normal(size=(CLASSES, num_features)) * 4 / num_features**0.5
    x = np.lib.format.open_memmap(folder / "x.npy", "w+", np.float32, (num_nodes, num_features))
    members, count = np.argsort(y, kind="stable"), np.bincount(y, minlength=CLASSES)
    first = np.cumsum(count) - count
    edges = np.lib.format.open_memmap(folder / "edge_index.npy", "w+", np.int64, (2, num_nodes * degree))
    for start in range(0, num_nodes, 8192):
        classes = y[start : start + 8192]
        x[start : start + 8192] = centers[classes] + rng.normal(size=(len(classes), num_features))
        target, kind = np.arange(start, start + len(classes)).repeat(degree), classes.repeat(degree)
        alike = members[first[kind] + rng.integers(count[kind])]
        source = np.where(rng.random(len(target)) < 0.7, alike, rng.integers(num_nodes, size=len(target)))
        edges[:, start * degree : start * degree + len(target)] = source, target
        for file in (x, edges):  # pages that are written count as memory of the process until they are given back
            file.flush()
            file._mmap.madvise(mmap.MADV_DONTNEED)


def open_graph(folder: Path) -> GraphFiles:
    """Refer to the files; nothing is read yet."""
    names = ("edge_index", "y", "train_mask", "test_mask")
    return GraphFiles(folder / "x.npy", **{name: folder / f"{name}.npy" for name in names})


class Sage(nn.Module):
    """Two GraphSAGE layers."""

    def __init__(self, in_channels: int, hidden_channels: int) -> None:
        super().__init__()
        self.convs = nn.ModuleList(
            [SAGEConv(in_channels, hidden_channels), SAGEConv(hidden_channels, CLASSES, project=False)]
        )

    def first(self, x: Tensor | tuple[Tensor, Tensor], edge_index: Tensor) -> Tensor:
        """Apply the first layer and its activation."""
        return self.convs[0](x, edge_index).relu()

    def forward(self, x: Tensor, edge_index: Tensor) -> Tensor:
        """Return logits."""
        return self.convs[1](self.first(x, edge_index), edge_index)


def train_epoch(model: nn.Module, loader: DiskLoader, optimizer: torch.optim.Optimizer) -> float:
    losses = []
    for batch in loader:
        optimizer.zero_grad()
        logits = model(batch.x, batch.edge_index)[: batch.batch_size]
        loss = F.cross_entropy(logits, batch.y[: batch.batch_size])
        loss.backward()
        optimizer.step()
        losses.append(loss.detach())
    return float(torch.stack(losses).mean())


def test(model: Sage, store: Path, folder: Path, memory_budget: int) -> float:
    """Return the accuracy on the test nodes, with all neighbours of all nodes."""
    model.eval()
    stages = [Neighbors(model.first), Neighbors(model.convs[1])]
    logits = layer_wise(store, stages, store / "embeddings", memory_budget=memory_budget)
    rows = torch.from_numpy(np.load(folder / "test_mask.npy").nonzero()[0])
    y = torch.from_numpy(np.load(folder / "y.npy"))[rows]
    return float((logits.gather(rows).argmax(-1) == y).float().mean())


def usage() -> str:
    peak = next(line.split()[1] for line in Path("/proc/self/status").read_text().splitlines() if "VmHWM" in line)
    read = next(line.split()[1] for line in Path("/proc/self/io").read_text().splitlines() if "read_bytes" in line)
    return f"peak of resident memory {int(peak) >> 10} MiB, read from disk {int(read) / 1e9:.2f} GB"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--folder", type=Path, default=Path("disk_training"))
    parser.add_argument("--num_nodes", type=int, default=1_000_000)
    parser.add_argument("--num_features", type=int, default=512)
    parser.add_argument("--degree", type=int, default=10)
    parser.add_argument("--memory_mb", type=int, default=512)
    parser.add_argument("--num_neighbors", type=int, nargs="+", default=[10, 5])
    parser.add_argument("--batch_size", type=int, default=256)
    parser.add_argument("--hidden_channels", type=int, default=64)
    parser.add_argument("--epochs", type=int, default=2)
    parser.add_argument("--sampled_epochs", type=int, default=1)
    parser.add_argument("--lr", type=float, default=0.003)
    args = parser.parse_args()
    rank, world_size = int(os.environ.get("RANK", "0")), int(os.environ.get("WORLD_SIZE", "1"))
    memory_budget = args.memory_mb << 20
    # The kernel refuses memory beyond this; what is read from files past the page cache does not count, nor exist.
    resource.setrlimit(resource.RLIMIT_DATA, (memory_budget, memory_budget))
    if world_size > 1:
        dist.init_process_group("gloo")
    if rank == 0 and not (args.folder / "edge_index.npy").exists():
        args.folder.mkdir(parents=True, exist_ok=True)
        make_graph(args.folder, args.num_nodes, args.num_features, args.degree)
        print(f"made {(args.folder / 'x.npy').stat().st_size / 1e9:.2f} GB of features; {usage()}", flush=True)
    if world_size > 1:
        dist.barrier()

    store = args.folder / f"store-{rank}-of-{world_size}"
    train_mask = torch.from_numpy(np.load(args.folder / "train_mask.npy"))
    info = prepare(
        open_graph(args.folder),
        store,
        num_neighbors=args.num_neighbors,
        batch_size=args.batch_size,
        input_nodes=train_mask,
        epochs=args.sampled_epochs,
        mode="packed",
        memory_budget=memory_budget,
        rank=rank,
        world_size=world_size,
    )
    print(f"rank {rank}: prepared {sum(s.bytes for s in info.shards) / 1e9:.2f} GB of batches; {usage()}", flush=True)

    torch.manual_seed(0)
    model = Sage(args.num_features, args.hidden_channels)
    wrapped = nn.parallel.DistributedDataParallel(model) if world_size > 1 else model
    optimizer = torch.optim.Adam(model.parameters(), lr=args.lr)
    loader = DiskLoader(store, memory_budget=memory_budget)
    for epoch in range(args.epochs):
        loss = train_epoch(wrapped, loader, optimizer)
        print(f"rank {rank}: epoch {epoch + 1}, loss {loss:.4f}; {usage()}", flush=True)
    del loader
    if rank == 0:
        accuracy = test(model, store, args.folder, memory_budget)
        print(f"test accuracy {accuracy:.4f}; {usage()}", flush=True)
    if world_size > 1:
        dist.destroy_process_group()


if __name__ == "__main__":
    main()
