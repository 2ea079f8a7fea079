"""Numbering the nodes of a mini-batch as they come."""

import torch
from torch import Tensor

from graphlab.ops import sample_checks as checks
from graphlab.ops.host_op import HostOp
from graphlab.ops.kernels import INDEX_DTYPES


def extend_nodes_ref(node: Tensor, neighbor: Tensor) -> tuple[Tensor, Tensor]:
    """Look up each neighbour in a dictionary, which the new ones extend."""
    places: dict[int, int] = {}
    for place, i in enumerate(node.tolist()):
        places.setdefault(i, place)
    added: list[int] = []
    local = []
    for i in neighbor.tolist():
        place = places.setdefault(i, node.numel() + len(added))
        if place == node.numel() + len(added):
            added.append(i)
        local.append(place)
    return torch.tensor(local, dtype=node.dtype), torch.tensor(added, dtype=node.dtype)


_extend_nodes = HostOp("extend_nodes", extend_nodes_ref)


def extend_nodes(node: Tensor, neighbor: Tensor) -> tuple[Tensor, Tensor]:
    """Return the place of each neighbour in a batch's list of nodes, and the new nodes that go at its end.

    Args:
        node: The nodes that the batch has, int32 or int64; of equal ones the first is found.
        neighbor: The nodes to look up, of the same type.

    Returns:
        ``local``, places in ``node`` followed by ``added``, and ``added``, each new node once, in the order they came.

    Shapes:
        - **node:** ``(num_nodes,)``
        - **neighbor:** ``(num_neighbors,)``
        - **output:** ``(num_neighbors,)`` and ``(num_added,)``

    Raises:
        ValueError: A tensor is no vector of integers in main memory, or they are of different types.
        TypeError: An argument is no tensor.

    Example:
        >>> import torch
        >>> from graphlab.ops import extend_nodes
        >>> extend_nodes(torch.tensor([7, 3]), torch.tensor([3, 9, 9, 7]))
        (tensor([1, 2, 2, 0]), tensor([9]))
    """
    checks.check_vector(node, "node", INDEX_DTYPES)
    checks.check_vector(neighbor, "neighbor", (node.dtype,))
    return _extend_nodes(node, neighbor)
