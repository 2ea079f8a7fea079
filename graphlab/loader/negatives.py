"""Negative examples of link prediction, drawn from the batch's own key."""

from typing import Any, Literal

import numpy as np
import torch
from torch import Tensor
from torch_geometric.sampler import NegativeSampling

from graphlab.ops import counter_rng

# Relations of the streams that draw negatives; edge types count up from 0 and never reach them.
_STREAMS = {"src": 2**64 - 1, "dst": 2**64 - 2}


class NegativePool:
    r"""Nodes to draw negatives from: uniformly or by weight, and with times among those that exist already.

    With nodes in the order of time, :math:`W_i` the sum of the first i weights, and n the number of nodes up to time t,
    a negative is the first node whose :math:`W_i` exceeds :math:`u W_n`, for u uniform in [0, 1). Where no node is as
    old as that, it is the oldest.

    Args:
        num_nodes: The number of nodes.
        weight: The nodes' weights, not negative; equal by default.
        time: The nodes' times.

    Raises:
        ValueError: The weights are too few or too many, negative, not finite or all zero.

    Example:
        >>> import torch
        >>> pool = NegativePool(3, weight=torch.tensor([0.0, 1.0, 0.0]))
        >>> pool.draw(key=0, relation=0, count=4)
        tensor([1, 1, 1, 1])
    """

    def __init__(self, num_nodes: int, weight: Tensor | None = None, time: Tensor | None = None) -> None:
        self.num_nodes = num_nodes
        self.order = self.sorted_time = self.total = None
        if time is not None:
            self.order = np.argsort(time.numpy(), kind="stable")
            self.sorted_time = time.numpy()[self.order]
        if weight is not None:
            weights = _checked(weight, num_nodes)
            self.total = np.cumsum(weights if self.order is None else weights[self.order])

    def draw(self, key: int, relation: int, count: int, until: Tensor | None = None) -> Tensor:
        """Draw nodes.

        Args:
            key: The batch's key.
            relation: Which streams of the key to draw from.
            count: How many.
            until: The latest time of each; asks for times of the nodes.

        Shapes:
            - **until:** ``(count,)``
            - **output:** ``(count,)``
        """
        if count and not self.num_nodes:
            raise ValueError("'neg_sampling' needs nodes to draw from, got a node type without any")
        streams = counter_rng.stream(key, relation, 0, np.arange(count))
        number = np.full(count, self.num_nodes)
        if until is not None and self.sorted_time is not None:
            number = np.searchsorted(self.sorted_time, until.numpy(), side="right")
        place = self._places(streams, np.maximum(number, 1))
        return torch.from_numpy(place if self.order is None else self.order[place])

    def _places(self, streams: counter_rng.Words, number: np.ndarray) -> np.ndarray:
        if self.total is None:
            return counter_rng.below(streams, np.zeros(len(streams), np.int64), number)
        total = self.total[number - 1]
        place = np.searchsorted(self.total, counter_rng.uniform(counter_rng.draw(streams, 0)) * total, side="right")
        # Rounding may carry a product up to the sum itself; the last node of positive weight answers for it.
        return np.minimum(place, np.searchsorted(self.total, total))


class KeyedNegatives(NegativeSampling):
    """PyG's negative sampling, drawing from the key of a batch instead of torch's generator.

    Args:
        like: Mode, amount and weights.
        key: The batch's key.
        pools: Where negatives of each end come from.
        time: The times of the positive examples; negative i may not be younger than example i modulo their number.
    """

    def __init__(self, like: NegativeSampling, key: int, pools: dict[str, NegativePool], time: Tensor | None) -> None:
        self.__dict__.update(like.__dict__)
        self.key, self.pools, self.time = key, pools, time

    def sample(self, num_samples: int, endpoint: Literal["src", "dst"], num_nodes: int | None = None) -> Tensor:
        """Draw the negatives of one end.

        Args:
            num_samples: How many.
            endpoint: Which end.
            num_nodes: The number of nodes; the pools know it.
        """
        until = None
        if self.time is not None:
            until = self.time[torch.arange(num_samples) % self.time.numel()]
        return self.pools[endpoint].draw(self.key, _STREAMS[endpoint], num_samples, until)


def _checked(weight: Tensor, num_nodes: int) -> Any:
    if weight.shape != (num_nodes,):
        raise ValueError(f"'neg_sampling' must weigh each of {num_nodes} nodes, got shape {list(weight.shape)}")
    weights = weight.detach().cpu().double().numpy()
    if not np.isfinite(weights).all() or (weights < 0).any() or not (weights > 0).any():
        raise ValueError("'neg_sampling' must have finite weights, none negative and one positive, got others")
    return weights
