"""An aggregator works wherever PyG puts one."""

import copy
import io
import warnings
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager

import torch
from torch import Tensor
from torch_geometric import EdgeIndex
from torch_geometric.explain import Explainer, GNNExplainer
from torch_geometric.nn import MultiAggregation, SAGEConv, to_hetero

from graphlab.testing.compilation import sage
from graphlab.testing.groups import seeded
from graphlab.testing.law import BOUND
from graphlab.testing.trial import Make, Trial, trials

# Sorted by target, then source; node 2 has no edge, node 5 is a source only.
EDGES = ((1, 3, 0, 3, 4, 0, 5), (0, 0, 1, 1, 1, 3, 4))
NODES = 6
# Type checkers see the signature of torch.Tensor here.
_EdgeIndex: Callable[..., Tensor] = EdgeIndex


def check_message_passing(
    make: Make,
    channels: int = 8,
    *,
    bound: Mapping[torch.dtype, float] = BOUND,
    device: torch.device | str = "cpu",
    seed: int = 0,
) -> None:
    """Check that the aggregator works wherever PyG puts one.

    In `SAGEConv` on every form of adjacency and on bipartite graphs, in a `MultiAggregation`, as
    a readout, under `to_hetero` and `GNNExplainer`, copied, saved and loaded.

    Args:
        make: Builds the aggregator.
        channels: Number of input channels.
        bound: Largest relative error by precision.
        device: Where to run.
        seed: Seed of parameters and inputs.

    Raises:
        AssertionError: The law is broken; the message names input, error and bound.
    """
    for trial in trials("message_passing", make, channels, bound, device, seed):
        x = trial.draw(NODES, channels)
        conv = trial.law.run("SAGEConv built with the aggregator", lambda trial=trial, x=x: sage(trial.aggr, x))
        with torch.no_grad():
            _check_adjacency(trial, conv, x)
            _check_bipartite(trial, conv, x)
            _check_multi(trial, x)
            _check_readout(trial, x)
            _check_copies(trial, make, x)
        _check_hetero(trial, conv, x)
        _check_explainer(trial, conv, x)


def adjacency_forms(edge_index: Tensor, size: int, dtype: torch.dtype) -> dict[str, Tensor]:
    """Give one graph in the forms PyG's layers take.

    Args:
        edge_index: Edges, sorted by target, without repeats.
        size: Number of nodes.
        dtype: Precision of the values of sparse matrices.

    Shapes:
        edge_index: `(2, E)`.

    Returns:
        By name: the tensor, `EdgeIndex`, and the transposed adjacency as `torch.sparse`.
    """
    shape = (size, size)
    values = torch.ones(edge_index.size(1), dtype=dtype, device=edge_index.device)
    with torch.sparse.check_sparse_tensor_invariants(), quiet_about_sparse():
        coo = torch.sparse_coo_tensor(edge_index.flip(0), values, shape).coalesce()
        sparse = {"CSR": coo.to_sparse_csr(), "COO": coo}
    return {
        "edge_index tensor": edge_index,
        "EdgeIndex": _EdgeIndex(edge_index, sparse_size=shape),
        "EdgeIndex sorted by col": _EdgeIndex(edge_index, sparse_size=shape, sort_order="col"),
    } | {f"torch.sparse {layout} adj_t": adj_t for layout, adj_t in sparse.items()}


