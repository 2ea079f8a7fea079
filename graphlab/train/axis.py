"""Chart axes: from values to pixels, and round ticks with labels that tell them apart."""

import itertools
import math
from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Axis:
    """Maps values to pixels, linearly or by their logarithm.

    Args:
        low: Value at ``start``.
        high: Value at ``end``.
        start: Pixel of the lower end.
        end: Pixel of the upper end.
        log: Whether distances are those of the logarithms.
    """

    low: float
    high: float
    start: float
    end: float
    log: bool = False

    def place(self, value: float) -> float:
        """Return the pixel of a value.

        Args:
            value: A value between ``low`` and ``high``.
        """
        low, high = self._scale(self.low), self._scale(self.high)
        part = (self._scale(value) - low) / (high - low)
        return self.start + part * (self.end - self.start)

    def ticks(self) -> list[float]:
        """Return round values inside the axis, at most seven of them."""
        return log_ticks(self.low, self.high) if self.log else nice_ticks(self.low, self.high)

    def _scale(self, value: float) -> float:
        return math.log10(value) if self.log else value


def nice_ticks(low: float, high: float) -> list[float]:
    """Return two to seven multiples of 1, 2, 2.5 or 5 times a power of ten between two values.

    Args:
        low: Lower end.
        high: Upper end, larger than ``low``.

    Example:
        >>> nice_ticks(1, 60)
        [10.0, 20.0, 30.0, 40.0, 50.0, 60.0]
    """
    rough = (high - low) / 6
    power = 10.0 ** math.floor(math.log10(rough))
    step = next(power * m for m in (1, 2, 2.5, 5, 10, 20) if power * m >= rough)
    first, last = math.ceil(low / step - 1e-9), math.floor(high / step + 1e-9)
    return [min(max(i * step, low), high) for i in range(first, last + 1)]


def log_ticks(low: float, high: float) -> list[float]:
    """Return powers of ten between two positive values, at most seven of them.

    Args:
        low: Lower end, positive.
        high: Upper end, at least a decade above.

    Example:
        >>> log_ticks(0.003, 20)
        [0.01, 0.1, 1.0, 10.0]
    """
    first, last = math.ceil(math.log10(low) - 1e-9), math.floor(math.log10(high) + 1e-9)
    every = -(-(last - first + 1) // 7)
    return [min(max(10.0**k, low), high) for k in range(first, last + 1, every)]


def tick_labels(ticks: Sequence[float]) -> list[str]:
    """Write ticks with as many digits as tell them apart, and no more.

    Args:
        ticks: Ascending values.

    Example:
        >>> tick_labels([0.0, 0.25, 0.5]), tick_labels([0.01, 0.1, 1.0])
        (['0.00', '0.25', '0.50'], ['0.01', '0.1', '1'])
    """
    gaps = [b - a for a, b in itertools.pairwise(ticks)]
    plain = all(tick == 0 or 1e-4 <= abs(tick) < 1e5 for tick in ticks)
    if gaps and plain and max(gaps) <= min(gaps) * (1 + 1e-6):
        places = next(p for p in range(17) if abs(round(gaps[0], p) - gaps[0]) < 1e-6 * gaps[0])
        return [f"{tick:z.{places}f}" for tick in ticks]
    written = ([f"{tick:.{digits}g}" for tick in ticks] for digits in range(3, 18))
    return next(labels for labels in written if len(set(labels)) == len(labels))


def widened(low: float, high: float) -> tuple[float, float]:
    """Open up a range that is a single value, or too narrow to write ticks for.

    Args:
        low: Smallest value.
        high: Largest value.

    Example:
        >>> widened(1.0, 1.0), widened(0.0, 2.0)
        ((0.95, 1.05), (0.0, 2.0))
    """
    size = max(abs(low), abs(high))
    if size < 1e-280:
        return -1.0, 1.0
    if high - low > 1e-6 * size:
        return low, high
    return low - 0.05 * size, high + 0.05 * size
