"""ADPA: all directed patterns propagated before training, hops and patterns weighed for each node."""

import math
from collections.abc import Iterator
from typing import Any, Literal

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from graphlab.directed.checks import at_least, one_of, share_to_drop
from graphlab.directed.decoupled_model import DecoupledModel
from graphlab.directed.directed_patterns import DirectedPatterns
from graphlab.directed.feature_linear import feature_matmul
from graphlab.directed.hop_attention import HOP_ATTENTIONS
from graphlab.directed.hop_features import HopFeatures
from graphlab.directed.pattern_attention import PATTERN_ATTENTIONS


class ADPA(DecoupledModel):
    r"""Adaptive directed pattern aggregation.

    .. math::
        X_p^{(k)} &= \hat M_p \, w_k X_p^{(k-1)}, \quad X_p^{(0)} = X, \quad k = 1, \dots, K \\
        \bar X_{p,i} &= \sum_k \alpha_{p,i,k} X^{(k)}_{p,i}, \quad
        Z_p = \operatorname{dropout}(\operatorname{relu}(\bar X_p W_p + c_p)) \\
        y_i &= W \operatorname{join}_p(Z_{p,i}) + b

    Sun, Li, Wu, Su, Li & Wang, `Breaking the Entanglement of Homophily and Heterophily in Semi-supervised Node
    Classification`, ICDE 2024 (arXiv 2312.04111). :math:`\hat M_p` are the words over :math:`A` and :math:`A^\top`
    (:class:`graphlab.directed.DirectedPatterns`); beside them the node's own features are pattern 0.

    The attention of a row is computed from that row alone, as the paper writes it; its code mixes nodes. Hops are
    transformed and scored by one product and weighed in the hidden width, so neither the concatenated hops nor
    their gradients are ever made.

    Args:
        in_channels: Node features.
        hidden_channels: Width of each pattern's hidden features.
        out_channels: Classes.
        num_hops: K, the steps of propagation.
        order: The length of the longest word over :math:`\{A, A^\top\}`; 2 gives six patterns.
        normalization: :math:`r` of :math:`\hat M = D^{r-1} M D^{-r}`, in [0, 1].
        decay: ``"none"`` for :math:`w_k = 1`; ``"log"`` for :math:`w_k = 1 - \ln k + 10^{-6}` of the paper's code,
            which is negative from k = 3 on.
        hop_attention: How hops are weighed: ``"original"`` (each beside all), ``"gate"`` (each alone), ``"ori_ref"``
            (each beside the features), ``"simple"`` (one number per hop) or ``"none"`` (their sum).
        pattern_attention: How patterns are joined: ``"original"`` (free numbers, concatenated), ``"gate"``,
            ``"ori_ref"`` or ``"jk"`` (softmax for each node, added up).
        num_layers: Hidden layers of each pattern.
        dropout: Fraction of hidden units dropped while training.

    Shapes:
        - **x:** ``(num_nodes, in_channels)``, dense or CSR
        - **edge_index:** ``(2, num_edges)``
        - **output:** ``(num_nodes, out_channels)``

    Raises:
        ValueError: An argument is out of its range.

    Example:
        >>> import torch
        >>> from graphlab.directed import ADPA
        >>> x, edge_index = torch.rand(4, 8), torch.tensor([[0, 1, 2], [1, 2, 3]])
        >>> model = ADPA(8, 16, 3).eval()
        >>> hops = model.precompute(x, edge_index)
        >>> rows = torch.tensor([2, 0])
        >>> bool(torch.allclose(model.classify(hops[rows]), model(x, edge_index)[rows], atol=1e-6))
        True
    """

    def __init__(
        self,
        in_channels: int,
        hidden_channels: int,
        out_channels: int,
        *,
        num_hops: int = 2,
        order: int = 2,
        normalization: float = 0.5,
        decay: Literal["none", "log"] = "none",
        hop_attention: str = "original",
        pattern_attention: str = "original",
        num_layers: int = 1,
        dropout: float = 0.5,
    ) -> None:
        super().__init__(in_channels)
        for name, value in (("hidden_channels", hidden_channels), ("num_layers", num_layers)):
            at_least(name, value, 1)
        for name, value, known in (
            ("decay", decay, ("none", "log")),
            ("hop_attention", hop_attention, HOP_ATTENTIONS),
            ("pattern_attention", pattern_attention, PATTERN_ATTENTIONS),
        ):
            one_of(name, value, known)
        self.num_hops, self.decay, self.dropout = at_least("num_hops", num_hops, 1), decay, share_to_drop(dropout)
        self.patterns = DirectedPatterns(order=order, normalization=normalization)
        self.num_patterns = len(self.patterns.names)
        branches = 1 + self.num_patterns
        # Pattern 0 is the node itself. Features come first: hop 0 meets all patterns in one product.
        self.weight = nn.Parameter(torch.empty(in_channels, branches, hidden_channels))
        self.bias = nn.Parameter(torch.empty(branches, hidden_channels))
        self.hop_attention = HOP_ATTENTIONS[hop_attention](self.num_patterns, num_hops, in_channels)
        deeper = (branches, hidden_channels, hidden_channels)
        self.hidden_weights = nn.ParameterList(nn.Parameter(torch.empty(deeper)) for _ in range(num_layers - 1))
        self.hidden_biases = nn.ParameterList(
            nn.Parameter(torch.empty(branches, hidden_channels)) for _ in range(num_layers - 1)
        )
        self.pattern_attention = PATTERN_ATTENTIONS[pattern_attention](branches, hidden_channels)
        self.head = nn.Linear(self.pattern_attention.out_channels, out_channels)
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Draw all parameters anew."""
        _draw(self.weight, self.bias, self.in_channels)
        for weight, bias in zip(self.hidden_weights, self.hidden_biases, strict=True):
            _draw(weight, bias, weight.size(1))
        self.hop_attention.reset_parameters()
        self.pattern_attention.reset_parameters()
        self.head.reset_parameters()

    @property
    def num_blocks(self) -> int:
        """K hops of each pattern."""
        return self.num_patterns * self.num_hops

    @property
    def recipe(self) -> str:
        """Patterns, hops and decay."""
        return f"ADPA(patterns={self.patterns}, num_hops={self.num_hops}, decay={self.decay!r})"

    def propagate(self, x: Tensor, edge_index: Any, edge_weight: Tensor | None = None) -> Iterator[Tensor]:
        """Hops 1 to K of the first pattern, then those of the next."""
        if edge_weight is not None:
            raise ValueError(
                "'edge_weight' must be None: directed patterns count walks, and edges have no weight; leave it out"
            )
        operators = self.patterns(edge_index, num_nodes=x.size(0))
        for operator in operators.values():
            hop = x
            for k in range(1, self.num_hops + 1):
                hop = operator @ (hop if self.decay == "none" else hop * (1 - math.log(k) + 1e-6))
                yield hop

    def classify(self, hops: HopFeatures) -> Tensor:
        """Compute the logits of the rows of what :meth:`precompute` gave."""
        self.check_hops(hops)
        first, scores, later = self._products(hops)
        alpha = self._alpha(scores, later)
        pooled = alpha[:, 0, :, None] * first[1:]
        pooled = pooled + (alpha[:, 1:, :, None] * later[..., : first.size(2)]).sum(1)
        return self.head(self.pattern_attention(self._transformed(torch.cat([first[:1], pooled]))))

    def attention(self, hops: HopFeatures) -> Tensor:
        """The weights of the hops, ``(num_patterns, num_hops + 1, num_nodes)``; they add up to 1 over hops.

        Args:
            hops: What :meth:`precompute` gave, or rows of it.
        """
        self.check_hops(hops)
        return self._alpha(*self._products(hops)[1:])

    def _alpha(self, scores: Tensor, later: Tensor) -> Tensor:
        return self.hop_attention(scores, later[..., self.weight.size(2) :])

    def _products(self, hops: HopFeatures) -> tuple[Tensor, Tensor, Tensor]:
        """Hop 0 times the weights of all patterns, and its scores; the further hops times both at once."""
        nodes, patterns, steps = len(hops), self.num_patterns, self.num_hops
        first_columns, later_columns = self.hop_attention.columns()
        # Hop 0 is the same for all patterns, and may be sparse.
        first = feature_matmul(hops.features, self.weight.flatten(1)).view(nodes, 1 + patterns, self.weight.size(2))
        scores = feature_matmul(hops.features, first_columns.transpose(0, 1).flatten(1))
        weight = self.weight[:, 1:].transpose(0, 1)[:, None].expand(-1, steps, -1, -1)
        columns = torch.cat([weight, later_columns], 3)
        later = torch.bmm(hops.propagated.transpose(0, 1), columns.flatten(0, 1))
        return (
            first.transpose(0, 1),
            scores.view(nodes, patterns, first_columns.size(2)).transpose(0, 1),
            later.view(patterns, steps, nodes, columns.size(3)),
        )

    def _transformed(self, hidden: Tensor) -> Tensor:
        """The hidden layers of all patterns at once."""
        hidden = self._activated(hidden + self.bias[:, None])
        for weight, bias in zip(self.hidden_weights, self.hidden_biases, strict=True):
            hidden = self._activated(torch.baddbmm(bias[:, None], hidden, weight))
        return hidden

    def _activated(self, hidden: Tensor) -> Tensor:
        return F.dropout(F.relu(hidden), self.dropout, self.training)


def _draw(weight: Tensor, bias: Tensor, inputs: int) -> None:
    """As ``torch.nn.Linear`` draws them."""
    bound = 1 / math.sqrt(max(1, inputs))
    nn.init.uniform_(weight, -bound, bound)
    nn.init.uniform_(bias, -bound, bound)
