"""How much each hop of a node counts, told by that node's own hops."""

import math
from abc import ABC, abstractmethod

import torch
from torch import Tensor, nn


class HopAttention(nn.Module, ABC):
    r"""Base of the weights of a node's hops, for each pattern apart.

    .. math::
        \alpha_{p,i} = \operatorname{softmax}_k\, \sigma(e_{p,i,k} + b_p), \qquad k = 0, \dots, K

    All scores :math:`e` are linear in the hops, so they are columns (:meth:`columns`) of the one product that also
    transforms the hops; this module adds the columns up. Sun et al., 2024 (arXiv 2312.04111).

    Args:
        num_patterns: P.
        num_hops: K; hop 0 is the features themselves, which all patterns share.
        channels: f, the width of a hop.

    Shapes:
        - **first:** ``(P, num_nodes, c0)``, hop 0 times its columns
        - **later:** ``(P, K, num_nodes, c)``, the other hops times theirs
        - **output:** ``(P, K + 1, num_nodes)``
    """

    def __init__(self, num_patterns: int, num_hops: int, channels: int) -> None:
        super().__init__()
        self.num_patterns, self.num_hops, self.channels = num_patterns, num_hops, channels
        self.none: Tensor
        self.register_buffer("none", torch.empty(num_patterns, channels, 0), persistent=False)

    def reset_parameters(self) -> None:
        """Draw all parameters anew, as ``torch.nn.Linear`` draws those of one output."""
        parameters = list(self.parameters())
        inputs = max(1, sum(p.numel() for p in parameters if p.dim() > 1) // self.num_patterns)
        for parameter in parameters:
            nn.init.uniform_(parameter, -1 / math.sqrt(inputs), 1 / math.sqrt(inputs))

    def columns(self) -> tuple[Tensor, Tensor]:
        """Columns for hop 0 ``(P, f, c0)`` and for the others ``(P, K, f, c)``; none by default."""
        return self.none, self._for_all_hops(self.none)

    def _for_all_hops(self, column: Tensor) -> Tensor:
        return column[:, None].expand(-1, self.num_hops, -1, -1)

    @abstractmethod
    def forward(self, first: Tensor, later: Tensor) -> Tensor:
        """Turn products into weights."""

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.num_patterns}, {self.num_hops}, {self.channels})"


class SumHops(HopAttention):
    r"""No attention: hops are added up, :math:`\alpha = 1`; the paper's code calls it "none"."""

    def forward(self, first: Tensor, later: Tensor) -> Tensor:
        """One everywhere."""
        return later.new_ones(self.num_patterns, self.num_hops + 1, later.size(2))


class SimpleHopAttention(HopAttention):
    r"""One free number per hop, the same for all nodes: :math:`e_{p,i,k} = s_{p,k}`."""

    def __init__(self, num_patterns: int, num_hops: int, channels: int) -> None:
        super().__init__(num_patterns, num_hops, channels)
        self.score = nn.Parameter(torch.empty(num_patterns, num_hops + 1))
        self.reset_parameters()

    def forward(self, first: Tensor, later: Tensor) -> Tensor:
        """The same weights for each node."""
        return _weights(self.score)[:, :, None].expand(-1, -1, later.size(2))


class GateHopAttention(HopAttention):
    r"""Each hop alone: :math:`e_{p,i,k} = a_p^\top X^{(k)}_{p,i}`."""

    def __init__(self, num_patterns: int, num_hops: int, channels: int) -> None:
        super().__init__(num_patterns, num_hops, channels)
        # The column of the scored hop, then those of the hops that it is compared with.
        self.weight = nn.Parameter(torch.empty(num_patterns, 1 + self._num_references(), channels))
        self.bias = nn.Parameter(torch.empty(num_patterns))
        self.reset_parameters()

    def _num_references(self) -> int:
        return 0

    def columns(self) -> tuple[Tensor, Tensor]:
        """The column of the scored hop for all hops, and to each hop that is a reference its own."""
        by_channel = self.weight.transpose(1, 2)
        own = self._for_all_hops(by_channel[:, :, :1])
        if self._num_references() > 1:
            own = torch.cat([own, self.weight[:, 2:, :, None]], 3)
        return by_channel[:, :, :2], own

    def forward(self, first: Tensor, later: Tensor) -> Tensor:
        """Add the columns of each node up."""
        reference = first[..., 1:].sum(2) + later[..., 1:].sum((1, 3)) + self.bias[:, None]
        own = torch.cat([first[:, None, :, 0], later[..., 0]], 1)
        return _weights(own + reference[:, None])


class ReferenceHopAttention(GateHopAttention):
    r"""Each hop beside the features: :math:`e_{p,i,k} = a_p^\top [X_i \,\|\, X^{(k)}_{p,i}]`."""

    def _num_references(self) -> int:
        return 1


class RecursiveHopAttention(GateHopAttention):
    r"""Each hop beside all hops.

    .. math::
        e_{p,i,k} = a_p^\top [X^{(0)}_i \| \dots \| X^{(K)}_{p,i} \| X^{(k)}_{p,i}]
    """

    def _num_references(self) -> int:
        return self.num_hops + 1


#: The kinds of attention by the names that the paper's code gives them.
HOP_ATTENTIONS: dict[str, type[HopAttention]] = {
    "original": RecursiveHopAttention,
    "simple": SimpleHopAttention,
    "gate": GateHopAttention,
    "ori_ref": ReferenceHopAttention,
    "none": SumHops,
}


def _weights(scores: Tensor) -> Tensor:
    return scores.sigmoid().softmax(1)
