"""The layer of SPEN: equivariant maps on every ego net at once, pooled back to the pairs of the graph."""

import math

import torch
from torch import Tensor, nn

from graphlab.ops import bag_product, bag_spread, gather_reduce
from graphlab.subgraph.class_linear import class_linear
from graphlab.subgraph.pair_plan import PairPlan
from graphlab.subgraph.transpose_pairs import transpose_pairs

# Rows: the operations that read the diagonal, the row means and the column means; columns: those that write the
# diagonal, the rows, the columns. Numbers are those of the basis of order 2 -> 2.
_VECTORS = [[0, 11, 12], [2, 6, 8], [3, 5, 7]]
_SCALARS = [[13, 1], [14, 4]]  # of the mean of the diagonal and of all; to all and to the diagonal
_FROM_PAIRS, _TO_NODES, _FROM_NODES, _NODES = 15, 5, 5, 2


class SPENConv(nn.Module):
    r"""Equivariant linear maps on every ego net, pooled back by mean (Mitton and Murray-Smith, 2021, arXiv 2111.11840).

    .. math::
        Y^v = L^{22}_{w(m_v)} X^v \,\Vert\, L^{12}_{w(m_v)} x^v, \qquad
        X'_{ij} = \operatorname*{mean}_{v : i, j \in S_v} Y^v_{ij}

    and likewise for nodes with :math:`L^{21}` and :math:`L^{11}`, where :math:`X^v` and :math:`x^v` are the features of
    the pairs and nodes of the bag :math:`S_v`, and :math:`w` is its class of sizes. What is computed is the same, but
    no bag's :math:`m^2` features are ever written: the maps are linear, so means over a bag are gathered from the
    pairs, and results are pooled from rows and columns. Memory is that of the pairs and of the places in bags.

    Args:
        in_channels: Width of the features of pairs.
        node_channels: Width of the features of nodes; 0 where there are none, in a first layer.
        out_channels: Width of the result of each map; results of several maps stand side by side.
        num_classes: Number of classes of bags with weights of their own. Default: 1.
        product: Whether to add the matrix product of two maps inside each bag, see :func:`graphlab.ops.bag_product`.
            Default: no.

    Shapes:
        - **x:** ``(num_pairs, in_channels)``
        - **x_node:** ``(num_nodes, node_channels)`` or ``None``
        - **output:** ``(num_pairs, pair_channels)`` and ``(num_nodes, node_out_channels)``

    Raises:
        ValueError: Features do not fit the plan or the layer.
    """

    weight12: nn.Parameter
    weight11: nn.Parameter

    def __init__(
        self, in_channels: int, node_channels: int, out_channels: int, num_classes: int = 1, product: bool = False
    ) -> None:
        super().__init__()
        self.in_channels, self.node_channels, self.out_channels = in_channels, node_channels, out_channels
        self.num_classes, self.product = num_classes, product
        maps = 2 if node_channels else 1
        self.node_out_channels = maps * out_channels
        self.pair_channels = self.node_out_channels + (out_channels if product else 0)
        self.weight22 = nn.Parameter(torch.empty(num_classes, _FROM_PAIRS, in_channels, out_channels))
        self.weight21 = nn.Parameter(torch.empty(num_classes, _TO_NODES, in_channels, out_channels))
        # A parameter that nothing uses would stop distributed training.
        for name, count in (("weight12", _FROM_NODES), ("weight11", _NODES)):
            weight = torch.empty(num_classes, count, node_channels, out_channels)
            self.register_parameter(name, nn.Parameter(weight) if node_channels else None)
        self.bias = nn.Parameter(torch.empty(num_classes, 3, self.node_out_channels))
        self.factors = nn.Linear(in_channels, 2 * out_channels) if product else None
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Draw the weights from a normal distribution of variance ``2 / (in + out)``; biases are zero."""
        from_nodes = (self.weight12, self.weight11) if self.node_channels else ()
        for weight in (self.weight22, self.weight21, *from_nodes):
            nn.init.normal_(weight, std=math.sqrt(2 / (weight.size(2) + self.out_channels)))
        nn.init.zeros_(self.bias)
        if self.factors is not None:
            self.factors.reset_parameters()

    def forward(self, x: Tensor, x_node: Tensor | None, plan: PairPlan) -> tuple[Tensor, Tensor]:
        """Return the new features of pairs and of nodes.

        Args:
            x: Features of pairs.
            x_node: Features of nodes, if the layer takes any.
            plan: The pairs and bags.
        """
        self._check(x, x_node, plan)
        found = [self._pooled(*self._from_pairs(plan.vectors(x), plan), plan)]
        # In place, as features of pairs are what takes the memory.
        found[0][0].add_(self._alone(x, plan))
        if x_node is not None:
            places = gather_reduce(x_node, plan.node_at_place)
            found.append(self._pooled(*self._from_nodes(places, plan), plan))
        pairs, nodes = map(list, zip(*found, strict=True))
        if self.factors is not None:
            pairs.append(self._multiplied(x, plan))
        return _side_by_side(pairs), _side_by_side(nodes)

    def _from_pairs(self, vectors: Tensor, plan: PairPlan) -> tuple[Tensor, Tensor]:
        to_lines, to_points = self.weight22[:, _VECTORS], self.weight21[:, [[0], [2], [3]]]
        to_bags = torch.cat([self.weight22[:, _SCALARS], self.weight21[:, [[1], [4]]]], 2)
        scalars = plan.bag_means(vectors)[:, : 2 * self.in_channels]
        return self._spread(vectors, scalars, (to_lines, to_points, to_bags), 0, plan)

    def _from_nodes(self, places: Tensor, plan: PairPlan) -> tuple[Tensor, Tensor]:
        to_lines, to_points = self.weight12[:, [[0, 3, 2]]], self.weight11[:, [[0]]]
        to_bags = torch.cat([self.weight12[:, [[4, 1]]], self.weight11[:, [[1]]]], 2)
        scalars = plan.bag_means(places)
        return self._spread(places, scalars, (to_lines, to_points, to_bags), 1, plan)

    def _spread(
        self, vectors: Tensor, scalars: Tensor, weights: tuple[Tensor, ...], part: int, plan: PairPlan
    ) -> tuple[Tensor, Tensor]:
        """What each place gives to its diagonal entry, row and column, and to its node."""
        to_lines, to_points, to_bags = map(_matrix, weights)
        width = self.out_channels
        bias = self.bias[:, :, part * width : (part + 1) * width].flatten(1)
        of_bag = class_linear(scalars, to_bags, plan.bag_ptr) + bias[plan.kind]
        to_all, to_diagonal, to_point = of_bag.split(width, dim=1)
        # What goes to all goes by rows.
        to_line = torch.cat([to_diagonal, to_all, torch.zeros_like(to_all)], dim=1)
        lines = class_linear(vectors, to_lines, plan.place_ptr).add_(gather_reduce(to_line, plan.bag_at_place))
        points = class_linear(vectors, to_points, plan.place_ptr).add_(gather_reduce(to_point, plan.bag_at_place))
        return lines, points

    def _pooled(self, lines: Tensor, points: Tensor, plan: PairPlan) -> tuple[Tensor, Tensor]:
        pairs = bag_spread(lines, *plan.squares, plan.num_pairs, plan.pool_weight, plan.inverse_count)
        return pairs, gather_reduce(points, plan.pooled_nodes, plan.node_share.to(points.dtype))

    def _alone(self, x: Tensor, plan: PairPlan) -> Tensor:
        """What a pair gives to itself and to itself turned round: the same in all bags of a class."""
        if self.num_classes == 1:
            turned = transpose_pairs(x @ self.weight22[0, 10], plan.transposed)
            return turned.addmm_(x, self.weight22[0, 9])
        chosen, ptr, _ = plan.kinds
        both = class_linear(gather_reduce(x, chosen), _matrix(self.weight22[:, [[9, 10]]]), ptr)
        pooled, share = plan.pooled_kinds
        return gather_reduce(both.view(-1, self.out_channels), pooled, share.to(x.dtype))

    def _multiplied(self, x: Tensor, plan: PairPlan) -> Tensor:
        assert self.factors is not None
        left, right = torch.tanh(self.factors(x)).chunk(2, dim=1)
        weight = (plan.weight / plan.bags.size).to(x.dtype)
        product = bag_product(left, right, *plan.squares, weight)
        return product * plan.inverse_count.to(x.dtype).unsqueeze(1)

    def _check(self, x: Tensor, x_node: Tensor | None, plan: PairPlan) -> None:
        wanted = [("x", x, (plan.num_pairs, self.in_channels))]
        if self.node_channels:
            wanted.append(("x_node", x_node, (plan.num_nodes, self.node_channels)))  # pyright: ignore
        elif x_node is not None:
            raise ValueError(f"'x_node' must be None for a layer with node_channels=0, got shape {tuple(x_node.shape)}")
        for name, tensor, shape in wanted:
            if tensor is None or tuple(tensor.shape) != shape:
                raise ValueError(f"'{name}' must have shape {shape}, got {None if tensor is None else tensor.shape}")
        if plan.num_classes != self.num_classes:
            raise ValueError(f"'plan' has {plan.num_classes} classes of bags, the layer {self.num_classes}")

    def __repr__(self) -> str:
        product = ", product=True" if self.product else ""
        return (
            f"{type(self).__name__}({self.in_channels}, {self.node_channels}, {self.out_channels}, "
            f"num_classes={self.num_classes}{product})"
        )


def _side_by_side(parts: list[Tensor]) -> Tensor:
    return parts[0] if len(parts) == 1 else torch.cat(parts, dim=1)


def _matrix(weight: Tensor) -> Tensor:
    """From ``(classes, read, written, in, out)`` to a matrix of each class."""
    classes, read, written, width, out = weight.shape
    return weight.transpose(2, 3).reshape(classes, read * width, written * out)
