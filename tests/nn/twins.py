"""PyG's layers and ours with the same parameters, and inputs to compare them on."""

from collections.abc import Callable
from typing import Any

import torch
import torch_geometric.nn as pyg
from torch import Tensor
from torch_geometric import EdgeIndex

from graphlab import nn

NODES, CHANNELS = 12, 8
DEGREES = torch.tensor([1, 2, 5, 3, 1, 0, 2])
AGGREGATORS = ["mean", "min", "max", "std", "sum", "var"]
SCALERS = ["identity", "amplification", "attenuation", "linear", "inverse_linear"]
BOUNDS = {torch.float32: 1e-5, torch.float64: 1e-10}

Make = Callable[[Any], Callable[..., Any]]


def mlp(in_channels: int = CHANNELS) -> torch.nn.Module:
    return torch.nn.Sequential(torch.nn.Linear(in_channels, 6), torch.nn.ReLU(), torch.nn.Linear(6, 10))


def make(name: str, *args: Any, **kwargs: Any) -> Make:
    """Build a layer by name from a package that has it, PyG's or ours."""
    return lambda package: getattr(package, name)(*args, **kwargs)


LAYERS: dict[str, Make] = {
    "SAGEConv": make("SAGEConv", CHANNELS, 10),
    "SAGEConv narrow": make("SAGEConv", CHANNELS, 3),
    "GINConv": lambda package: package.GINConv(mlp(), eps=0.5, train_eps=True),
    "PNAConv": make("PNAConv", CHANNELS, 10, AGGREGATORS, SCALERS, DEGREES, towers=2, train_norm=True),
    "GATv2Conv": make("GATv2Conv", CHANNELS, 5, heads=2),
    "TransformerConv": make("TransformerConv", CHANNELS, 5, heads=2, beta=True),
}
#: Those that take sources and targets of two kinds.
BIPARTITE: dict[str, Make] = {
    "SAGEConv": make("SAGEConv", (CHANNELS, 5), 10),
    "GINConv": lambda package: package.GINConv(mlp()),
    "GATv2Conv": make("GATv2Conv", (CHANNELS, 5), 5, heads=2),
    "TransformerConv": make("TransformerConv", (CHANNELS, 5), 5, heads=2),
}


def edges(num_sources: int = NODES, num_targets: int = NODES, num_edges: int = 40, seed: int = 0) -> Tensor:
    """Unsorted edges with repeats and loops; target 3 and source 4 have none."""
    generator = torch.Generator().manual_seed(seed)
    source = torch.randint(num_sources - 1, (num_edges,), generator=generator)
    target = torch.randint(num_targets - 1, (num_edges,), generator=generator)
    both = torch.stack([source + (source >= 4), target + (target >= 3)])
    return torch.cat([both, both[:, :5], torch.tensor([[2, 5], [2, 5]])], dim=1)


def edge_index_of(edge_index: Tensor, size: tuple[int, int]) -> Any:
    return EdgeIndex(edge_index, sparse_size=size)  # pyright: ignore


def rows(number: int = NODES, channels: int = CHANNELS, dtype: torch.dtype = torch.float32, seed: int = 1) -> Tensor:
    return torch.randn(number, channels, generator=torch.Generator().manual_seed(seed), dtype=dtype)


def twins(build: Make, dtype: torch.dtype = torch.float32) -> tuple[Any, Any]:
    """Build PyG's layer and ours, and give ours the parameters of PyG's."""
    torch.manual_seed(0)
    theirs, ours = (build(package).to(dtype) for package in (pyg, nn))
    ours.load_state_dict(theirs.state_dict())
    return theirs.eval(), ours.eval()


def outcome(layer: Any, x: Any, *args: Any, **kwargs: Any) -> dict[str, Tensor]:
    """Run a layer forward and backward."""
    pair = (x, None) if isinstance(x, Tensor) else x
    leaves = [None if part is None else part.detach().clone().requires_grad_() for part in pair]
    layer.zero_grad()
    out = layer(leaves[0] if isinstance(x, Tensor) else tuple(leaves), *args, **kwargs)
    (out * rows(*out.shape, dtype=out.dtype, seed=2)).sum().backward()
    named = {"x_src": leaves[0], "x_dst": leaves[1], **dict(layer.named_parameters())}
    return {"out": out.detach(), **{n: v.grad for n, v in named.items() if v is not None and v.grad is not None}}


def assert_same(actual: dict[str, Tensor], expected: dict[str, Tensor], bound: float) -> None:
    assert actual.keys() == expected.keys()
    for name, value in expected.items():
        scale = max(1.0, float(value.abs().max())) if value.numel() else 1.0
        torch.testing.assert_close(actual[name], value, rtol=0, atol=bound * scale, msg=lambda m, n=name: f"{n}: {m}")


def compare(build: Make, x: Any, edge_index: Any, *args: Any, for_pyg: Any = None, fused: bool = True) -> None:
    """Check results and all gradients of ours against PyG's, in both precisions.

    Args:
        build: Builds the layer from a package.
        x: Node features.
        edge_index: The edges, as ours takes them.
        *args: Further arguments of the layer.
        for_pyg: The edges, as PyG takes them; the same by default.
        fused: Whether the fused path is expected.
    """
    for dtype, bound in BOUNDS.items():
        theirs, ours = twins(build, dtype)
        given = x.to(dtype) if isinstance(x, Tensor) else tuple(None if part is None else part.to(dtype) for part in x)
        expected = outcome(theirs, given, edge_index if for_pyg is None else for_pyg, *args)
        assert (ours.fallback_reason(given, edge_index, *args) == "") == fused
        assert_same(outcome(ours, given, edge_index, *args), expected, bound)
