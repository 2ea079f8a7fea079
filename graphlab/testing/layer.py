"""The laws of a layer that is called as `layer(x, edge_index)`."""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from functools import partial

import torch
from torch import Tensor

from graphlab.testing.compilation import COMPILED, check_module_compiles
from graphlab.testing.determinism import gradients
from graphlab.testing.gradients import check_module_gradients
from graphlab.testing.groups import draw, seeded, shuffled
from graphlab.testing.law import BOUND, Law, hold_all
from graphlab.testing.message_passing import adjacency_forms, quiet_about_sparse

NODES = 9
LONELY = 3  # the node without edges in every graph here


@dataclass(frozen=True)
class LayerTrial:
    """A layer before a law, with a random graph.

    Args:
        law: The law, for messages.
        layer: The layer, in eval mode.
        x: Node features.
        edge_index: Edges without repeats or loops, sorted by target, then source.
        bound: Largest relative error where nothing may change.
        seed: Seed of the graph.
    """

    law: Law
    layer: torch.nn.Module
    x: Tensor
    edge_index: Tensor
    bound: float
    seed: int

    def given(self, what: str = "as it is") -> str:
        """Tell the input in words."""
        shape = f"x {list(self.x.shape)} {self.x.dtype}, {self.edge_index.size(1)} edges"
        return f"{shape}, seed {self.seed}; {what}"

    def out(self, what: str, x: Tensor, edge_index: Tensor) -> Tensor:
        """Run the layer without gradient; what it raises breaks the law."""
        with torch.no_grad():
            return self.law.run(self.given(what), lambda: self.layer(x, edge_index))

    def same(self, what: str, actual: Tensor, expected: Tensor) -> None:
        """Check two results for equality within the bound."""
        self.law.close(self.given(what), actual, expected, self.bound)


def check_layer(
    make: Callable[[], torch.nn.Module],
    in_channels: int,
    *,
    permutation_bound: float | None = 1e-12,
    bound: Mapping[torch.dtype, float] = BOUND,
    backend: str = "aot_eager",
    exclude: Collection[str] = frozenset(),
    device: torch.device | str = "cpu",
    seed: int = 0,
) -> None:
    """Hold a layer, called as `layer(x, edge_index)`, against every law.

    The laws are the names in `LAYER_LAWS`:

    - node_permutation: renaming the nodes permutes the rows of the result;
    - edge_permutation: the order of the edges changes nothing;
    - isolated_nodes: a further node without edges changes nothing for the others;
    - batch_independence: a further graph beside this one, with a hub, changes nothing;
    - no_edges: without edges every node is as if alone; without nodes the result has no rows;
    - edge_index_forms: a tensor, `EdgeIndex` and sparse adjacencies give one result;
    - determinism: two runs give the same bits, forward and backward;
    - gradients: first and second derivatives are right;
    - compile: `torch.compile(fullgraph=True)` has no break and changes no number.

    Args:
        make: Builds the layer, with new parameters each time.
        in_channels: Number of input channels.
        permutation_bound: Largest relative error, in float64, when the edges are permuted; `None`
            for a layer that depends on the order of a node's incoming edges, which is then kept.
        bound: Largest relative error, by precision, where nothing may change.
        backend: Backend of `torch.compile`.
        exclude: Names of laws that are not asked of this layer.
        device: Where to run.
        seed: Seed of parameters and graph.

    Raises:
        AssertionError: At least one law is broken; the message tells every broken one.
        ValueError: `exclude` names something that is no law.

    Example:
        >>> from torch_geometric.nn import SAGEConv
        >>> check_layer(lambda: SAGEConv(4, 8), in_channels=4)
    """
    in_float64 = {torch.float64: bound.get(torch.float64, BOUND[torch.float64])}
    permuted = (_check_mixed, bound)
    if permutation_bound is not None:
        permuted = (_check_shuffled, {torch.float64: permutation_bound})
    asked: dict[str, tuple[Callable[[LayerTrial], None], Mapping[torch.dtype, float]]] = {
        **{name: (law, bound) for name, law in _PLAIN.items()},
        "edge_permutation": permuted,
        "determinism": (_check_determinism, bound),
        "gradients": (_check_gradients, in_float64),
        "compile": (partial(_check_compile, backend=backend), COMPILED),
    }
    same = {"make": make, "in_channels": in_channels, "device": device, "seed": seed}
    held = {name: partial(_hold, name=name, law=law, bound=limits, **same) for name, (law, limits) in asked.items()}
    hold_all(held, exclude)


def _hold(
    *,
    make: Callable[[], torch.nn.Module],
    in_channels: int,
    name: str,
    law: Callable[[LayerTrial], None],
    bound: Mapping[torch.dtype, float],
    device: torch.device | str,
    seed: int,
) -> None:
    edge_index = _graph(NODES, seed).to(device)
    for dtype, limit in bound.items():
        like = torch.empty(0, dtype=dtype, device=device)
        x = draw(like, (NODES, in_channels), seed)
        with seeded(seed):
            layer = make().to(device, dtype).eval()
            told = Law(name, repr(layer))
            # Lazily initialised parameters take their shapes here.
            told.run(f"x {list(x.shape)} {dtype}", lambda layer=layer, x=x: layer(x, edge_index))
        law(LayerTrial(told, layer.to(device, dtype), x, edge_index, limit, seed))


