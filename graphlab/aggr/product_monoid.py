"""An exactly associative learnable aggregator: a product of monoids between learned maps."""

from typing import Any

import torch
from torch import Tensor, nn

from graphlab.aggr.base import GroupedAggregation, apply_wide
from graphlab.ops.groups import group_index
from graphlab.ops.segment import segment_logsumexp, segment_sum, segment_topk

FACTORS = ("sum", "softmax", "topk")


class ProductMonoidAggregation(GroupedAggregation):
    r"""Maps elements into a product of commutative monoids, adds them up there, and maps back.

    .. math::
        y_i = W_\text{out} \Big[ \sum_j s_j, \; \log \sum_j e^{a_j}, \; \sum_j \operatorname{softmax}_j(a_j) \, v_j, \;
        \operatorname{top}_k \{ t_j \} \Big], \qquad [s_j, a_j, v_j, t_j] = W_\text{in} x_j

    All three factors are exactly associative and commutative for any weights, channel by channel: the sum; the softmax
    state :math:`(\log \sum e^{a}, \sum e^{a} v / \sum e^{a})`; and the :math:`k` largest values, which merge by keeping
    the :math:`k` largest of both. The last one holds minimum, maximum, median-of-three and the 2nd minimum exactly. No
    tree is needed. An empty group gives a learnable identity; missing places among the top :math:`k` a learnable value.

    Ours; an answer to the question for expressive associative constructions that Ong and Veličković, 2022, arXiv
    2212.08541 leave open.

    Args:
        in_channels: Size of each element; -1 takes it from the first input.
        out_channels: Size of each result and of each factor; ``None`` for ``in_channels``.
        k: How many largest values are kept per channel.
        factors: Which monoids take part: any of ``"sum"``, ``"softmax"``, ``"topk"``. The sum grows with the group; for
            a task whose answer does not, leaving it out helps on groups larger than those trained on.

    Shapes:
        - **x:** ``(*, num_elements, in_channels)``
        - **index:** ``(num_elements,)``, in any order, or **ptr:** ``(dim_size + 1,)``
        - **output:** ``(*, dim_size, out_channels)``

    Raises:
        ValueError: An argument is out of range.

    Example:
        >>> import torch
        >>> from graphlab.aggr import ProductMonoidAggregation
        >>> aggr = ProductMonoidAggregation(16, 32, k=2)
        >>> aggr(torch.randn(5, 16), torch.tensor([2, 0, 0, 2, 2]), dim_size=4).shape
        torch.Size([4, 32])
    """

    identity: nn.Parameter

    def __init__(
        self,
        in_channels: int = -1,
        out_channels: int | None = None,
        k: int = 2,
        factors: tuple[str, ...] = FACTORS,
    ) -> None:
        super().__init__(in_channels, out_channels)
        if not isinstance(k, int) or k < 1:
            raise ValueError(f"'k' must be a positive integer, got {k!r}")
        unknown = [factor for factor in factors if factor not in FACTORS]
        if unknown or not factors:
            raise ValueError(f"'factors' must be some of {', '.join(map(repr, FACTORS))}, got {tuple(factors)!r}")
        self.k, self.factors = k, tuple(factors)
        self._finish()

    def build(self, in_channels: int, out_channels: int) -> None:
        """Make the maps into and out of the product, the identity and the missing value.

        Args:
            in_channels: Size of each element.
            out_channels: Size of each result.
        """
        enters = {"sum": 1, "softmax": 2, "topk": 1}
        leaves = {"sum": 1, "softmax": 2, "topk": self.k}
        self.enter = nn.Linear(in_channels, out_channels * sum(enters[f] for f in self.factors))
        self.leave = nn.Linear(out_channels * sum(leaves[f] for f in self.factors), out_channels)
        self.identity = nn.Parameter(torch.zeros(out_channels))
        self.missing = nn.Parameter(torch.zeros(out_channels))

    def reset_parameters(self) -> None:
        """Draw all parameters anew; identity and missing value start at zero."""
        super().reset_parameters()
        if self.in_channels != -1:
            nn.init.zeros_(self.identity)
            nn.init.zeros_(self.missing)

    def aggregate(self, rows: Tensor, index: Tensor | None, ptr: Tensor | None, dim_size: int) -> Tensor:
        """Reduce every factor, and map back.

        Args:
            rows: The elements.
            index: The group of each row.
            ptr: The boundaries of the groups.
            dim_size: The number of groups.
        """
        index = group_index(index, ptr, dim_size, rows.size(0))
        batch = rows.size(1) // self.in_channels
        entered = apply_wide(self.enter, rows.view(rows.size(0) * batch, self.in_channels))
        parts = iter(entered.split(self.out_channels, 1))
        empty = segment_sum(rows.new_ones(rows.size(0), 1), index, dim_size) == 0
        state: list[Tensor] = []
        for factor in self.factors:
            taken = [
                next(parts).reshape(rows.size(0), batch * self.out_channels) for _ in range(1 + (factor == "softmax"))
            ]
            state += self._reduce(factor, taken, index, dim_size, empty)
        merged = torch.cat([part.reshape(dim_size * batch, self.out_channels) for part in state], 1)
        out = apply_wide(self.leave, merged).view(dim_size, batch * self.out_channels)
        return torch.where(empty, self.identity.to(out.dtype).repeat(batch), out)

    def _reduce(self, factor: str, parts: list[Tensor], index: Tensor, dim_size: int, empty: Tensor) -> list[Tensor]:
        if factor == "sum":
            return [segment_sum(parts[0], index, dim_size)]
        if factor == "softmax":
            logits, values = parts
            total = torch.where(empty, 0.0, segment_logsumexp(logits, index, dim_size))
            weights = (logits - total[index]).exp()
            return [total, segment_sum(weights * values, index, dim_size)]
        missing = self.missing.to(parts[0].dtype).repeat(parts[0].size(1) // self.out_channels)
        return list(segment_topk(parts[0], index, dim_size, self.k, missing).unbind(1))

    def options(self) -> dict[str, Any]:
        """Return what ``repr`` shows after the sizes."""
        return {"k": self.k, "factors": self.factors}

    def sizes_in(self, state: dict[str, Tensor]) -> tuple[int, int]:
        """Read the sizes off a checkpoint.

        Args:
            state: The parameters by name.
        """
        return state["enter.weight"].size(1), state["leave.weight"].size(0)
