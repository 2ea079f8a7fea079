"""What runs under the cap of ``disk_memory.py``: prepare, train, evaluate; each stage is told in a line of JSON."""

import json
import sys
import time
from pathlib import Path
from typing import Any

_began = time.perf_counter()


def tell(stage: str, **figures: Any) -> None:
    """Say that a stage has ended, and what it found."""
    global _began
    now = time.perf_counter()
    print(json.dumps({"stage": stage, "seconds": now - _began, **figures}), flush=True)
    _began = now


def main() -> None:
    """Do what the order says, and tell the peak at the end."""
    run(json.loads(sys.argv[1]))
    status = Path("/proc/self/status").read_text(encoding="utf-8").splitlines()
    tell("end", peak_bytes=int(next(line for line in status if line.startswith("VmHWM")).split()[1]) << 10)


def run(order: dict[str, Any]) -> None:
    """Prepare, train, evaluate."""
    import torch

    torch.set_num_threads(order["threads"])
    from disk_data import CLASSES, World

    from graphlab.disk import prepare

    world = World(Path(order["folder"]), order["nodes"], order["edges"], order["channels"], npy=True)
    store, budget = world.folder / "store", order["memory_budget"]
    tell("import")
    info = prepare(
        world.files(),
        store,
        num_neighbors=order["num_neighbors"],
        batch_size=order["batch_size"],
        input_nodes=world.seeds(order["batch_size"] * order["batches"]),
        mode="packed",
        cache_bytes=order["cache_bytes"],
        memory_budget=budget,
        workers=order["threads"],
    )
    plan = info.plan or {}
    tell("prepare", store_bytes=sum(p.stat().st_size for p in store.iterdir()), volume=plan["volume"])

    from graphlab.disk import DiskLoader, Neighbors, layer_wise
    from graphlab.nn import SAGEConv
    from graphlab.ops import clear_cache

    tell("import PyG")
    torch.manual_seed(0)
    first, second = SAGEConv(world.channels, order["hidden"]), SAGEConv(order["hidden"], CLASSES)
    optimizer = torch.optim.Adam([*first.parameters(), *second.parameters()])
    loader = DiskLoader(store, memory_budget=budget - order["model_bytes"])
    tell("open")
    batches = 0
    for _ in range(order["epochs"]):
        for batch in loader:
            optimizer.zero_grad()
            # Each layer computes only what the next one asks for.
            inner, edges = sum(batch.num_sampled_nodes[:2]), batch.edge_index[:, : batch.num_sampled_edges[0]]
            h = first((batch.x, batch.x[:inner]), batch.edge_index).relu()
            out = second((h, h[: batch.batch_size]), edges)
            loss = torch.nn.functional.cross_entropy(out, batch.y[: batch.batch_size])
            loss.backward()
            optimizer.step()
            # Layers remember the graphs of the last batches, which do not come again.
            clear_cache()
            batches += 1
    del batch, edges, h, out, loader
    tell("train", batches=batches, loss=float(loss.detach()))
    if not order["evaluate"]:
        return
    stages = [Neighbors(lambda x, edges: first(x, edges).relu()), Neighbors(second)]
    logits = layer_wise(store, stages, store / "embeddings", memory_budget=budget, scratch_bytes=order["scratch_bytes"])
    tell("evaluate", rows=len(logits))


if __name__ == "__main__":
    main()