def _graph(nodes: int, seed: int) -> Tensor:
    generator = torch.Generator().manual_seed(seed)
    adj_t = torch.rand(nodes, nodes, generator=generator) < 0.35
    adj_t.fill_diagonal_(False)
    adj_t[LONELY] = False
    adj_t[:, LONELY] = False
    return adj_t.nonzero().t().flip(0).contiguous()


def _check_node_permutation(trial: LayerTrial) -> None:
    order = shuffled(NODES, trial.seed).to(trial.x.device)
    expected = trial.out("as it is", trial.x, trial.edge_index)[order]
    what = f"nodes in the order {order.tolist()}"
    renamed = order.argsort()[trial.edge_index]
    trial.same(what, trial.out(what, trial.x[order], renamed), expected)


def _check_isolated_nodes(trial: LayerTrial) -> None:
    expected = trial.out("as it is", trial.x, trial.edge_index)
    what = "with a further node without edges"
    more = torch.cat([trial.x, 10 * trial.x[:1]])
    trial.same(what, trial.out(what, more, trial.edge_index)[:NODES], expected)


def _check_batch_independence(trial: LayerTrial) -> None:
    expected = trial.out("as it is", trial.x, trial.edge_index)
    leaves = 200
    hub = torch.tensor([[0], [0]], device=trial.x.device).expand(2, leaves).clone()
    hub[0] += torch.arange(1, leaves + 1, device=trial.x.device)
    others = draw(trial.x, (leaves + 1, trial.x.size(1)), trial.seed + 1)
    what = f"with a further graph: a hub with {leaves} incoming edges"
    edge_index = torch.cat([trial.edge_index, hub + NODES], dim=1)
    out = trial.out(what, torch.cat([trial.x, others]), edge_index)
    trial.same(what, out[:NODES], expected)


def _check_no_edges(trial: LayerTrial) -> None:
    none = trial.edge_index[:, :0]
    out = trial.out("no edges", trial.x, none)
    alone = [trial.out("one node, no edges", row, none) for row in trial.x.split(1)]
    trial.same("no edges, against every node alone", out, torch.cat(alone))
    trial.same("no nodes", trial.out("no nodes", trial.x[:0], none), out[:0])


def _check_edge_index_forms(trial: LayerTrial) -> None:
    expected = trial.out("as it is", trial.x, trial.edge_index)
    forms = adjacency_forms(trial.edge_index, NODES, trial.x.dtype)
    for form, adj in forms.items():
        with quiet_about_sparse():
            actual = trial.out(form, trial.x, adj)
        trial.same(form, actual, expected)


def _check_shuffled(trial: LayerTrial) -> None:
    _check_order(trial, shuffled(trial.edge_index.size(1), trial.seed), "edges shuffled")


def _check_mixed(trial: LayerTrial) -> None:
    order = trial.edge_index[0].argsort(stable=True)
    _check_order(trial, order, "edges sorted by source; each target's edges in their own order")


def _check_order(trial: LayerTrial, order: Tensor, what: str) -> None:
    expected = trial.out("as it is", trial.x, trial.edge_index)
    edge_index = trial.edge_index[:, order.to(trial.x.device)]
    trial.same(what, trial.out(what, trial.x, edge_index), expected)


def _check_determinism(trial: LayerTrial) -> None:
    def call() -> dict[str, Tensor]:
        x = trial.x.clone().requires_grad_()
        out = trial.layer(x, trial.edge_index)
        return {"result": out.detach(), **gradients(trial.layer, x, out)}

    first, second = (trial.law.run(trial.given("forward and backward"), call) for _ in range(2))
    for name, value in first.items():
        trial.law.close(trial.given(f"{name} of two runs"), second[name], value, 0.0)


def _check_gradients(trial: LayerTrial) -> None:
    kwargs: dict[str, object] = {"edge_index": trial.edge_index}
    check_module_gradients(trial.law, trial.layer, trial.x, kwargs, trial.given())


def _check_compile(trial: LayerTrial, backend: str) -> None:
    fewer = trial.edge_index[:, ::2].contiguous()
    calls = [
        (trial.given("all edges"), trial.x, {"edge_index": trial.edge_index}),
        (trial.given("every second edge"), trial.x, {"edge_index": fewer}),
    ]
    check_module_compiles(trial.law, trial.layer, calls, backend, trial.bound)


_PLAIN: Mapping[str, Callable[[LayerTrial], None]] = {
    "node_permutation": _check_node_permutation,
    "isolated_nodes": _check_isolated_nodes,
    "batch_independence": _check_batch_independence,
    "no_edges": _check_no_edges,
    "edge_index_forms": _check_edge_index_forms,
}
#: Names of the laws of a layer, as `exclude` takes them.
LAYER_LAWS = (*_PLAIN, "edge_permutation", "determinism", "gradients", "compile")
