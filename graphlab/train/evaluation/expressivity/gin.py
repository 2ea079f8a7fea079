"""GIN as the expressivity suite takes it: every layer of one width, no normalisation."""

from torch import nn

from graphlab.models import GinConfig, Problem, build


def gin(in_channels: int, hidden_channels: int, out_channels: int, num_layers: int) -> nn.Module:
    """The graph isomorphism network (Xu et al., 2019, arXiv 1810.00826) with a mean over nodes at the end.

    Args:
        in_channels: width of the node features.
        hidden_channels: width of the layers.
        out_channels: width of a graph's vector.
        num_layers: number of layers.

    Shapes:
        x ``[num_nodes, in_channels]``, edge_index ``[2, num_edges]``, batch ``[num_nodes]``, output ``[batch_size,
        out_channels]``.
    """
    config = GinConfig(hidden_channels=hidden_channels, num_layers=num_layers, norm="none", dropout=0.0, readout="mean")
    return build(config, Problem("graph-classification", in_channels, out_channels))
