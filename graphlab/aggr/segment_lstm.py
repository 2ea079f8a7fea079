"""LSTM aggregation without padding."""

import torch
from torch import Tensor, nn

from graphlab.aggr.base import wide
from graphlab.aggr.recurrent import RecurrentAggregation, RecurrentWeights, States
from graphlab.ops.segment_lstm import segment_lstm


class SegmentLSTMAggregation(RecurrentAggregation):
    r"""Reads the elements of each group with an LSTM and returns its last hidden state.

    .. math::
        (h_0, c_0) = s, \qquad (h_t, c_t) = \mathrm{LSTMCell}(x_{i_t}, h_{t-1}, c_{t-1}), \qquad y_i = h_{n_i}

    The aggregator of Hamilton, Ying and Leskovec, "Inductive Representation Learning on Large Graphs", 2017, arXiv
    1706.02216. Elements are read in the order in which they are stored. Unlike
    :class:`torch_geometric.nn.aggr.LSTMAggregation` it never pads: a result depends on its own group only, an empty
    group gives the learnable :math:`h_0`, and time and memory are :math:`O(E)` in both directions.

    Args:
        in_channels: Size of each element; -1 takes it from the first input.
        out_channels: Size of each result; ``None`` for ``in_channels``.
        random_order: Whether training draws the order of elements anew at each call.
        permutation: Weight of :meth:`permutation_loss` in the penalty that a forward pass in training leaves for
            :func:`graphlab.aggr.penalty`.

    Shapes:
        - **x:** ``(*, num_elements, in_channels)``
        - **index:** ``(num_elements,)``, in any order, or **ptr:** ``(dim_size + 1,)``
        - **output:** ``(*, dim_size, out_channels)``

    Raises:
        ValueError: An argument is out of range.

    Example:
        >>> import torch
        >>> from graphlab.aggr import SegmentLSTMAggregation
        >>> aggr = SegmentLSTMAggregation(16, 32)
        >>> aggr(torch.randn(5, 16), torch.tensor([2, 0, 0, 2, 2]), dim_size=4).shape
        torch.Size([4, 32])
    """

    rnn_name = "lstm"

    def build(self, in_channels: int, out_channels: int) -> None:
        """Make the LSTM and its initial states.

        Args:
            in_channels: Size of each element.
            out_channels: Size of each result.
        """
        self.lstm = RecurrentWeights(in_channels, out_channels, 4)
        self.initial = nn.Parameter(torch.zeros(out_channels))
        self.initial_cell = nn.Parameter(torch.zeros(out_channels))

    def initial_states(self) -> States:
        """Return the hidden and the cell state before the first element."""
        return self.initial, self.initial_cell

    def run(
        self, rows: Tensor, index: Tensor | None, ptr: Tensor | None, dim_size: int, seed: Tensor | None
    ) -> tuple[Tensor, States]:
        """Return each group's last hidden state and the states at each packed position.

        Args:
            rows: The elements.
            index: The group of each row.
            ptr: The boundaries of the groups.
            dim_size: The number of groups.
            seed: Draws a random order when given.
        """
        start = wide(*self.initial_states(), like=rows)
        weights = self.lstm.like(rows)
        out, *states = segment_lstm(rows, *weights, *start, index=index, ptr=ptr, dim_size=dim_size, seed=seed)
        return out, tuple(states)

    def step(self, x: Tensor, states: States) -> States:
        """Read one element into each row of the states.

        Args:
            x: The elements.
            states: The states before.
        """
        return torch.lstm_cell(x, states, *self.lstm.like(x))
