"""Features of nodes, once they are found fit for a network."""

import torch
from torch import Tensor


def checked_features(x: Tensor, channels: int, dtype: torch.dtype) -> Tensor:
    """Return node features if they are what parameters can be applied to.

    Args:
        x: Node features.
        channels: The width expected.
        dtype: What the parameters hold.

    Shapes:
        - **x, output:** ``(num_nodes, channels)``

    Raises:
        ValueError: They have another shape or hold other numbers.
    """
    if x.dim() != 2 or x.size(1) != channels:
        raise ValueError(
            f"'x' must have shape (num_nodes, {channels}), got {tuple(x.shape)}; "
            f"build the network with in_channels={x.size(-1) if x.dim() else 1}"
        )
    if not x.is_floating_point() or not (x.dtype == dtype or torch.is_autocast_enabled(x.device.type)):
        raise ValueError(f"'x' must hold {dtype} as the parameters do, got {x.dtype}; convert with .to({dtype})")
    return x


def checked_edge_features(edge_attr: Tensor | None, edge_index: Tensor, edge_dim: int, x: Tensor) -> Tensor | None:
    """Return edge features of one row per edge, if the network was built for them.

    Args:
        edge_attr: Edge features.
        edge_index: Sources and targets.
        edge_dim: The width expected; 0 for none.
        x: Node features, whose type they take.

    Shapes:
        - **edge_attr:** ``(num_edges, edge_dim)``, or ``(num_edges,)`` of width 1
        - **output:** ``(num_edges, edge_dim)``

    Raises:
        ValueError: They are missing, not expected, or of another shape.
    """
    if edge_attr is None and not edge_dim:
        return None
    if edge_attr is not None and edge_attr.dim() == 1:
        edge_attr = edge_attr.unsqueeze(1)
    shape = (edge_index.size(1), edge_dim)
    if edge_attr is None or not edge_dim or tuple(edge_attr.shape) != shape:
        raise ValueError(
            f"'edge_attr' must {f'have shape {shape}' if edge_dim else 'be None'} for a network with "
            f"edge_dim={edge_dim}, got {None if edge_attr is None else f'shape {tuple(edge_attr.shape)}'}"
        )
    return edge_attr.to(x.dtype)
