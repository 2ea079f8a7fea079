"""How many nodes the bags of a dense batch have."""

from torch import Tensor

_SHAPES = ("(num_bags, channels)", "(num_bags, m, channels)", "(num_bags, m, m, channels)")


def bag_size(x: Tensor, order_in: int, order_out: int, num_nodes: int | None = None) -> int:
    """Read the number of nodes off a batch of bags.

    Args:
        x: The batch.
        order_in: 0, 1 or 2, the order that ``x`` must have.
        order_out: The order of what is to come of it; 0 needs no number of nodes.
        num_nodes: The number of nodes, where ``x`` does not tell it.

    Raises:
        ValueError: ``x`` is not of its order or not square, its bags are of another size than ``num_nodes``, or their
            size is needed and missing.
    """
    if x.dim() != order_in + 2 or (order_in == 2 and x.size(1) != x.size(2)):
        raise ValueError(f"'x' must have shape {_SHAPES[order_in]} for order {order_in}, got {tuple(x.shape)}")
    if order_in == 0:
        if num_nodes is None and order_out > 0:
            raise ValueError(f"'num_nodes' is missing: from order 0 to order {order_out}, 'x' does not tell it")
        size = num_nodes or 0
        if size < 0:
            raise ValueError(f"'num_nodes' must not be negative, got {num_nodes}")
        return size
    if num_nodes not in (None, x.size(1)):
        raise ValueError(f"'num_nodes' is {num_nodes}, but 'x' has bags of {x.size(1)} nodes; leave it out")
    return x.size(1)
