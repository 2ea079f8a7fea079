"""What SPEN reads off each ego net in the end."""

import math

import torch
from torch import Tensor, nn

from graphlab.ops import gather_reduce
from graphlab.subgraph.class_linear import class_linear
from graphlab.subgraph.pair_plan import PairPlan


class SPENReadout(nn.Module):
    r"""Invariant linear maps of every ego net (Mitton and Murray-Smith, 2021, arXiv 2111.11840).

    .. math::
        y_v = L^{20}_{w(m_v)} X^v \,\Vert\, L^{10}_{w(m_v)} x^v

    Args:
        in_channels: Width of the features of pairs.
        node_channels: Width of the features of nodes.
        out_channels: Width of the result of each map.
        num_classes: Number of classes of bags with weights of their own. Default: 1.

    Shapes:
        - **x:** ``(num_pairs, in_channels)``
        - **x_node:** ``(num_nodes, node_channels)``
        - **output:** ``(num_bags, 2 * out_channels)``
    """

    def __init__(self, in_channels: int, node_channels: int, out_channels: int, num_classes: int = 1) -> None:
        super().__init__()
        self.in_channels, self.node_channels, self.out_channels = in_channels, node_channels, out_channels
        self.weight20 = nn.Parameter(torch.empty(num_classes, 2, in_channels, out_channels))
        self.weight10 = nn.Parameter(torch.empty(num_classes, 1, node_channels, out_channels))
        self.bias = nn.Parameter(torch.empty(num_classes, 2 * out_channels))
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Draw the weights from a normal distribution of variance ``2 / (in + out)``; biases are zero."""
        for weight in (self.weight20, self.weight10):
            nn.init.normal_(weight, std=math.sqrt(2 / (weight.size(2) + self.out_channels)))
        nn.init.zeros_(self.bias)

    def forward(self, x: Tensor, x_node: Tensor, plan: PairPlan) -> Tensor:
        """Return a vector of each bag, in the order of the plan.

        Args:
            x: Features of pairs.
            x_node: Features of nodes.
            plan: The pairs and bags.
        """
        of_pairs = plan.bag_means(plan.vectors(x))[:, : 2 * self.in_channels]
        of_nodes = plan.bag_means(gather_reduce(x_node, plan.node_at_place))
        mapped = [
            class_linear(of_pairs, self.weight20.flatten(1, 2), plan.bag_ptr),
            class_linear(of_nodes, self.weight10.flatten(1, 2), plan.bag_ptr),
        ]
        return torch.cat(mapped, dim=1) + self.bias[plan.kind]

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.in_channels}, {self.node_channels}, {self.out_channels})"
