"""What DiGCN and DGCN propagate with, made from sparse products, against the dense formulas of their papers."""

import importlib.util
import time
from argparse import Namespace
from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from directed_turns import by_turns, show
from scipy.linalg import eig

from graphlab import ops
from graphlab.directed import dgcn_operators, page_rank_operator, second_order_operator

EDGES_PER_NODE, TELEPORT = 2.81, 0.1
BARS = {"page_rank": 1 / 100, "second_order": 1 / 20, "dgcn": 1 / 50}


def normalized(matrix: np.ndarray) -> np.ndarray:
    """Divide by the roots of the row sums on both sides."""
    with np.errstate(divide="ignore"):
        scale = matrix.sum(1) ** -0.5
    scale[np.isinf(scale)] = 0
    return scale[:, None] * matrix * scale


def walk(a: np.ndarray) -> np.ndarray:
    """Row-stochastic, with loops."""
    looped = a + np.eye(len(a))
    return looped / looped.sum(1, keepdims=True)


def dense_page_rank(a: np.ndarray) -> np.ndarray:
    """By the left eigenvector of the walk with its auxiliary node."""
    n, p = len(a), walk(a)
    whole = np.zeros((n + 1, n + 1))
    whole[:n, :n], whole[:n, n], whole[n, :n] = (1 - TELEPORT) * p, TELEPORT, 1 / n
    values, left = eig(whole, left=True, right=False)
    root = np.sqrt(np.abs(left[:n, values.real.argmax()].real))
    half = root[:, None] * p / root
    return normalized((half + half.T) / 2)


def dense_second_order(a: np.ndarray) -> np.ndarray:
    """Both products, where both have entries."""
    p = walk(a)
    out, into = p @ p.T, p.T @ p
    return normalized((out + into) / 2 * (out > 0) * (into > 0))


def dense_dgcn(a: np.ndarray) -> np.ndarray:
    """The proximities through nodes that reach both."""
    eye = np.eye(len(a))
    return normalized(a.T @ (a / np.maximum(a.sum(1, keepdims=True), 1)) + eye)


def pygsd() -> dict[str, Callable[[torch.Tensor, int], Any]]:
    """Those of PyTorch Geometric Signed Directed, where it is installed."""
    if importlib.util.find_spec("torch_geometric_signed_directed") is None:
        return {}
    from torch_geometric_signed_directed import utils  # pyright: ignore[reportMissingImports]

    return {
        "page_rank": lambda edges, n: utils.get_appr_directed_adj(TELEPORT, edges, n, torch.float32),
        "second_order": lambda edges, n: utils.get_second_directed_adj(edges, n, torch.float32),
        "dgcn": lambda edges, n: utils.directed_features_in_out(edges, n),
    }


def timed(make: Callable[[], Any]) -> tuple[float, Any]:
    """Processor seconds of one run: these take too long for more."""
    started = time.process_time()
    found = make()
    return time.process_time() - started, found


def run(args: Namespace) -> dict[str, Any]:
    """A graph of the size of cora_ml; nothing is remembered between turns."""
    torch.manual_seed(0)
    n = args.dense_nodes
    edges = torch.randint(0, n, (2, int(EDGES_PER_NODE * n)))
    edges = torch.unique(edges[:, edges[0] != edges[1]], dim=1)
    a = np.zeros((n, n))
    a[edges[0].numpy(), edges[1].numpy()] = 1
    ours = {
        "page_rank": lambda: page_rank_operator(edges, num_nodes=n, teleport=TELEPORT),
        "second_order": lambda: second_order_operator(edges, num_nodes=n),
        "dgcn": lambda: dgcn_operators(edges, num_nodes=n),
    }
    dense = {"page_rank": dense_page_rank, "second_order": dense_second_order, "dgcn": dense_dgcn}
    record: dict[str, Any] = {"nodes": n, "edges": edges.size(1)}
    for name, make in ours.items():
        seconds = by_turns({"graphlab": lambda make=make: (ops.clear_cache(), make())}, args.rounds)
        seconds["dense"], expected = timed(lambda name=name: dense[name](a))
        made = make()
        matrix = (made.in_proximity if name == "dgcn" else made).to_dense().numpy()  # pyright: ignore
        difference = float(np.abs(matrix - expected).max())
        if name in (peers := pygsd()):
            seconds["PyGSD"], _ = timed(lambda name=name, peers=peers: peers[name](edges, n))
        print(f"{name}: largest difference {difference:.0e}")
        show(seconds, {"graphlab": ("dense", BARS[name])})
        record[name] = {"seconds": seconds, "difference": difference}
    return record
