"""What the recurrent aggregators share."""

import math
from typing import Any

import torch
from torch import Tensor, nn

from graphlab.aggr.base import GroupedAggregation, wide
from graphlab.ops.groups import make_groups
from graphlab.ops.step_plan import StepPlan, step_plan

States = tuple[Tensor, ...]


class RecurrentWeights(nn.Module):
    """The weights of one recurrent layer, under the names that torch gives them.

    Not a :class:`torch.nn.GRU` itself, because ``torch.compile`` refuses to touch one, even for its weights alone.

    Args:
        in_channels: Size of each element.
        out_channels: Size of each state.
        num_gates: 3 for a GRU, 4 for an LSTM.
    """

    def __init__(self, in_channels: int, out_channels: int, num_gates: int) -> None:
        super().__init__()
        rows = num_gates * out_channels
        self.weight_ih_l0 = nn.Parameter(torch.empty(rows, in_channels))
        self.weight_hh_l0 = nn.Parameter(torch.empty(rows, out_channels))
        self.bias_ih_l0 = nn.Parameter(torch.empty(rows))
        self.bias_hh_l0 = nn.Parameter(torch.empty(rows))

    def reset_parameters(self) -> None:
        """Draw all weights uniformly, as torch does."""
        bound = self.weight_hh_l0.size(1) ** -0.5
        for parameter in self.parameters():
            nn.init.uniform_(parameter, -bound, bound)

    def like(self, x: Tensor) -> list[Tensor]:
        """Return the weights in the dtype of the rows.

        Args:
            x: The rows.
        """
        return wide(self.weight_ih_l0, self.weight_hh_l0, self.bias_ih_l0, self.bias_hh_l0, like=x)


class RecurrentAggregation(GroupedAggregation):
    """Base of aggregators that read the elements of each group one after the other.

    Args:
        in_channels: Size of each element; -1 takes it from the first input.
        out_channels: Size of each result; ``None`` for ``in_channels``.
        random_order: Whether training draws the order of elements anew at each call.
        permutation: Weight of :meth:`permutation_loss` in the penalty that a forward pass in training leaves for
            :func:`graphlab.aggr.penalty`.

    Raises:
        ValueError: An argument is out of range.
    """

    rnn_name: str
    initial: nn.Parameter

    def __init__(
        self,
        in_channels: int = -1,
        out_channels: int | None = None,
        random_order: bool = False,
        permutation: float = 0.0,
    ) -> None:
        super().__init__(in_channels, out_channels)
        if not 0 <= permutation < math.inf:
            raise ValueError(f"'permutation' must be a weight >= 0, got {permutation!r}")
        self.random_order, self.permutation = random_order, permutation
        self._finish()

    def run(
        self, rows: Tensor, index: Tensor | None, ptr: Tensor | None, dim_size: int, seed: Tensor | None
    ) -> tuple[Tensor, States]:
        """Return each group's result and the states at each packed position.

        Args:
            rows: The elements.
            index: The group of each row.
            ptr: The boundaries of the groups.
            dim_size: The number of groups.
            seed: Draws a random order when given.
        """
        raise NotImplementedError

    def step(self, x: Tensor, states: States) -> States:
        """Read one element into each row of the states.

        Args:
            x: The elements.
            states: The states before.

        Shapes:
            - **x:** ``(rows, in_channels)``
            - **states, output:** ``(rows, out_channels)`` each
        """
        raise NotImplementedError

    def initial_states(self) -> States:
        """Return the states before the first element."""
        return (self.initial,)

    def aggregate(self, rows: Tensor, index: Tensor | None, ptr: Tensor | None, dim_size: int) -> Tensor:
        """Read the elements of each group, and leave the penalty.

        Args:
            rows: The elements.
            index: The group of each row.
            ptr: The boundaries of the groups.
            dim_size: The number of groups.
        """
        seed = torch.randint(2**62, (1,)) if self.training and self.random_order else None
        out, states = self.run(rows, index, ptr, dim_size, seed)
        if self.training and self.permutation:
            groups = make_groups(index, ptr, dim_size, rows.size(0))
            plan = step_plan(groups, None if seed is None else int(seed))
            self.last_penalty = self.permutation * self._swap_loss(rows, states, plan)
        return out

    def permutation_loss(
        self, x: Tensor, index: Tensor | None = None, ptr: Tensor | None = None, dim_size: int | None = None
    ) -> Tensor:
        r"""How much the state depends on the order of two neighbours, after a prefix of random length.

        .. math::
            \mathcal{L}_\text{swap} = \operatorname{mean}_i \| f(f(s_i, x_{i_t}), x_{i_{t+1}})
            - f(f(s_i, x_{i_{t+1}}), x_{i_t}) \|^2, \qquad s_i = \text{state after } x_{i_1} \dots x_{i_{t-1}}

        One :math:`t` is drawn uniformly per group of two or more elements. This is the pairwise loss quoted by Ong and
        Veličković, 2022, arXiv 2212.08541, at the prefixes of SIRE with chunks of one element: Cohen-Karlik, Ben David
        and Globerson, "Regularizing Towards Permutation Invariance in Recurrent Models", 2020, arXiv 2010.13055.

        Args:
            x: The elements.
            index: The group of each element.
            ptr: The boundaries of the groups.
            dim_size: The number of groups.

        Shapes:
            - **x:** ``(num_elements, in_channels)``
            - **output:** ``()``
        """
        groups = self.groups(x, index, ptr, dim_size)
        plan = step_plan(groups)
        rows = x if groups.perm is None else x.index_select(0, groups.perm)
        _, states = self.run(rows, None, groups.ptr, groups.num_groups, None)
        return self._swap_loss(x, states, plan)

    def _swap_loss(self, rows: Tensor, states: States, plan: StepPlan) -> Tensor:
        several = plan.size > 1
        begin, size = plan.begin[several], plan.size[several]
        if size.numel() == 0:
            return rows.new_zeros(())
        at = begin + (torch.rand(size.shape, device=rows.device) * (size - 1)).long()
        one, two = plan.position[at], plan.position[at + 1]
        before = plan.previous[one]
        elements = [rows.index_select(0, plan.gather[p]).view(-1, self.in_channels) for p in (one, two)]
        prefix = tuple(self._at(s, before, i) for s, i in zip(states, self.initial_states(), strict=True))
        (first, *_), (second, *_) = (self.step(elements[1 - i], self.step(elements[i], prefix)) for i in (0, 1))
        return (first - second).square().sum(1).mean()

    def _at(self, states: Tensor, position: Tensor, initial: Tensor) -> Tensor:
        (start,) = wide(initial, like=states)
        found = states.index_select(0, position.clamp(min=0))
        begins = (position < 0).view(-1, 1)
        return torch.where(begins, start.repeat(states.size(1) // start.numel()), found).view(-1, start.numel())

    def options(self) -> dict[str, Any]:
        """Return what ``repr`` shows after the sizes."""
        return {"random_order": self.random_order}

    def sizes_in(self, state: dict[str, Tensor]) -> tuple[int, int]:
        """Read the sizes off a checkpoint; one of PyG's ``GRUAggregation`` or ``LSTMAggregation`` will do.

        Args:
            state: The parameters by name.
        """
        names = (f"{self.rnn_name}.weight_{part}_l0" for part in ("ih", "hh"))
        in_channels, out_channels = (state[name].size(1) for name in names)
        return in_channels, out_channels

    def reset_parameters(self) -> None:
        """Draw all parameters anew; initial states start at zero."""
        super().reset_parameters()
        if self.in_channels != -1:
            for state in self.initial_states():
                nn.init.zeros_(state)
