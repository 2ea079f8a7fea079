"""All short walks along and against the edges of a directed graph, as operators."""

import itertools
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from scipy.sparse import csr_array, eye_array

from graphlab.directed.checked_edges import checked_edges
from graphlab.directed.operator import Operator
from graphlab.directed.operator_product import OperatorProduct
from graphlab.directed.sparse import as_operator, inverse_degree, products_per_row, scaled, simple_adjacency

MAX_ORDER = 6
"""The longest word: longer ones are too many to be made or learned from."""


@dataclass(frozen=True)
class DirectedPatterns:
    r"""The directed patterns of a graph: all words over :math:`\{A, A^\top\}` up to a length, normalised.

    .. math::
        \hat M_p = D_p^{r-1} M_p D_p^{-r}, \qquad D_p = \operatorname{diag}(M_p 1), \quad 0^{-r} := 0, \qquad
        M_p \in \{A + I,\ A^\top + I,\ A A,\ A A^\top,\ A^\top A,\ A^\top A^\top,\ \ldots\}

    of Sun et al. (ADPA, 2023, arXiv 2312.04111). :math:`A_{ij} = 1` for an edge :math:`i \to j`, without loops and
    double edges; products count walks, and keep their diagonal. One row degree scales both sides: :math:`r = 0` gives
    row-stochastic patterns.

    A product may have thousands of times more entries than its factors, so it is formed only where that makes its
    application cheaper, and else applied factor by factor. Row degrees are exact either way, and so is the result.
    Making the patterns takes :math:`O(n + \text{nnz}(A) + \text{max\_nnz})` memory, applying one
    :math:`O(\text{order} \cdot \text{nnz}(A) \cdot f)` time at most.

    Args:
        order: The longest word, from 1 to 6; there are :math:`2 + 4 + \ldots + 2^\text{order}` patterns.
        normalization: The :math:`r` above, from 0 to 1.
        max_nnz: A product is not even tried where it might take more entries than this; 0 for never.

    Raises:
        ValueError: An argument is outside its range.

    Example:
        >>> import torch
        >>> from graphlab.directed import DirectedPatterns
        >>> patterns = DirectedPatterns(normalization=0)
        >>> patterns.names
        ('A', 'AT', 'AA', 'AAT', 'ATA', 'ATAT')
        >>> made = patterns(torch.tensor([[0, 1], [2, 2]]), num_nodes=3)
        >>> (made["AAT"] @ torch.tensor([[1.0], [2.0], [4.0]])).flatten().tolist()
        [1.5, 1.5, 0.0]
    """

    order: int = 2
    normalization: float = 0.5
    max_nnz: int = 2_000_000

    def __post_init__(self) -> None:
        if not 1 <= self.order <= MAX_ORDER:
            raise ValueError(
                f"'order' must lie in 1 to {MAX_ORDER}, got {self.order}; 1 gives A and its transposed, {MAX_ORDER} "
                f"gives {2 ** (MAX_ORDER + 1) - 2} patterns, and each further one twice as many"
            )
        if not 0 <= self.normalization <= 1:
            raise ValueError(f"'normalization' must lie in [0, 1], got {self.normalization}; 0.5 is symmetric")
        if self.max_nnz < 0:
            raise ValueError(f"'max_nnz' must not be negative, got {self.max_nnz}; 0 never forms a product")

    @property
    def names(self) -> tuple[str, ...]:
        """The patterns by length, each written as its factors: ``"AAT"`` for A times its transposed."""
        return tuple("".join(word) for word in _words(self.order))

    def __call__(self, edge_index: Any, *, num_nodes: int) -> dict[str, Operator | OperatorProduct]:
        """Make the patterns of a graph, by name.

        Args:
            edge_index: Sources and targets, or what :meth:`graphlab.ops.Graph.from_edge_index` takes.
            num_nodes: The number of nodes.

        Shapes:
            - **edge_index:** ``(2, num_edges)``

        Raises:
            ValueError: The edges are malformed, or have weights.
        """
        graph, weight = checked_edges(edge_index, None, num_nodes)
        if weight is not None:
            raise ValueError(
                "'edge_index' must have no weights: directed patterns count walks; pass a sparse adjacency of ones"
            )
        products = _Products(simple_adjacency(graph, num_nodes=num_nodes), self.max_nnz, graph.col.device)
        return {"".join(word): self._pattern(word, products) for word in _words(self.order)}

    def _pattern(self, word: tuple[str, ...], products: "_Products") -> Operator | OperatorProduct:
        labels = products.factors(word)
        matrices = [products.matrices[label] for label in labels]
        if len(word) == 1:
            matrices = [csr_array(matrices[0] + eye_array(matrices[0].shape[0], format="csr"))]
        left, right = self._scales(matrices)
        if len(matrices) == 1:
            return as_operator(scaled(matrices[0], left, right), products.device)
        scales = [torch.from_numpy(scale).to(products.device) for scale in (left, right)]
        return OperatorProduct([products.operator(label) for label in labels], *scales)

    def _scales(self, matrices: list[csr_array]) -> tuple[np.ndarray, np.ndarray]:
        """What stands left and right of a product; its row degrees need no product."""
        degree = np.ones(matrices[-1].indptr.size - 1)
        for matrix in reversed(matrices):
            degree = matrix @ degree
        return inverse_degree(degree, 1 - self.normalization), inverse_degree(degree, self.normalization)


class _Products:
    """The factors of words; products that are cheaper than their factors are formed once and kept."""

    def __init__(self, adjacency: csr_array, max_nnz: int, device: torch.device) -> None:
        self.matrices: dict[str, Any] = {"A": adjacency, "AT": csr_array(adjacency.T)}
        self.max_nnz, self.device = max_nnz, device
        self._operators: dict[str, Operator] = {}

    def factors(self, word: tuple[str, ...]) -> list[str]:
        """Join neighbouring steps of a word as long as that saves work."""
        labels = [word[0]]
        for step in word[1:]:
            if self._pays(labels[-1], step):
                labels[-1] += step
            else:
                labels.append(step)
        return labels

    def operator(self, label: str) -> Operator:
        """The operator of a factor; A and its transposed share their edges."""
        if not self._operators:
            whole = as_operator(self.matrices["A"], self.device)
            self._operators = {"A": whole, "AT": whole.T}
        if label not in self._operators:
            self._operators[label] = as_operator(self.matrices[label], self.device)
        return self._operators[label]

    def _pays(self, left: str, right: str) -> bool:
        if left + right not in self.matrices:
            self.matrices[left + right] = self._tried(self.matrices[left], self.matrices[right])
        return self.matrices[left + right] is not None

    def _tried(self, left: csr_array, right: csr_array) -> csr_array | None:
        if products_per_row(left, right).sum() > self.max_nnz:
            return None
        product = csr_array(left @ right)
        return product if product.nnz <= left.nnz + right.nnz else None


def _words(order: int) -> list[tuple[str, ...]]:
    return [word for length in range(1, order + 1) for word in itertools.product(("A", "AT"), repeat=length)]
