"""The linear layer that commutes with permuting the nodes of a bag."""

import math

import torch
from torch import Tensor, nn

from graphlab.subgraph.bag_size import bag_size
from graphlab.subgraph.equivariant_basis import num_equivariant_maps
from graphlab.subgraph.equivariant_map import equivariant_map
from graphlab.subgraph.map_kind import MapKind


class EquivariantLinear(nn.Module):
    r"""All equivariant linear maps between node and node-pair tensors (Maron et al., 2019, arXiv 1812.09902).

    .. math::
        Y = \sum_b L_b(X) W_b + B

    The sum runs over the basis of :func:`equivariant_basis`, in its order; ``B`` has a bias for each equivariant
    constant: for order 2 on the diagonal and everywhere, in rooted bags also in the root's column and row and at the
    root itself; for order 1 everywhere and at the root; for order 0 one. The basis is never written down: each pair of
    nodes takes two matrix products, and the memory is that of the result and a few bags. There may be several sets of
    weights, such as one for each size of bags (Mitton and Murray-Smith, 2021, arXiv 2111.11840).

    Args:
        in_channels: Channels of ``x``.
        out_channels: Channels of the result.
        order_in: 0 for one vector per bag, 1 for one per node, 2 for one per ordered pair of nodes.
        order_out: Likewise.
        num_classes: Sets of weights.
        rooted: Whether to tell node 0 of each bag, its root, apart from the others.
        bias: Whether to add learned constants.

    Shapes:
        - **x:** ``(num_bags, in_channels)``, ``(num_bags, m, in_channels)`` or ``(num_bags, m, m, in_channels)`` for
          order 0, 1 or 2
        - **size_class:** ``(num_bags,)``, or a number for all bags
        - **weight:** ``(num_classes, num_maps, in_channels, out_channels)``
        - **bias:** ``(num_classes, num_biases, out_channels)``
        - **output:** as ``x``, of the other order

    Raises:
        ValueError: An order or a number is out of range, ``x`` is not as said, or a class is none of the layer's.

    Example:
        >>> import torch
        >>> from graphlab.subgraph import EquivariantLinear
        >>> layer, x = EquivariantLinear(3, 8), torch.randn(2, 5, 5, 3)
        >>> order = torch.randperm(5)
        >>> torch.allclose(layer(x[:, order][:, :, order]), layer(x)[:, order][:, :, order], atol=1e-5)
        True
    """

    exponent: Tensor

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        order_in: int = 2,
        order_out: int = 2,
        num_classes: int = 1,
        rooted: bool = False,
        bias: bool = True,
    ) -> None:
        super().__init__()
        num_maps = num_equivariant_maps(order_in, order_out, rooted)
        sizes = {"in_channels": in_channels, "out_channels": out_channels, "num_classes": num_classes}
        for name, value in sizes.items():
            if value < 1:
                raise ValueError(f"'{name}' must be at least 1, got {value}")
        self.in_channels, self.out_channels, self.num_classes = in_channels, out_channels, num_classes
        self.kind = MapKind(order_in, order_out, rooted)
        self.weight = nn.Parameter(torch.empty(num_classes, num_maps, in_channels, out_channels))
        biases = torch.empty(num_classes, self.kind.scalars[1], out_channels) if bias else None
        self.bias = nn.Parameter(biases) if biases is not None else None
        powers = torch.tensor(self.kind.powers, dtype=self.weight.dtype)[:, None, None]
        self.register_buffer("exponent", -powers, persistent=False)
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Draw new weights of variance ``2 / (in_channels + out_channels)``; biases become 0."""
        nn.init.normal_(self.weight, std=math.sqrt(2 / (self.in_channels + self.out_channels)))
        if self.bias is not None:
            nn.init.zeros_(self.bias)

    def forward(self, x: Tensor, size_class: int | Tensor = 0, num_nodes: int | None = None) -> Tensor:
        """Apply the map.

        Args:
            x: Bags of ``m`` nodes each.
            size_class: Which set of weights to use, for all bags or for each.
            num_nodes: ``m``, where order 0 does not tell it.
        """
        m = bag_size(x, self.kind.order_in, self.kind.order_out, num_nodes)
        self._check(x)
        if isinstance(size_class, Tensor):
            return self._by_class(x, self._checked_classes(size_class, x), m)
        if not 0 <= size_class < self.num_classes:
            raise ValueError(f"'size_class' must lie in [0, {self.num_classes}), got {size_class}")
        return self._map(x, size_class, m)

    def _map(self, x: Tensor, size_class: int, m: int) -> Tensor:
        bias = None if self.bias is None else self.bias[size_class]
        # Half types hold neither sums over large bags nor weights divided by as much.
        wide = torch.promote_types(self.weight.dtype, torch.float)
        weight = self.weight[size_class].to(wide) * max(m, 1) ** self.exponent.to(wide)
        device = x.device.type
        if torch.is_autocast_enabled(device):
            x = x.to(torch.get_autocast_dtype(device))
        with torch.autocast(device, enabled=False):
            return equivariant_map(x, weight, bias, self.kind, m)

    def _by_class(self, x: Tensor, classes: Tensor, m: int) -> Tensor:
        """Bags of one class after another, then back into their order."""
        order = classes.argsort(stable=True)
        counts = classes.bincount(minlength=self.num_classes).tolist()
        parts = [self._map(part, c, m) for c, part in enumerate(x[order].split(counts)) if part.size(0)]
        return torch.cat(parts)[order.argsort()] if parts else self._map(x, 0, m)

    def _check(self, x: Tensor) -> None:
        if x.size(-1) != self.in_channels:
            raise ValueError(
                f"'x' must have {self.in_channels} channels, got {x.size(-1)}; build the layer with "
                f"in_channels={x.size(-1)}"
            )
        converted = torch.is_autocast_enabled(x.device.type)
        if not x.is_floating_point() or not (converted or x.dtype == self.weight.dtype):
            raise ValueError(
                f"'x' must hold {self.weight.dtype} as the parameters do, got {x.dtype}; convert with "
                f".to({self.weight.dtype})"
            )

    def _checked_classes(self, classes: Tensor, x: Tensor) -> Tensor:
        if classes.shape != x.shape[:1] or classes.is_floating_point() or classes.dtype == torch.bool:
            raise ValueError(
                f"'size_class' must be a number or integers of shape ({x.size(0)},), got {classes.dtype} of shape "
                f"{tuple(classes.shape)}"
            )
        if classes.numel() and not 0 <= (low := int(classes.min())) <= (high := int(classes.max())) < self.num_classes:
            raise ValueError(f"'size_class' must lie in [0, {self.num_classes}), got {low} to {high}")
        return classes

    def __repr__(self) -> str:
        order_in, order_out, rooted = self.kind
        return (
            f"{type(self).__name__}({self.in_channels}, {self.out_channels}, order_in={order_in}, "
            f"order_out={order_out}, num_classes={self.num_classes}, rooted={rooted}, bias={self.bias is not None})"
        )
