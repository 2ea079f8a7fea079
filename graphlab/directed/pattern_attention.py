"""How much each pattern counts for a node, and how their hidden features become one."""

import math
from abc import ABC, abstractmethod

import torch
from torch import Tensor, nn


class PatternAttention(nn.Module, ABC):
    r"""Base of the ways to join the hidden features :math:`Z_p` of all patterns; pattern 0 is the node itself.

    Sun et al., 2024 (arXiv 2312.04111).

    Args:
        num_patterns: P, the node itself included.
        channels: h, the width of each pattern's hidden features.

    Shapes:
        - **hidden:** ``(P, num_nodes, h)``
        - **output:** ``(num_nodes, out_channels)``
    """

    def __init__(self, num_patterns: int, channels: int) -> None:
        super().__init__()
        self.num_patterns, self.channels = num_patterns, channels

    @property
    def out_channels(self) -> int:
        """The width of the result."""
        return self.channels

    @abstractmethod
    def weights(self, hidden: Tensor) -> Tensor:
        """The weight of each pattern, ``(P, num_nodes)``."""

    def reset_parameters(self) -> None:
        """Draw all parameters anew, as ``torch.nn.Linear`` draws them."""
        inputs = max(parameter.size(-1) for parameter in self.parameters())
        for parameter in self.parameters():
            nn.init.uniform_(parameter, -1 / math.sqrt(inputs), 1 / math.sqrt(inputs))

    def forward(self, hidden: Tensor) -> Tensor:
        """Add the patterns up by their weights."""
        return torch.einsum("pn,pnh->nh", self.weights(hidden), hidden)

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.num_patterns}, {self.channels})"


class ConcatPatterns(PatternAttention):
    r"""All patterns side by side, each times a free number: :math:`[\beta_0 Z_0 \| \dots \| \beta_P Z_P]`."""

    def __init__(self, num_patterns: int, channels: int) -> None:
        super().__init__(num_patterns, channels)
        self.scale = nn.Parameter(torch.empty(num_patterns))
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Draw the numbers from the standard normal distribution, as the paper's code does."""
        nn.init.normal_(self.scale)

    @property
    def out_channels(self) -> int:
        """The width of all patterns together."""
        return self.num_patterns * self.channels

    def weights(self, hidden: Tensor) -> Tensor:
        """The same number for each node."""
        return self.scale[:, None].expand(-1, hidden.size(1))

    def forward(self, hidden: Tensor) -> Tensor:
        """Scale and concatenate."""
        return (hidden * self.scale[:, None, None]).transpose(0, 1).flatten(1)


class GatePatternAttention(PatternAttention):
    r"""Each pattern alone: :math:`\operatorname{softmax}_p \sigma(u^\top Z_{p,i} + b)`."""

    def __init__(self, num_patterns: int, channels: int) -> None:
        super().__init__(num_patterns, channels)
        self.weight = nn.Parameter(torch.empty(channels))
        self.bias = nn.Parameter(torch.empty(1))
        self.reset_parameters()

    def weights(self, hidden: Tensor) -> Tensor:
        """Weights of each node."""
        return (hidden @ self.weight + self.bias).sigmoid().softmax(0)


class ReferencePatternAttention(PatternAttention):
    r"""Each pattern beside the node: :math:`\operatorname{softmax}_p \sigma(u^\top [Z_{0,i} \| Z_{p,i}] + b)`."""

    def __init__(self, num_patterns: int, channels: int) -> None:
        super().__init__(num_patterns, channels)
        self.weight = nn.Parameter(torch.empty(2 * channels))
        self.bias = nn.Parameter(torch.empty(1))
        self.reset_parameters()

    def weights(self, hidden: Tensor) -> Tensor:
        """Weights of each node."""
        of_self, of_pattern = self.weight.split(self.channels)
        return (hidden @ of_pattern + hidden[0] @ of_self + self.bias).sigmoid().softmax(0)


class JointPatternAttention(PatternAttention):
    r"""All patterns together: :math:`\operatorname{softmax} \sigma(U [Z_{0,i} \| \dots \| Z_{P,i}] + b)`."""

    def __init__(self, num_patterns: int, channels: int) -> None:
        super().__init__(num_patterns, channels)
        self.score = nn.Linear(num_patterns * channels, num_patterns)

    def reset_parameters(self) -> None:
        """Draw all parameters anew."""
        self.score.reset_parameters()

    def weights(self, hidden: Tensor) -> Tensor:
        """Weights of each node."""
        return self.score(hidden.transpose(0, 1).flatten(1)).sigmoid().softmax(1).t()


#: The kinds of attention by the names that the paper's code gives them.
PATTERN_ATTENTIONS: dict[str, type[PatternAttention]] = {
    "original": ConcatPatterns,
    "gate": GatePatternAttention,
    "ori_ref": ReferencePatternAttention,
    "jk": JointPatternAttention,
}
