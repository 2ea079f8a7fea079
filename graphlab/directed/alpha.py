"""How much of a node's new features comes along its edges, and how much against them."""

import math

import torch
from torch import Tensor, nn


class Alpha(nn.Module):
    r"""The weight of out-neighbours against in-neighbours, fixed or learned.

    .. math::
        y = \alpha \, y_{out} + (1 - \alpha) \, y_{in}

    Of `Edge Directionality Improves Learning on Heterophilic Graphs <https://arxiv.org/abs/2305.10498>`_ (Rossi et
    al., 2023). A learned :math:`\alpha` is the sigmoid of a parameter, so it stays between 0 and 1; it never gets
    there, which is why it cannot start there.

    Args:
        value: The weight of out-neighbours in [0, 1]; where it starts, if it is learned.
        learn: Whether it is learned.

    Raises:
        ValueError: ``value`` is outside [0, 1], or at an end of it and to be learned.
    """

    def __init__(self, value: float = 0.5, learn: bool = False) -> None:
        super().__init__()
        if not 0 <= value <= 1:
            raise ValueError(f"'alpha' must be between 0 (in-neighbours only) and 1 (out-neighbours only), got {value}")
        if learn and value in (0, 1):
            raise ValueError(
                f"'alpha' must start between 0 and 1 to be learned, got {value}, which a sigmoid does not reach; "
                f"start at 0.5, or say learn_alpha=False"
            )
        self.value = float(value)
        self.logit = nn.Parameter(torch.empty(())) if learn else None
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Start again at the value given."""
        if self.logit is not None:
            nn.init.constant_(self.logit, math.log(self.value / (1 - self.value)))

    @property
    def uses_out(self) -> bool:
        """Whether out-neighbours count at all."""
        return self.value > 0

    @property
    def uses_in(self) -> bool:
        """Whether in-neighbours count at all."""
        return self.value < 1

    def current(self) -> float | Tensor:
        """The weight as it now is."""
        return self.value if self.logit is None else self.logit.sigmoid()

    def mix(self, of_out: Tensor | None, of_in: Tensor | None) -> Tensor:
        """Weigh what came from both sides; a side that does not count is ``None``.

        Args:
            of_out: What came from out-neighbours.
            of_in: What came from in-neighbours.

        Shapes:
            - **of_out, of_in, output:** ``(num_nodes, channels)``
        """
        if of_in is None or of_out is None:
            only = of_out if of_in is None else of_in
            assert only is not None
            return only
        alpha = self.current()
        return torch.lerp(of_in, of_out, alpha.to(of_in) if isinstance(alpha, Tensor) else alpha)

    def extra_repr(self) -> str:
        """What stands between the brackets of ``repr``."""
        return f"{self.value:g}" if self.logit is None else f"{float(self.logit.detach().sigmoid()):g}, learned"
