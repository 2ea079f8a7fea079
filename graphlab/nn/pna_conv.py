"""Principal neighbourhood aggregation without messages."""

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor
from torch_geometric import nn as pyg
from torch_geometric.nn.aggr import DegreeScalerAggregation

from graphlab.nn.fused import FusedConv, graph_of, is_plain, is_plain_linear, pyg_edges, reduce_each, reduces_of
from graphlab.ops import Graph

_SCALERS = frozenset({"identity", "amplification", "attenuation", "linear", "inverse_linear"})


class PNAConv(FusedConv, pyg.PNAConv):
    r"""PyG's ``PNAConv`` on :func:`graphlab.ops.multi_reduce`: no tensor has a row per edge.

    .. math::
        x'_i = \gamma\Big(x_i, \; S(d_i) \otimes \big[\mu, \sigma, \max, \min\big]_{j \to i} \, h(x_i, x_j)\Big)

    Of `Principal Neighbourhood Aggregation for Graph Nets <https://arxiv.org/abs/2004.05718>`_. With one layer before
    the aggregation, :math:`h(x_i, x_j) = A x_i + B x_j + b`: all reductions of it follow from those of
    :math:`B x_j`, shifted by what is the same for all edges of a target. Parameters, arguments and results are those of
    ``torch_geometric.nn.PNAConv``; ``edge_index`` may also be a :class:`graphlab.ops.Graph`. PyG's own code runs for
    what :meth:`fallback_reason` tells, with edge attributes and more layers before the aggregation among it.

    Shapes:
        - **x:** ``(num_nodes, in_channels)``
        - **output:** ``(num_nodes, out_channels)``

    Example:
        >>> import torch
        >>> from graphlab.nn import PNAConv
        >>> conv = PNAConv(8, 16, ["mean", "std", "max"], ["identity", "attenuation"], deg=torch.tensor([0, 3]))
        >>> conv(torch.randn(3, 8), torch.tensor([[0, 1, 2], [1, 2, 0]])).shape
        torch.Size([3, 16])
    """

    pre_nns: Any
    post_nns: Any

    # Of two classes of one name PyG reads the source of the first alone, so these stand here too:
    # propagate_type: (x: Tensor, edge_attr: OptTensor)

    def fallback_reason(self, x: Any, edge_index: Any, edge_attr: Any = None) -> str:
        """Say why a call with these arguments would take PyG's own path; empty where it takes the fused ops.

        Args:
            x: As for ``forward``.
            edge_index: As for ``forward``.
            edge_attr: As for ``forward``.
        """
        if edge_attr is not None or self.edge_dim is not None:
            return "there are edge attributes"
        if any(len(nn) != 1 for nn in self.pre_nns):
            return "there is more than one layer before the aggregation"
        networks = (*self.pre_nns, *self.post_nns)
        if not all(
            is_plain(nn, torch.nn.Sequential) and is_plain_linear(nn[0]) and nn[0].bias is not None for nn in networks
        ):
            return "a linear map next to the aggregation was changed"
        aggr = self.aggr_module
        if (
            not is_plain(aggr, DegreeScalerAggregation)
            or not reduces_of(aggr.aggr)
            or not _SCALERS.issuperset(aggr.scaler)
        ):
            return f"the aggregation is {self.aggr}"
        if {"std", "var"}.issuperset(reduces_of(aggr.aggr)):
            # Distributed training waits for the gradient of every parameter, though it be zero.
            return "some parameters have gradients in PyG only"
        return self._unfit(x, x, edge_index)

    def forward(self, x: Tensor, edge_index: Any, edge_attr: Any = None) -> Tensor:
        """Run the layer.

        Args:
            x: Node features.
            edge_index: Edges as a tensor, an ``EdgeIndex``, a transposed sparse adjacency, or a ``Graph``.
            edge_attr: Edge features.
        """
        if self.fallback_reason(x, edge_index, edge_attr):
            return super().forward(x, pyg_edges(edge_index), edge_attr)
        graph = graph_of(edge_index, x)
        towers = x.view(-1, self.towers, self.F_in) if self.divide_input else x.unsqueeze(1)
        hidden = self._first_after(towers, self._reduced(towers, graph), self._factors(graph, x.dtype))
        outs = []
        for nn, out in zip(self.post_nns, hidden.unbind(1), strict=True):
            for layer in list(nn)[1:]:
                out = layer(out)
            outs.append(out)
        return self.lin(torch.cat(outs, dim=1))

    def _reduced(self, towers: Tensor, graph: Graph) -> Tensor:
        """Reduce what the first linear layers make of the edges, without making it.

        Shapes:
            - **towers:** ``(num_nodes, 1 or towers, F_in)``
            - **output:** ``(num_nodes, towers, reductions * F_in)``
        """
        weight = torch.stack([nn[0].weight for nn in self.pre_nns])
        bias = torch.stack([nn[0].bias for nn in self.pre_nns])
        of_target, of_source = weight.split(self.F_in, dim=2)
        degree = graph.degree.to(towers.dtype).view(-1, 1, 1)
        # A node without edges has no message, and its reductions are zero.
        same = torch.where(degree > 0, _per_tower(towers, of_target) + bias, 0)
        reduces = reduces_of(self.aggr_module.aggr)
        parts = reduce_each(_per_tower(towers, of_source), graph, reduces).unbind(1)
        return torch.cat([_shifted(*named, same, degree) for named in zip(reduces, parts, strict=True)], dim=-1)

    def _factors(self, graph: Graph, dtype: torch.dtype) -> list[Tensor | None]:
        """Compute each scaler's function of the degree; ``None`` for 1.

        Shapes:
            - **output:** ``(num_nodes, 1, 1)`` each
        """
        degree = graph.degree.to(dtype).view(-1, 1, 1)
        known = degree.clamp(min=1)
        aggr = self.aggr_module
        factors: dict[str, Callable[[], Tensor | None]] = {
            "identity": lambda: None,
            "amplification": lambda: (degree + 1).log() / aggr.avg_deg_log,
            "attenuation": lambda: aggr.avg_deg_log / (known + 1).log(),
            "linear": lambda: degree / aggr.avg_deg_lin,
            "inverse_linear": lambda: aggr.avg_deg_lin / known,
        }
        return [factors[scaler]() for scaler in aggr.scaler]

    def _first_after(self, towers: Tensor, reduced: Tensor, factors: list[Tensor | None]) -> Tensor:
        """Apply the first linear layers after the aggregation; rows are scaled when they are narrow again.

        Shapes:
            - **towers:** ``(num_nodes, 1 or towers, F_in)``
            - **reduced:** ``(num_nodes, towers, reductions * F_in)``
            - **output:** ``(num_nodes, towers, F_out)``
        """
        weight = torch.stack([nn[0].weight for nn in self.post_nns])
        bias = torch.stack([nn[0].bias for nn in self.post_nns])
        of_self, *of_scaled = weight.split([self.F_in] + [reduced.size(2)] * len(factors), dim=2)
        out = _per_tower(towers, of_self) + bias
        scaled = _per_tower(reduced, torch.cat(of_scaled, dim=1)).split(self.F_out, dim=2)
        for part, factor in zip(scaled, factors, strict=True):
            out = out + (part if factor is None else part * factor)
        return out


def _per_tower(x: Tensor, weight: Tensor) -> Tensor:
    """Apply one matrix per tower to rows that are the same for all towers, or each tower's own."""
    if x.size(1) == 1:
        return (x[:, 0] @ weight.flatten(0, 1).t()).view(-1, weight.size(0), weight.size(1))
    return torch.einsum("ntf,tof->nto", x, weight)


def _shifted(reduce: str, part: Tensor, same: Tensor, degree: Tensor) -> Tensor:
    """Reduce ``same + y`` where ``part`` is ``y`` reduced."""
    if reduce in ("std", "var"):
        return part
    return part + (degree * same if reduce == "sum" else same)
