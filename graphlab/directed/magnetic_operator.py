"""Directions as phases: the complex Hermitian operator of MagNet and LightDiC."""

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from scipy.sparse import csr_array, eye_array
from torch import Tensor

from graphlab.directed.checked_edges import checked_edges
from graphlab.directed.operator import Operator
from graphlab.directed.remember import remembered
from graphlab.directed.sparse import as_graph, simple_adjacency, symmetrically_normalized


@dataclass(frozen=True)
class ComplexOperator:
    r"""A complex linear map on node features, its real and imaginary part being operators on the same edges.

    .. math::
        (R + i S)(X + i Y) = (R X - S Y) + i (R Y + S X)

    Args:
        real: The real part.
        imag: The imaginary part.

    Example:
        >>> import torch
        >>> from graphlab.directed import adjacency
        >>> from graphlab.directed.magnetic_operator import ComplexOperator
        >>> a = adjacency(torch.tensor([[0], [1]]), num_nodes=2)
        >>> real, imag = ComplexOperator(a, a.T) @ (torch.tensor([[1.0], [2.0]]), torch.zeros(2, 1))
        >>> real.flatten().tolist(), imag.flatten().tolist()
        ([2.0, 0.0], [0.0, 1.0])
    """

    real: Operator
    imag: Operator

    def __matmul__(self, z: tuple[Tensor, Tensor]) -> tuple[Tensor, Tensor]:
        """Apply the map to the real and the imaginary part of node features."""
        both, width = torch.cat(z, -1), z[0].size(-1)
        # Each part passes over the edges once, for both columns together.
        real, imag = self.real @ both, self.imag @ both
        return real[:, :width] - imag[:, width:], real[:, width:] + imag[:, :width]

    def to_dense(self) -> Tensor:
        """The complex matrix itself; for small graphs and tests."""
        return torch.complex(self.real.to_dense(), self.imag.to_dense())


def magnetic_operator(
    edge_index: Any,
    edge_weight: Tensor | None = None,
    *,
    num_nodes: int,
    q: float = 0.25,
    add_self_loops: bool = False,
) -> ComplexOperator:
    r"""The normalised magnetic adjacency: its size tells that nodes are linked, its phase in which direction.

    .. math::
        H = D_s^{-1/2} A_s D_s^{-1/2} \odot \exp(i \Theta), \qquad A_s = \tfrac12 (A + A^\top) \; [+ I], \quad
        D_s = \operatorname{diag}(A_s 1), \quad \Theta = 2 \pi q (A - A^\top), \quad 0^{-1/2} := 0

    Without loops that of MagNet (Zhang et al. 2021, arXiv 2102.11391), whose Laplacian is :math:`I - H`; with loops
    that of LightDiC (Li et al. 2024, arXiv 2401.11772). Loops of the graph are left out; edges that are stored twice
    count once, or with the sum of their weights. Turning all edges conjugates :math:`H`. Takes :math:`O(n + E)` time
    and memory; the result is remembered for equal edges and weights. No gradient reaches the weights.

    Args:
        edge_index: Sources and targets, or what :meth:`graphlab.ops.Graph.from_edge_index` takes.
        edge_weight: One number per edge, not negative; ``None`` for 1.
        num_nodes: The number of nodes.
        q: The phase of an edge without a counterpart, in turns: 0 forgets directions, 1/4 makes them imaginary.
        add_self_loops: Whether to add :math:`I`.

    Shapes:
        - **edge_index:** ``(2, num_edges)``
        - **edge_weight:** ``(num_edges,)``

    Raises:
        ValueError: The edges are malformed, a weight is negative or not finite, or ``q`` is not finite.

    Example:
        >>> import torch
        >>> from graphlab.directed import magnetic_operator
        >>> h = magnetic_operator(torch.tensor([[0], [1]]), num_nodes=2)
        >>> h.imag.to_dense().round(decimals=6).tolist()
        [[0.0, 1.0], [-1.0, 0.0]]
    """
    if not math.isfinite(q):
        raise ValueError(f"'q' must be a finite number, got {q}; 0.25 is usual")
    graph, edge_weight = checked_edges(edge_index, edge_weight, num_nodes)

    def build() -> ComplexOperator:
        return _magnetic(simple_adjacency(graph, edge_weight, num_nodes=num_nodes), q, add_self_loops, graph.col.device)

    return remembered(graph, edge_weight, ("magnetic", q, add_self_loops), build)


def _magnetic(adjacency: csr_array, q: float, loops: bool, device: torch.device) -> ComplexOperator:
    # One complex sum keeps A_s and A - A^T at the same places.
    both = csr_array(adjacency * (0.5 + 1j) + adjacency.T * (0.5 - 1j))
    if loops:
        both = csr_array(both + eye_array(both.indptr.size - 1, format="csr"))
    size = csr_array((np.real(both.data), both.indices, both.indptr), both.shape)
    phase = torch.from_numpy(2 * math.pi * q * np.imag(both.data))
    normalized = torch.from_numpy(symmetrically_normalized(size).data)
    parts = [(normalized * part).to(device) for part in (phase.cos(), phase.sin())]
    graph = as_graph(both, device)
    return ComplexOperator(Operator(graph, parts[0]), Operator(graph, parts[1]))
