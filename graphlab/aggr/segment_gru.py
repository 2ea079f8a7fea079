"""GRU aggregation without padding."""

import torch
from torch import Tensor, nn

from graphlab.aggr.base import wide
from graphlab.aggr.recurrent import RecurrentAggregation, RecurrentWeights, States
from graphlab.ops.segment_gru import segment_gru


class SegmentGRUAggregation(RecurrentAggregation):
    r"""Reads the elements of each group with a GRU and returns its last state.

    .. math::
        h_0 = s, \qquad h_t = \mathrm{GRUCell}(x_{i_t}, h_{t-1}), \qquad y_i = h_{n_i}

    Elements are read in the order in which they are stored. Unlike :class:`torch_geometric.nn.aggr.GRUAggregation` it
    never pads: a result depends on its own group only, an empty group gives the learnable :math:`s`, and time and
    memory are :math:`O(E)` in both directions.

    Args:
        in_channels: Size of each element; -1 takes it from the first input.
        out_channels: Size of each result; ``None`` for ``in_channels``.
        random_order: Whether training draws the order of elements anew at each call, as Ong and Veličković, 2022,
            arXiv 2212.08541 do.
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
        >>> from graphlab.aggr import SegmentGRUAggregation
        >>> aggr = SegmentGRUAggregation(16, 32)
        >>> aggr(torch.randn(5, 16), torch.tensor([2, 0, 0, 2, 2]), dim_size=4).shape
        torch.Size([4, 32])
    """

    rnn_name = "gru"

    def build(self, in_channels: int, out_channels: int) -> None:
        """Make the GRU and its initial state.

        Args:
            in_channels: Size of each element.
            out_channels: Size of each result.
        """
        self.gru = RecurrentWeights(in_channels, out_channels, 3)
        self.initial = nn.Parameter(torch.zeros(out_channels))

    def run(
        self, rows: Tensor, index: Tensor | None, ptr: Tensor | None, dim_size: int, seed: Tensor | None
    ) -> tuple[Tensor, States]:
        """Return each group's last state and the states at each packed position.

        Args:
            rows: The elements.
            index: The group of each row.
            ptr: The boundaries of the groups.
            dim_size: The number of groups.
            seed: Draws a random order when given.
        """
        (start,) = wide(self.initial, like=rows)
        weights = self.gru.like(rows)
        out, states = segment_gru(rows, *weights, initial=start, index=index, ptr=ptr, dim_size=dim_size, seed=seed)
        return out, (states,)

    def step(self, x: Tensor, states: States) -> States:
        """Read one element into each row of the state.

        Args:
            x: The elements.
            states: The state before.
        """
        return (torch.gru_cell(x, states[0], *self.gru.like(x)),)
