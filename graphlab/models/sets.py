"""A network on multisets of integers."""

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn

from graphlab.models.aggregation import make_aggregation
from graphlab.models.config import SetConfig
from graphlab.models.problem import Problem


class BitEmbedding(nn.Module):
    r"""Embeds an integer by its bits :math:`b_i`.

    The embedding is :math:`\sum_i b_i\, u_i + (1 - b_i)\, v_i` with learned :math:`u_i, v_i`.

    Args:
        bits: number of bits of an integer, the highest first.
        channels: width of the embedding.

    Shapes:
        input ``[...]`` of integers in ``[0, 2**bits)``, output ``[..., channels]``.
    """

    def __init__(self, bits: int, channels: int) -> None:
        super().__init__()
        self.one = nn.Parameter(torch.randn(bits, channels) / bits**0.5)
        self.zero = nn.Parameter(torch.randn(bits, channels) / bits**0.5)

    def forward(self, values: Int[Tensor, "..."]) -> Float[Tensor, "... channels"]:
        """Embed every integer."""
        places = torch.arange(self.one.size(0) - 1, -1, -1, device=values.device)
        bits = (values.unsqueeze(-1) >> places & 1).to(self.one.dtype)
        return bits @ self.one + (1 - bits) @ self.zero


class SetNet(nn.Module):
    r"""Encoder, aggregator, decoder: :math:`\psi(\bigoplus_{x \in X} \varphi(x))`.

    The network of "Learnable Commutative Monoids for Graph Neural Networks" (Ong and Veličković,
    2022, arXiv 2212.08541) for the second minimum: :math:`\varphi` embeds the bits of an integer
    and applies a linear layer and GELU; :math:`\psi` is a perceptron with one logit per bit of the
    answer.

    Args:
        config: width and aggregator.
        problem: number of bits in and out.

    Shapes:
        - values: ``[num_elements]`` integers, ptr: ``[num_sets + 1]``
        - output: ``[num_sets, out_channels]`` logits

    Raises:
        ValueError: if the aggregator cannot be made.
    """

    def __init__(self, config: SetConfig, problem: Problem) -> None:
        super().__init__()
        width = config.hidden_channels
        self.embedding = BitEmbedding(problem.in_channels, width)
        self.encoder = nn.Sequential(nn.Linear(width, width), nn.GELU())
        self.aggregation = make_aggregation(config.aggr, width)
        self.decoder = nn.Sequential(nn.Linear(width, width), nn.GELU(), nn.Linear(width, problem.out_channels))

    def forward(self, values: Int[Tensor, " elements"], ptr: Int[Tensor, " sets_1"]) -> Float[Tensor, "sets out"]:
        """Compute the logits of each set's answer."""
        num_sets = ptr.numel() - 1
        index = torch.arange(num_sets, device=ptr.device).repeat_interleave(ptr.diff())
        elements = self.encoder(self.embedding(values))
        return self.decoder(self.aggregation(elements, index, dim_size=num_sets))
