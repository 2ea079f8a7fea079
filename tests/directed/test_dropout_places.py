"""Every network drops what its formula says, at that place, with its probability and scale."""

from collections import defaultdict
from collections.abc import Callable
from typing import Any

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from graphlab import directed
from graphlab.directed import Dropout
from graphlab.models.base_config import NodeNetConfig
from graphlab.models.config import MODELS
from tests.directed.graphs import random_graph

NODES, P = 200, 0.3
BLOCK = ["-> blocks.{}.feed_forward.2", "blocks.{} ->"]


def residual_places(*blocks: list[str]) -> list[str | None]:
    return ["-> gelu", *(place.format(k) for k, block in enumerate(blocks) for place in block)]


# By network: options, and in the order of the formula what reads ("-> module") or gives ("module ->") the dropped
# numbers; None where no module does.
CASES: list[tuple[str, dict[str, Any], list[str | None]]] = [
    ("DirGNN", {"num_layers": 2, "jk": "none"}, ["-> convs.1.out", "-> head"]),
    ("FaberNet", {"num_layers": 2, "jk": "none"}, ["-> convs.1.out.linear", "-> head"]),
    ("MagNet", {}, ["-> head"]),
    ("DiGCN", {}, ["-> convs.1.linear", "-> head"]),
    ("DiGCNInception", {"num_layers": 2}, [None, None, None, "-> convs.1.root"]),
    ("ADPA", {"num_layers": 2}, [None, "-> pattern_attention"]),
    ("A2DUG", {"num_nodes": NODES}, [*(f"{part} ->" for part in
     ("of_features", "of_rows.undirected", "of_rows.out", "of_rows.in", "of_hops.undirected", "of_hops.out",
      "of_hops.in")), "-> head"]),
    ("FSGNN", {}, ["-> head"]),
    ("GPRGNN", {}, ["-> first", "-> second"]),
    ("H2GCN", {}, ["-> head"]),
    ("FAGCN", {}, ["-> first", "-> gates.0", "gates.0 ->", "gates.1 ->"]),
    ("ACMGCN", {}, ["-> convs.0", "-> convs.1"]),
    ("GloGNN", {"num_nodes": NODES}, ["-> head"]),
    ("LINKX", {"num_nodes": NODES, "num_layers": 3, "num_edge_layers": 2, "num_node_layers": 2},
     ["-> final_mlp.4", "-> final_mlp.8"]),
    ("ClassicGNN", {}, ["-> convs.1", "-> head"]),
    ("ClassicGNN", {"conv": "gat", "residual": True, "norm": "batch", "pre_linear": True},
     ["-> convs.0", "-> residuals.1", "-> head"]),
    *(("ResidualGNN", {"layer": layer, "num_layers": 2}, residual_places(BLOCK, BLOCK))
      for layer in ("none", "gcn", "sage", "gat", "gat-sep")),
    *(("ResidualGNN", {"layer": layer, "num_layers": 1}, residual_places(["blocks.{} ->"], BLOCK))
      for layer in ("gt", "gt-sep")),
]  # fmt: skip


@pytest.fixture
def dropped(monkeypatch) -> list[tuple[float, Tensor, Tensor]]:
    """Of each dropout that drops: its probability, what goes in and what comes out."""
    calls: list[tuple[float, Tensor, Tensor]] = []

    def record(p: float, training: bool, x: Tensor, out: Tensor) -> Tensor:
        if training and p:
            calls.append((p, x, out))
        return out

    of_torch, ours = F.dropout, Dropout.forward
    monkeypatch.setattr(
        F, "dropout", lambda x, p=0.5, training=True, *a: record(p, training, x, of_torch(x, p, training, *a))
    )
    monkeypatch.setattr(Dropout, "forward", lambda self, x: record(self.p, self.training, x, ours(self, x)))
    return calls


def watched(net: nn.Module) -> dict[str, list[Tensor]]:
    """By place, the tensors that pass there from now on."""
    seen: dict[str, list[Tensor]] = defaultdict(list)

    def watch(name: str) -> Callable[..., None]:
        def hook(module: nn.Module, args: tuple[Any, ...], out: Any) -> None:
            seen[f"-> {name}"].append(args[0])
            seen[f"{name} ->"].append(out)

        return hook

    for name, module in net.named_modules():
        if name:
            module.register_forward_hook(watch(name))
    return seen


@pytest.mark.parametrize(("name", "options", "places"), CASES)
def test_a_network_drops_what_its_formula_says(name, options, places, dropped):
    torch.manual_seed(0)
    net = getattr(directed, name)(6, 16, 3, dropout=P, **options).double()
    x, edge_index = torch.randn(NODES, 6, dtype=torch.float64), random_graph(NODES, 900)
    seen = watched(net)
    net(x, edge_index)
    assert len(dropped) == len(places)
    for place, (p, given, out) in zip(places, dropped, strict=True):
        assert p == P
        assert place is None or any(out is t or torch.equal(out, t) for t in seen[place]), place
        stayed, count = out != 0, int((given != 0).sum())
        torch.testing.assert_close(out[stayed], given[stayed] / (1 - P), rtol=1e-4, atol=0)
        assert abs(int(stayed.sum()) / count - (1 - P)) < 5 * (P * (1 - P) / count) ** 0.5


@pytest.mark.parametrize(("name", "options", "places"), CASES)
def test_evaluation_drops_nothing(name, options, places, dropped):
    net = getattr(directed, name)(6, 16, 3, dropout=P, **options).eval()
    net(torch.randn(NODES, 6), random_graph(NODES, 900))
    assert not dropped


def test_all_networks_with_dropout_are_looked_at():
    networks = [c for c in MODELS.values() if issubclass(c, NodeNetConfig) and "dropout" in c.__dataclass_fields__]
    named = {c.network.partition(":")[2] for c in networks if c.network.startswith("graphlab.directed:")}
    assert named == {name for name, _, _ in CASES}
