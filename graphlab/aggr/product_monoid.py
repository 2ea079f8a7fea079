"""An exactly associative learnable aggregator: a product of monoids between learned maps."""

from typing import Any

import torch
from torch import Tensor, nn

from graphlab.aggr.base import GroupedAggregation, apply_wide
from graphlab.ops.groups import group_index
from graphlab.ops.segment import segment_logsumexp, segment_sum, segment_topk

FACTORS = ("sum", "softmax", "topk")
# Numbers per channel in a factor's state; the top k have k.
_LEAVES = {"sum": 1, "softmax": 2}


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
        if not isinstance(k, int) or isinstance(k, bool) or k < 1:
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
        enters = sum(2 if factor == "softmax" else 1 for factor in self.factors)
        leaves = sum(_LEAVES.get(factor, self.k) for factor in self.factors)
        self.enter = nn.Linear(in_channels, enters * out_channels)
        self.leave = nn.Linear(leaves * out_channels, out_channels)
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
        state = self._reduce(rows.view(rows.size(0) * batch, self.in_channels), batch, index, dim_size)
        empty = segment_sum(rows.new_ones(rows.size(0), 1), index, dim_size) == 0
        out = apply_wide(self.leave, self._finite(state)).view(dim_size, batch * self.out_channels)
        return torch.where(empty, self.identity.to(out.dtype).repeat(batch), out)

    def lift(self, x: Tensor) -> Tensor:
        """Turn elements into states of the product monoid, which :meth:`combine` adds.

        Args:
            x: The elements.

        Shapes:
            - **x:** ``(num_elements, in_channels)``
            - **output:** ``(num_elements, state_channels)``
        """
        return self._reduce(x, 1, torch.arange(x.size(0), device=x.device), x.size(0))

    def combine(self, a: Tensor, b: Tensor) -> Tensor:
        r"""Add states: sums add, softmax states merge by their weights, of both top :math:`k` the largest stay.

        Args:
            a: First states.
            b: Second states.

        Shapes:
            - **a, b, output:** ``(num_pairs, state_channels)``
        """
        merged: list[Tensor] = []
        parts = zip(*(self._factors(state) for state in (a, b)), strict=True)
        for factor, (one, two) in zip(self.factors, parts, strict=True):
            if factor == "sum":
                merged.append(one + two)
            elif factor == "softmax":
                merged.append(_merge_softmax(one, two))
            else:
                both = torch.cat([one, two], 1).unflatten(1, (2 * self.k, self.out_channels))
                merged.append(both.topk(self.k, 1).values.flatten(1))
        return torch.cat(merged, 1)

    def _factors(self, state: Tensor) -> tuple[Tensor, ...]:
        return state.split([_LEAVES.get(factor, self.k) * self.out_channels for factor in self.factors], 1)

    def _reduce(self, elements: Tensor, batch: int, index: Tensor, dim_size: int) -> Tensor:
        """The state of each group, one row per part."""
        width = batch * self.out_channels
        entered = apply_wide(self.enter, elements).split(self.out_channels, 1)
        parts = iter(part.reshape(elements.size(0) // batch, width) for part in entered)
        state: list[Tensor] = []
        for factor in self.factors:
            if factor == "sum":
                state.append(segment_sum(next(parts), index, dim_size))
            elif factor == "softmax":
                state += _softmax_state(next(parts), next(parts), index, dim_size)
            else:
                nothing = elements.new_full((width,), -torch.inf)
                state += segment_topk(next(parts), index, dim_size, self.k, nothing).unbind(1)
        return torch.cat([part.reshape(dim_size * batch, self.out_channels) for part in state], 1)

    def _finite(self, state: Tensor) -> Tensor:
        """The state with learned values for the places that no element fills."""
        missing = self.missing.to(state.dtype).repeat(state.size(1) // self.out_channels)
        return torch.where(state == -torch.inf, missing, state)

    def options(self) -> dict[str, Any]:
        """Return what ``repr`` shows after the sizes."""
        return {"k": self.k, "factors": self.factors}

    def sizes_in(self, state: dict[str, Tensor]) -> tuple[int, int]:
        """Read the sizes off a checkpoint.

        Args:
            state: The parameters by name.
        """
        return state["enter.weight"].size(1), state["leave.weight"].size(0)


def _softmax_state(logits: Tensor, values: Tensor, index: Tensor, dim_size: int) -> list[Tensor]:
    total = segment_logsumexp(logits, index, dim_size)
    weights = (logits - total[index]).exp()
    return [total, segment_sum(weights * values, index, dim_size)]


def _merge_softmax(one: Tensor, two: Tensor) -> Tensor:
    (total_one, mean_one), (total_two, mean_two) = one.chunk(2, 1), two.chunk(2, 1)
    total = torch.logaddexp(total_one, total_two)
    return torch.cat([total, (total_one - total).exp() * mean_one + (total_two - total).exp() * mean_two], 1)
