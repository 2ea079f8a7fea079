"""GraphSAGE on a graph whose features are several times larger than the memory that the process may take.

Run ``python examples/disk_training.py``: 2 GB of features are made, prepared and trained on under 512 MiB, which
``setrlimit`` enforces. ``torchrun --nproc_per_node 2 examples/disk_training.py`` gives each rank a store of its own.

Expected with ``--num_nodes 200000``: test accuracy 0.82 after two epochs, and a peak of resident memory below 512 MiB.
"""

import argparse
import mmap
import os
import resource
import tempfile
from pathlib import Path

import numpy as np
import torch
import torch.distributed as dist
import torch.nn.functional as F
from torch import Tensor, nn

from graphlab.disk import DiskLoader, GraphFiles, Neighbors, layer_wise, prepare
from graphlab.nn import SAGEConv

CLASSES, DEGREE = 16, 10


def make_graph(folder: Path, num_nodes: int, num_features: int) -> None:
    """Write a graph in which neighbours share classes and one node's features tell little."""
    rng = np.random.default_rng(0)
    y, part = rng.integers(CLASSES, size=num_nodes), rng.random(num_nodes)
    for name, values in {"y": y, "train_mask": part < 0.02, "test_mask": part > 0.99}.items():
        np.save(folder / f"{name}.npy", values)
    centers = 1.3 * rng.normal(size=(CLASSES, num_features)) / num_features**0.5
    x = np.lib.format.open_memmap(folder / "x.npy", "w+", np.float32, (num_nodes, num_features))
    edges = np.lib.format.open_memmap(folder / "edge_index.npy", "w+", np.int64, (2, num_nodes * DEGREE))
    members, count = np.argsort(y, kind="stable"), np.bincount(y, minlength=CLASSES)
    first = np.cumsum(count) - count
    for start in range(0, num_nodes, 8192):
        classes = y[start : start + 8192]
        x[start : start + 8192] = centers[classes] + rng.normal(size=(len(classes), num_features))
        target, kind = np.arange(start, start + len(classes)).repeat(DEGREE), classes.repeat(DEGREE)
        alike = members[first[kind] + rng.integers(count[kind])]
        source = np.where(rng.random(len(target)) < 0.7, alike, rng.integers(num_nodes, size=len(target)))
        edges[:, start * DEGREE : start * DEGREE + len(target)] = source, target
        for file in (x, edges):  # written pages count as memory of the process until they are given back
            file.flush()
            file._mmap.madvise(mmap.MADV_DONTNEED)


class Sage(nn.Module):
    """Two GraphSAGE layers."""

    def __init__(self, in_channels: int, hidden_channels: int) -> None:
        super().__init__()
        self.conv1, self.conv2 = SAGEConv(in_channels, hidden_channels), SAGEConv(hidden_channels, CLASSES)

    def hidden(self, x: Tensor | tuple[Tensor, Tensor], edge_index: Tensor) -> Tensor:
        """Apply the first layer."""
        return self.conv1(x, edge_index).relu()

    def forward(self, x: Tensor, edge_index: Tensor) -> Tensor:
        """Return logits."""
        return self.conv2(self.hidden(x, edge_index), edge_index)


def train_epoch(model: nn.Module, loader: DiskLoader, optimizer: torch.optim.Optimizer) -> float:
    losses = []
    for batch in loader:
        optimizer.zero_grad()
        logits = model(batch.x, batch.edge_index)[: batch.batch_size]
        loss = F.cross_entropy(logits, batch.y[: batch.batch_size])
        loss.backward()
        optimizer.step()
        losses.append(float(loss.detach()))
    return sum(losses) / len(losses)


def test(model: Sage, store: Path, folder: Path, memory_budget: int) -> float:
    """Return the accuracy on the test nodes, with all neighbours of all nodes."""
    stages = [Neighbors(model.hidden), Neighbors(model.conv2)]
    logits = layer_wise(store, stages, store / "embeddings", memory_budget=memory_budget)
    rows = np.load(folder / "test_mask.npy").nonzero()[0]
    classes = logits.gather(torch.from_numpy(rows)).argmax(-1).numpy()
    return float((classes == np.load(folder / "y.npy")[rows]).mean())


def usage() -> str:
    lines = (Path("/proc/self/status").read_text() + Path("/proc/self/io").read_text()).splitlines()
    peak, read = (next(int(ln.split()[1]) for ln in lines if ln.startswith(name)) for name in ("VmHWM", "read_bytes"))
    return f"peak of resident memory {peak >> 10} MiB, {read / 1e9:.2f} GB read from disk"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--folder", type=Path, default=Path("disk_training"), help="made if it is not there")
    parser.add_argument("--num_nodes", type=int, default=2_000_000)
    parser.add_argument("--num_features", type=int, default=256)
    parser.add_argument("--memory_mb", type=int, default=512, help="all that the process may take")
    parser.add_argument("--num_neighbors", type=int, nargs="+", default=[10, 5])
    parser.add_argument("--batch_size", type=int, default=128)
    parser.add_argument("--hidden_channels", type=int, default=64)
    parser.add_argument("--epochs", type=int, default=2)
    parser.add_argument("--lr", type=float, default=0.003)
    args = parser.parse_args()
    ranks = {"rank": int(os.environ.get("RANK", "0")), "world_size": int(os.environ.get("WORLD_SIZE", "1"))}
    rank, together = ranks["rank"], ranks["world_size"] > 1
    memory_budget = args.memory_mb * 7 // 8 << 20  # the network gets the rest
    resource.setrlimit(resource.RLIMIT_DATA, (args.memory_mb << 20, args.memory_mb << 20))

    if together:
        dist.init_process_group("gloo")
    folder, store = args.folder, args.folder / f"store-{rank}-of-{ranks['world_size']}"
    if rank == 0 and not folder.exists():
        new = Path(tempfile.mkdtemp(dir=folder.parent))  # renamed when it is whole: a run cut off leaves no half graph
        make_graph(new, args.num_nodes, args.num_features)
        new.rename(folder)
        print(f"made {(folder / 'x.npy').stat().st_size / 1e9:.2f} GB of features; {usage()}", flush=True)
    if together:
        dist.barrier()
    info = prepare(
        GraphFiles(folder / "x.npy", folder / "edge_index.npy", y=folder / "y.npy"),
        store,
        num_neighbors=args.num_neighbors,
        batch_size=args.batch_size,
        input_nodes=torch.from_numpy(np.load(folder / "train_mask.npy")),
        mode="packed",
        cache_bytes=memory_budget // 32,
        memory_budget=memory_budget,
        **ranks,
    )
    print(f"rank {rank}: prepared {sum(s.bytes for s in info.shards) / 1e9:.2f} GB of batches; {usage()}", flush=True)

    torch.manual_seed(0)
    model = Sage(info.row_shape[0], args.hidden_channels)
    network = nn.parallel.DistributedDataParallel(model) if together else model
    optimizer, loader = torch.optim.Adam(model.parameters(), lr=args.lr), DiskLoader(store, memory_budget=memory_budget)
    for epoch in range(args.epochs):
        loss = train_epoch(network, loader, optimizer)
        print(f"rank {rank}: epoch {epoch + 1}, loss {loss:.4f}; {usage()}", flush=True)
    del loader
    if rank == 0:
        print(f"test accuracy {test(model.eval(), store, folder, memory_budget):.4f}; {usage()}", flush=True)
    if together:
        dist.barrier()
        dist.destroy_process_group()


if __name__ == "__main__":
    main()