@contextmanager
def quiet_about_sparse() -> Iterator[None]:
    """Silence torch's and PyG's advice on sparse layouts: every layout is tried on purpose."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", ".*Sparse CSR tensor support.*")
        warnings.filterwarnings("ignore", ".*Converting sparse tensor to CSR format.*")
        yield


def _edges(x: Tensor) -> Tensor:
    return torch.tensor(EDGES, device=x.device)


def _given(x: Tensor, what: str) -> str:
    return f"{what}, {x.size(0)} nodes, edges {EDGES[0]} -> {EDGES[1]}, {x.dtype}"


def _by_hand(conv: SAGEConv, x: Tensor, size: int) -> Tensor:
    source, target = _edges(x)
    return conv.lin_l(conv.aggr_module(x[source], target, dim_size=size))


def _check_adjacency(trial: Trial, conv: SAGEConv, x: Tensor) -> None:
    expected = trial.law.run(_given(x, "messages aggregated by hand"), lambda: _by_hand(conv, x, NODES) + conv.lin_r(x))
    for form, adj in adjacency_forms(_edges(x), NODES, x.dtype).items():
        given = _given(x, f"SAGEConv on {form}")
        with quiet_about_sparse():
            actual = trial.law.run(given, lambda adj=adj: conv(x, adj))
        trial.same(given, actual, expected)


def _check_bipartite(trial: Trial, conv: SAGEConv, x: Tensor) -> None:
    edge_index, targets = _edges(x), x[:5]
    aggregated = trial.law.run(_given(x, "bipartite, by hand"), lambda: _by_hand(conv, x, 5))
    given = _given(x, "SAGEConv on (x_src, x_dst)")
    actual = trial.law.run(given, lambda: conv((x, targets), edge_index))
    trial.same(given, actual, aggregated + conv.lin_r(targets))
    given = _given(x, "SAGEConv on (x_src, None) with size=(6, 5)")
    actual = trial.law.run(given, lambda: conv((x, None), edge_index, size=(NODES, 5)))
    trial.same(given, actual, aggregated)


def _check_multi(trial: Trial, x: Tensor) -> None:
    source, target = _edges(x)
    multi = MultiAggregation([trial.aggr, "softmax"])
    given = _given(x, f"in MultiAggregation([{trial.aggr}, 'softmax'])")
    own = trial.out(given, x[source], target, dim_size=NODES)
    actual = trial.law.run(given, lambda: multi(x[source], target, dim_size=NODES))
    trial.same(given, actual[:, : own.size(-1)], own)


def _check_readout(trial: Trial, x: Tensor) -> None:
    batch = torch.tensor([0, 1, 1, 1, 2, 2], device=x.device)
    given = f"readout of a batch of graphs with 1, 3 and 2 nodes, {x.dtype}"
    expected = trial.out(given, x, batch, dim_size=3)
    trial.same(given, trial.out(given, x, batch), expected)


def _check_copies(trial: Trial, make: Make, x: Tensor) -> None:
    source, target = _edges(x)
    expected = trial.out(_given(x, "before copies"), x[source], target, dim_size=NODES)

    def loaded() -> torch.nn.Module:
        file = io.BytesIO()
        torch.save(trial.aggr.state_dict(), file)
        file.seek(0)
        with seeded(trial.seed + 1):  # other parameters, so that loading is seen to replace them
            other = make()
        other = other.to(x.device, x.dtype).eval()
        other.load_state_dict(torch.load(file, weights_only=True))
        return other

    copies = {"copy.deepcopy": lambda: copy.deepcopy(trial.aggr), "saved and loaded": loaded}
    for what, copied in copies.items():
        given = _given(x, what)
        other = trial.law.run(given, copied)
        actual = trial.law.run(given, lambda other=other: other(x[source], target, dim_size=NODES))
        trial.same(given, actual, expected)


class _Net(torch.nn.Module):
    """The smallest network that `to_hetero` and `Explainer` take."""

    def __init__(self, conv: SAGEConv) -> None:
        super().__init__()
        self.conv = conv

    def forward(self, x: Tensor, edge_index: Tensor) -> Tensor:
        return self.conv(x, edge_index)


def _check_hetero(trial: Trial, conv: SAGEConv, x: Tensor) -> None:
    there, back = ("u", "to", "v"), ("v", "from", "u")
    edges = {there: _edges(x), back: _edges(x)}
    given = _given(x, "to_hetero of SAGEConv on two node types")

    def call() -> tuple[Tensor, Tensor]:
        with seeded(trial.seed):
            net = to_hetero(_Net(copy.deepcopy(conv)), (["u", "v"], [there, back]))
        by_hand = net.conv["u__to__v"]((x, 2 * x), edges[there])
        return net({"u": x, "v": 2 * x}, edges)["v"], by_hand

    trial.same(given, *trial.law.run(given, call))


def _check_explainer(trial: Trial, conv: SAGEConv, x: Tensor) -> None:
    given = _given(x, "GNNExplainer of SAGEConv")
    explainer = Explainer(
        _Net(conv),
        GNNExplainer(epochs=2),
        explanation_type="model",
        edge_mask_type="object",
        node_mask_type="attributes",
        model_config={"mode": "regression", "task_level": "node", "return_type": "raw"},
    )

    def call() -> Tensor:
        with seeded(trial.seed):
            return explainer(x, _edges(x)).edge_mask

    mask = trial.law.run(given, call)
    seen = bool(mask.isfinite().all()) and mask.numel() == len(EDGES[0])
    trial.law.holds(seen, given, f"edge mask {mask}", "a finite number per edge")
