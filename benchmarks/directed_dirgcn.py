"""A training step of Dir-GCN at the shape of chameleon, against PyG's DirGNNConv(GCNConv)."""

from argparse import Namespace
from itertools import pairwise
from typing import Any

import torch
import torch.nn.functional as F
import torch_geometric.nn as pyg
from directed_turns import by_turns, show, training_step
from torch import Tensor, nn

from graphlab.directed import DirGNN

NODES, EDGES, FEATURES, HIDDEN, LAYERS, CLASSES, TRAIN = 2277, 36101, 2325, 128, 5, 5, 1092
DENSITY = 0.0055
BARS = {1.0: 0.4, 0.5: 0.75}


class PygNet(nn.Module):
    """What a user of PyG writes down.

    Args:
        alpha: Weight of out-neighbours.
        cached: Whether the layers remember their normalisation, which PyG leaves off by default.
    """

    def __init__(self, alpha: float, cached: bool) -> None:
        super().__init__()
        widths = [FEATURES] + [HIDDEN] * LAYERS
        convs = [pyg.GCNConv(*pair, cached=cached) for pair in pairwise(widths)]
        self.convs = nn.ModuleList(pyg.DirGNNConv(conv, alpha, root_weight=False) for conv in convs)
        self.jump, self.head = pyg.JumpingKnowledge("max"), nn.Linear(HIDDEN, CLASSES)

    def forward(self, x: Tensor, edge_index: Tensor) -> Tensor:
        """Compute the logits of all nodes."""
        states = []
        for conv in self.convs:
            x = F.normalize(conv(x, edge_index).relu())
            states.append(x)
        return self.head(self.jump(states))


def products(x: Tensor, dense: bool, directions: int) -> Any:
    """The matrix products that a step cannot do without: the physical limit beside."""
    h, first, hidden = torch.randn(NODES, HIDDEN), torch.randn(FEATURES, HIDDEN), torch.randn(HIDDEN, HIDDEN)

    def run() -> None:
        for _ in range(directions):
            if dense:
                _ = x @ first, x.t() @ h
            for _ in range(LAYERS - 1):
                _ = h @ hidden, h @ hidden.t(), h.t() @ h

    return run


def run(args: Namespace) -> list[dict[str, Any]]:
    """Fixed at 1 and at a half, with dense and with sparse features."""
    torch.manual_seed(0)
    x = (torch.rand(NODES, FEATURES) < DENSITY).float()
    x = x / x.sum(1, keepdim=True).clamp(min=1)
    edge_index, y = torch.randint(0, NODES, (2, EDGES)), torch.randint(0, CLASSES, (TRAIN,))
    rows = []
    for alpha, bar in BARS.items():
        contenders = {}
        for form, features in (("dense x", x), ("sparse x", x.to_sparse_csr())):
            net = DirGNN(FEATURES, HIDDEN, CLASSES, LAYERS, alpha=alpha, jk="max", normalize=True)
            step = training_step(net, lambda n=net, f=features: n(f, edge_index)[:TRAIN], y)
            contenders[f"graphlab, {form}"] = step
            contenders[f"limit, {form}"] = products(x, form == "dense x", 1 if alpha == 1 else 2)
        for name, cached in (("PyG", False), ("PyG, normalisation cached", True)):
            net = PygNet(alpha, cached)
            contenders[name] = training_step(net, lambda n=net: n(x, edge_index)[:TRAIN], y)
        seconds = by_turns(contenders, args.rounds)
        print(f"alpha = {alpha}")
        show(seconds, {f"graphlab, {form}": ("PyG", bar) for form in ("dense x", "sparse x")})
        rows.append({"alpha": alpha, "bar": bar, "seconds": seconds})
    return rows
