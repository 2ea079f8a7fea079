"""Pairs of nodes lie within the graphs of a batch."""

from torch import Tensor


def check_inside(name: str, row: Tensor, col: Tensor, batch: Tensor) -> None:
    """Refuse edges and other pairs of nodes that join two graphs.

    Args:
        name: The argument that they came as.
        row: One node of each pair.
        col: The other node.
        batch: The graph of each node.

    Shapes:
        - **row, col:** ``(num_pairs,)``
        - **batch:** ``(num_nodes,)``

    Raises:
        ValueError: A pair belongs to no one graph.
    """
    apart = (batch[row] != batch[col]).nonzero().flatten()
    if apart.numel():
        i, j = int(row[apart[0]]), int(col[apart[0]])
        raise ValueError(
            f"'{name}' must lie within graphs, but leads from node {i} of graph {int(batch[i])} to node {j} of graph "
            f"{int(batch[j])}; check 'batch'"
        )
