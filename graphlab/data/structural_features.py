"""Features for nodes that have none of their own."""

from typing import Literal, get_args

import numpy as np
import torch
from torch import Tensor
from torch_geometric.utils import degree

Features = Literal["degree", "random", "onehot"]

_MAX_ONE_HOT = 20_000


def structural_features(features: Features, edge_index: Tensor, num_nodes: int, seed: int = 0) -> Tensor:
    r"""Node features made of the graph, or of nothing.

    ``"degree"`` gives :math:`x_i = (\log(1 + d^{out}_i), \log(1 + d^{in}_i))`, which says the same of a node however
    nodes are numbered; ``"random"`` one number a node, standard normal by NumPy's ``RandomState``; ``"onehot"`` the
    identity, so that a first layer learns one vector a node and nothing carries over to other nodes.

    Args:
        features: Which.
        edge_index: The edges :math:`i \to j`.
        num_nodes: Number of nodes.
        seed: Seed of ``"random"``, below 2 ** 32.

    Shapes:
        - edge_index: ``[2, E]``
        - returned: ``[num_nodes, 2 | 1 | num_nodes]`` (float32)

    Raises:
        ValueError: If there are no such features, or too many nodes to tell them apart by one-hot vectors.

    Example:
        >>> import torch
        >>> from graphlab.data.structural_features import structural_features
        >>> structural_features("degree", torch.tensor([[0, 0], [1, 2]]), 3).expm1().round().tolist()
        [[2.0, 0.0], [0.0, 1.0], [0.0, 1.0]]
    """
    if features not in get_args(Features):
        raise ValueError(f"features must be one of {', '.join(map(repr, get_args(Features)))}, got {features!r}")
    if features == "degree":
        return torch.stack([degree(ends, num_nodes) for ends in edge_index], dim=1).log1p()
    if features == "random":
        return torch.from_numpy(np.random.RandomState(seed).normal(size=(num_nodes, 1))).float()
    if num_nodes > _MAX_ONE_HOT:
        raise ValueError(
            f"features='onehot' takes num_nodes ** 2 numbers and is for {_MAX_ONE_HOT:,} nodes or fewer, "
            f"got {num_nodes:,}; use 'degree' or 'random'"
        )
    return torch.eye(num_nodes)
