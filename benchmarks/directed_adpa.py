"""A training step of ADPA at the shape of chameleon_filtered, against all hops concatenated on all rows."""

from argparse import Namespace
from collections.abc import Callable
from typing import Any

import torch
from directed_peers import PlainADPA
from directed_turns import by_turns, show, training_step
from measure import Peak, forked

from graphlab.directed import ADPA

NODES, EDGES, FEATURES, HIDDEN, CLASSES, TRAIN, HOPS, PATTERNS = 890, 13584, 2325, 64, 5, 427, 2, 6
BAR, MEMORY_BAR = 0.2, 0.5


def peak(step: Callable[[], None]) -> int:
    """Peak bytes of a step beyond the hops that both read."""
    with Peak() as found:
        step()
    return found.bytes


def run(args: Namespace) -> dict[str, Any]:
    """Train rows of remembered hops, against every row of every hop."""
    torch.manual_seed(0)
    x = (torch.rand(NODES, FEATURES) < 0.0055).float()
    edge_index, y = torch.randint(0, NODES, (2, EDGES)), torch.randint(0, CLASSES, (TRAIN,))
    ours = ADPA(FEATURES, HIDDEN, CLASSES, num_hops=HOPS)
    dense, rows = ours.precompute(x, edge_index), torch.arange(TRAIN)
    sparse = ours.precompute(x.to_sparse_csr(), edge_index)
    dense_rows, sparse_rows = dense[rows], sparse[rows]
    blocks = [dense.dense[:, i].contiguous() for i in range(1 + PATTERNS * HOPS)]
    patterns = [[blocks[0], *blocks[1 + p * HOPS : 1 + (p + 1) * HOPS]] for p in range(PATTERNS)]
    plain = PlainADPA(PATTERNS, HOPS, FEATURES, HIDDEN, CLASSES).copy(ours)
    with torch.no_grad():
        difference = float((ours.eval().classify(dense) - plain.eval()(patterns)).abs().max())
    ours.train(), plain.train()
    contenders = {
        "graphlab, train rows": training_step(ours, lambda: ours.classify(dense_rows), y),
        "graphlab, train rows, sparse x": training_step(ours, lambda: ours.classify(sparse_rows), y),
        "graphlab, all rows": training_step(ours, lambda: ours.classify(dense)[:TRAIN], y),
        "plain": training_step(plain, lambda: plain(patterns)[:TRAIN], y),
    }
    seconds = by_turns(contenders, args.rounds)
    show(seconds, {"graphlab, train rows": ("plain", BAR), "graphlab, train rows, sparse x": ("plain", BAR)})
    bytes_ = {name: forked(peak, step) for name, step in contenders.items()}
    for name, found in bytes_.items():
        print(f"{name:44} {found / 2**20:9.1f} MiB   {found / bytes_['plain']:.3f} of plain, bar <= {MEMORY_BAR}")
    print(f"largest difference between the logits {difference:.0e}")
    return {"seconds": seconds, "peak_bytes": bytes_, "difference": difference}
