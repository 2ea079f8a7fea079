"""What an equivariant map is between, and how its weights are laid out."""

from typing import NamedTuple

import torch
from torch import Tensor

# How many powers of the number of nodes the vectors and scalars of each order are divided by; without and with a root.
_VECTORS = {False: ((), (0,), (0, 1, 1)), True: ((), (0,), (0, 1, 1, 0, 0))}
_SCALARS = {False: ((0,), (1,), (1, 2)), True: ((0,), (1, 0), (1, 2, 1, 1, 0))}


class MapKind(NamedTuple):
    """Orders of input and output, and whether there is a root.

    Weights lie in the order of :func:`equivariant_basis`.

    Args:
        order_in: 0, 1 or 2.
        order_out: 0, 1 or 2.
        rooted: Whether node 0 is told apart.
    """

    order_in: int
    order_out: int
    rooted: bool

    @property
    def back(self) -> "MapKind":
        """From the output to the input."""
        return MapKind(self.order_out, self.order_in, self.rooted)

    @property
    def vectors(self) -> tuple[int, int]:
        """How many vectors the input has, and how many places for them the output."""
        table = _VECTORS[self.rooted]
        return len(table[self.order_in]), len(table[self.order_out])

    @property
    def scalars(self) -> tuple[int, int]:
        """Likewise of scalars."""
        table = _SCALARS[self.rooted]
        return len(table[self.order_in]), len(table[self.order_out])

    @property
    def sections(self) -> tuple[int, int, int]:
        """How many maps take matrices, vectors and scalars."""
        (v_in, v_out), (s_in, s_out) = self.vectors, self.scalars
        return 2 * (self.order_in == self.order_out == 2), v_in * v_out, s_in * s_out

    @property
    def powers(self) -> list[int]:
        """By how many powers of the number of nodes each map divides its sums."""
        vectors = _VECTORS[self.rooted][self.order_in] * self.vectors[1]
        return [0] * self.sections[0] + [*vectors, *_SCALARS[self.rooted][self.order_in] * self.scalars[1]]

    def split(self, weight: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Split weights into those of matrices, of vectors and of scalars.

        Args:
            weight: One matrix for each map.

        Shapes:
            - **weight:** ``(num_maps, in_channels, out_channels)``
            - **output:** ``(0 or 2, in_channels, out_channels)``, then twice
              ``(num_places, num_pieces, in_channels, out_channels)``
        """
        matrices, vectors, scalars = weight.split(self.sections)
        shape = weight.shape[1:]
        return matrices, vectors.view(*self.vectors[::-1], *shape), scalars.view(*self.scalars[::-1], *shape)

    def turned(self, weight: Tensor) -> Tensor:
        """Give the weights of the adjoint map of sums: it sums where the map copies, and the other way round.

        Args:
            weight: One matrix for each map.

        Shapes:
            - **weight:** ``(num_maps, in_channels, out_channels)``
            - **output:** ``(num_maps, out_channels, in_channels)``
        """
        matrices, vectors, scalars = self.split(weight)
        parts = [part.permute(1, 0, 3, 2).flatten(0, 1) for part in (vectors, scalars)]
        return torch.cat([matrices.transpose(1, 2), *parts])

    def factors(self, weight: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Join the weights of vectors to one matrix from all vectors to all places, and those of scalars likewise.

        Args:
            weight: One matrix for each map.

        Shapes:
            - **weight:** ``(num_maps, in_channels, out_channels)``
            - **output:** ``(0 or 2, in_channels, out_channels)``, then twice
              ``(num_pieces * in_channels, num_places * out_channels)``
        """
        matrices, vectors, scalars = self.split(weight)
        joined = [part.permute(1, 2, 0, 3).flatten(2).flatten(0, 1) for part in (vectors, scalars)]
        return matrices, joined[0], joined[1]
