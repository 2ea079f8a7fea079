"""The numbers of both protocols, on which every figure depends. Imports no torch."""

from dataclasses import dataclass

TOLERANCE = 1e-12
"""The relative difference above which vectors in float64 differ, unless a network has a bound of its own."""


@dataclass(frozen=True)
class Untrained:
    """What random weights are measured with.

    Args:
        hidden_channels: width of layers, where a network does not choose that itself.
        channels: width of a graph's vector.
        times_noise: how much larger than noise a difference must be.
    """

    hidden_channels: int = 8
    channels: int = 16
    times_noise: float = 10.0


@dataclass(frozen=True)
class Rpc:
    """What BREC's own protocol trains with.

    Args:
        hidden_channels: width of layers, where a network does not choose that itself.
        channels: width of a graph's vector.
        orders: of the nodes of each graph.
        batch: graphs of a batch.
        epochs: the most of them.
        learning_rate: that of Adam.
        weight_decay: that of Adam.
        good_enough: training ends once the loss of an epoch is below.
        threshold: of the statistic, above which graphs are told apart.
        close: statistics that differ by no more are alike.
    """

    hidden_channels: int = 16
    channels: int = 16
    orders: int = 32
    batch: int = 16
    epochs: int = 20
    learning_rate: float = 1e-4
    weight_decay: float = 1e-4
    good_enough: float = 0.2
    threshold: float = 72.34
    close: float = 1e-6


UNTRAINED = Untrained()
"""As random weights are measured."""

RPC = Rpc()
"""As BREC's paper trains."""
