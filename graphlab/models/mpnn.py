"""Recurrent message passing that answers questions about nodes and about whole graphs at once."""

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn
from torch_geometric.nn import MLP, MessagePassing
from torch_geometric.nn.aggr import Set2Set
from torch_geometric.utils import degree

from graphlab.models.aggregation import make_aggregation
from graphlab.models.config import MpnnConfig
from graphlab.models.problem import Problem


class PairConv(MessagePassing):
    r"""Messages from pairs, mixed into the receiver.

    .. math::
        x_i' = \mathrm{LeakyReLU}(W_3 W_2 [x_i \,\|\, \mathrm{aggr}_{j \to i}\, W_1 [x_i \| x_j]])

    The layer of Principal Neighbourhood Aggregation with one tower (Corso et al., 2020, arXiv
    2004.05718) and any aggregator in place of its degree-scaled four.

    Args:
        in_channels: number of node features.
        out_channels: number of channels of messages and output.
        aggr: name of the aggregator.

    Shapes:
        x ``[num_nodes, in_channels]``, edge_index ``[2, num_edges]``, output ``[num_nodes,
        out_channels]``.
    """

    def __init__(self, in_channels: int, out_channels: int, aggr: str) -> None:
        super().__init__(aggr=make_aggregation(aggr, out_channels))
        self.before = nn.Linear(2 * in_channels, out_channels)
        self.after = nn.Linear(in_channels + out_channels, out_channels)
        self.mix = nn.Sequential(nn.Linear(out_channels, out_channels), nn.LeakyReLU())

    def forward(self, x: Tensor, edge_index: Tensor) -> Tensor:
        """Send one round of messages."""
        received = self.propagate(edge_index, x=x)
        return self.mix(self.after(torch.cat([x, received], dim=-1)))

    def message(self, x_i: Tensor, x_j: Tensor) -> Tensor:
        """The message along each edge."""
        return self.before(torch.cat([x_i, x_j], dim=-1))


class Mpnn(nn.Module):
    r"""One layer, then one shared layer with a gated update.

    Graphs of :math:`N` nodes get :math:`N/2` rounds in all:

    .. math::
        h^{(1)} = \mathrm{conv}_1(x), \quad
        h^{(k)} = \mathrm{GRU}(\mathrm{conv}(h^{(k-1)}),\, h^{(k-1)})

    Half as many rounds as nodes let news travel across most graphs, as distances need. Node targets
    are read by a perceptron, graph targets by Set2Set and a perceptron.

    Args:
        config: width and aggregator.
        problem: widths; ``node_channels`` targets per node, ``out_channels`` per graph.

    Shapes:
        - x: ``[num_nodes, in_channels]``, edge_index: ``[2, num_edges]``, batch: ``[num_nodes]``,
        sorted
        - output: ``[num_nodes, node_channels]`` and ``[batch_size, out_channels]``

    Raises:
        ValueError: if the aggregator cannot be made.
    """

    def __init__(self, config: MpnnConfig, problem: Problem) -> None:
        super().__init__()
        width = config.hidden_channels
        self.first = PairConv(problem.in_channels, width, config.aggr)
        self.conv = PairConv(width, width, config.aggr)
        self.update = nn.GRUCell(width, width)
        self.node_head = _head(width, width, problem.node_channels)
        self.pool = Set2Set(width, processing_steps=3)
        self.graph_head = _head(2 * width, width, problem.out_channels)

    def forward(
        self,
        x: Float[Tensor, "nodes in"],
        edge_index: Int[Tensor, "2 edges"],
        batch: Int[Tensor, " nodes"],
        batch_size: int,
    ) -> tuple[Float[Tensor, "nodes targets"], Float[Tensor, "graphs targets"]]:
        """Predict every node's and every graph's targets."""
        largest = int(degree(batch, batch_size).max())
        x = self.first(x, edge_index)
        for _ in range(largest // 2 - 1):
            x = self.update(self.conv(x, edge_index), x)
        return self.node_head(x), self.graph_head(self.pool(x, batch, dim_size=batch_size))


def _head(in_channels: int, width: int, out_channels: int) -> nn.Module:
    return MLP([in_channels, width, width, out_channels], act="leaky_relu", norm=None)
