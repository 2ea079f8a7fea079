"""LightDiC: a linear network on features propagated by the magnetic operator."""

from collections.abc import Iterator
from typing import Any, Literal, get_args

import torch
from torch import Tensor, nn

from graphlab.directed.checks import at_least, finite, one_of
from graphlab.directed.decoupled_model import DecoupledModel
from graphlab.directed.hop_features import HopFeatures
from graphlab.directed.magnetic_operator import magnetic_operator

Aggregation = Literal["last", "mean", "sum", "concat"]


class LightDiC(DecoupledModel):
    r"""Directed graph convolution without a hidden layer: complex propagation, then linear maps.

    .. math::
        Z^{(k)} = M^k X, \quad
        M = \tilde D^{-1/2} (A_s + I) \tilde D^{-1/2} \odot \exp\big(2 \pi i q (A - A^\top)\big), \quad
        y = W [W_r \operatorname{Re} Z \,\|\, W_i \operatorname{Im} Z] + b

    where :math:`Z` joins :math:`Z^{(0)}, \dots, Z^{(K)}`. Li et al., `LightDiC: A Simple yet Effective Approach for
    Large-scale Digraph Representation Learning`, VLDB 2024 (arXiv 2401.11772). With q = 0 the imaginary part is zero
    and this is SGC.

    Args:
        in_channels: Node features.
        hidden_channels: Width of both linear maps; the paper takes ``out_channels``.
        out_channels: Classes.
        num_hops: K, the steps of propagation.
        q: The phase of an edge in turns; 0 forgets directions.
        aggregation: What of the hops is learned from: the ``"last"``, their ``"mean"`` or ``"sum"``, or all of them
            side by side (``"concat"``).

    Shapes:
        - **x:** ``(num_nodes, in_channels)``, dense or CSR
        - **edge_index:** ``(2, num_edges)``
        - **edge_weight:** ``(num_edges,)``, not negative; no gradient reaches it
        - **output:** ``(num_nodes, out_channels)``

    Raises:
        ValueError: An argument is out of its range.

    Example:
        >>> import torch
        >>> from graphlab.directed import LightDiC
        >>> LightDiC(8, 3, 3)(torch.rand(4, 8), torch.tensor([[0, 1, 2], [1, 2, 3]])).shape
        torch.Size([4, 3])
    """

    def __init__(
        self,
        in_channels: int,
        hidden_channels: int,
        out_channels: int,
        *,
        num_hops: int = 4,
        q: float = 0.035,
        aggregation: Aggregation = "last",
    ) -> None:
        super().__init__(in_channels)
        at_least("hidden_channels", hidden_channels, 1)
        self.num_hops, self.q = at_least("num_hops", num_hops, 1), finite("q", q)
        self.aggregation = one_of("aggregation", aggregation, get_args(Aggregation))
        width = self.num_blocks // 2 * in_channels
        self.real = nn.Linear(width, hidden_channels)
        self.imag = nn.Linear(width, hidden_channels)
        self.head = nn.Linear(2 * hidden_channels, out_channels)

    def reset_parameters(self) -> None:
        """Draw all parameters anew."""
        for layer in (self.real, self.imag, self.head):
            layer.reset_parameters()

    @property
    def keeps_features(self) -> bool:
        """No: hop 0 is one of the blocks where it is wanted."""
        return False

    @property
    def num_blocks(self) -> int:
        """Real and imaginary parts, of all hops or of what is made of them."""
        return 2 * (self.num_hops + 1) if self.aggregation == "concat" else 2

    @property
    def recipe(self) -> str:
        """Hops, phase and aggregation."""
        return f"LightDiC(num_hops={self.num_hops}, q={self.q}, aggregation={self.aggregation!r})"

    def propagate(self, x: Tensor, edge_index: Any, edge_weight: Tensor | None = None) -> Iterator[Tensor]:
        """Real parts, then imaginary parts."""
        hops = self._hops(x, edge_index, edge_weight)
        if self.aggregation == "concat":
            reals, imags = zip(*hops, strict=True)
            yield from (*reals, *imags)
            return
        real, imag = next(hops)
        for further in hops:
            if self.aggregation == "last":
                real, imag = further
            else:
                real, imag = real + further[0], imag + further[1]
        number = self.num_hops + 1 if self.aggregation == "mean" else 1
        yield from (real / number, imag / number)

    def _hops(self, x: Tensor, edge_index: Any, edge_weight: Tensor | None) -> Iterator[tuple[Tensor, Tensor]]:
        operator = magnetic_operator(edge_index, edge_weight, num_nodes=x.size(0), q=self.q, add_self_loops=True)
        hop = x, torch.zeros_like(x)
        yield hop
        for _ in range(self.num_hops):
            hop = operator @ hop
            yield hop

    def classify(self, hops: HopFeatures) -> Tensor:
        """Compute the logits of the rows of what :meth:`precompute` gave."""
        self.check_hops(hops)
        real, imag = hops.dense.tensor_split(2, 1)
        return self.head(torch.cat([self.real(real.flatten(1)), self.imag(imag.flatten(1))], 1))
