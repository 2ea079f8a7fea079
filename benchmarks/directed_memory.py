"""Directed patterns of a large graph in a process of its own: the peak of its memory, and how long it takes."""

import time
from argparse import Namespace
from typing import Any

import torch
from measure import resident, spawned

CHANNELS, HOPS, EDGES_PER_NODE, LIMIT = 64, 3, 10, 8 << 30


def propagate(nodes: int) -> dict[str, Any]:
    """Precompute all hops of ADPA, then train on some batches of rows."""
    from directed_turns import training_step

    from graphlab.directed import ADPA

    torch.set_num_threads(1)
    torch.manual_seed(0)
    x, edge_index = torch.randn(nodes, CHANNELS), torch.randint(0, nodes, (2, EDGES_PER_NODE * nodes))
    model, y = ADPA(CHANNELS, 64, 10, num_hops=HOPS), torch.randint(0, 10, (10_000,))
    began, worked = time.perf_counter(), time.process_time()
    hops = model.precompute(x, edge_index)
    found = {"precompute_seconds": time.perf_counter() - began, "precompute_cpu": time.process_time() - worked}
    step = training_step(model, lambda: model.classify(hops[torch.randint(0, nodes, (10_000,))]), y)
    began = time.perf_counter()
    for _ in range(10):
        step()
    hop_bytes = hops.dense.numel() * hops.dense.element_size()
    found |= {"step_seconds": (time.perf_counter() - began) / 10, "hop_bytes": hop_bytes}
    return {**found, "peak_bytes": resident("VmHWM")}


def run(args: Namespace) -> dict[str, Any]:
    """Within 8 GB; the hops that must be kept are the physical limit beside."""
    found = spawned(propagate, args.nodes)
    verdict = "ok" if found["peak_bytes"] <= LIMIT else "MISSED"
    print(f"{args.nodes:,} nodes, {EDGES_PER_NODE * args.nodes:,} edges, {CHANNELS} channels, {HOPS} hops")
    print(f"hops in {found['precompute_seconds']:.1f} s, a step of 10,000 rows in {found['step_seconds'] * 1e3:.1f} ms")
    print(f"peak {found['peak_bytes'] / 2**30:.2f} GiB, the hops {found['hop_bytes'] / 2**30:.2f} GiB; ", end="")
    print(f"bar <= {LIMIT / 2**30:.0f} GiB {verdict}")
    return {"nodes": args.nodes, "edges": EDGES_PER_NODE * args.nodes, **found}
