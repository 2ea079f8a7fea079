"""Row and column sums of pair features inside bags of nodes, and giving rows and columns back to the pairs."""

import torch
from torch import Tensor

from graphlab.ops.bag_pairs import check_indices
from graphlab.ops.csr import rows_of
from graphlab.ops.op import Op
from graphlab.ops.precision import widened


def bag_sums(
    x: Tensor,
    node_ptr: Tensor,
    pair: Tensor,
    weight: Tensor | None = None,
    scale: Tensor | None = None,
    num_places: int | None = None,
) -> Tensor:
    r"""Return, for each place of each bag, the diagonal entry and the sums of its row and column.

    .. math::
        y_{vi} = \Big[\, w_{v0}\, s_{ii} x_{ii} \,\Big\Vert\, w_{v1} \sum_{j \in S_v} s_{ij} x_{ij} \,\Big\Vert\,
        w_{v2} \sum_{j \in S_v} s_{ji} x_{ji} \,\Big]

    where :math:`S_v` are the bags. No bag's :math:`|S_v|^2` features are written. Linear, with :func:`bag_spread` for
    its derivative and the reverse. Same bits for any number of threads.

    Args:
        x: Features of pairs; half precision is added up in float32.
        node_ptr: Where the nodes of each bag begin.
        pair: The number of the pair at each two places of each bag, see :class:`graphlab.ops.BagPairs`.
        weight: The factors :math:`w` of each bag's diagonal, rows and columns, which get no gradient; ``None`` for 1.
        scale: The factor :math:`s` of each pair, likewise.
        num_places: The last entry of ``node_ptr``; known, it need not be read off.

    Shapes:
        - **x:** ``(num_pairs, channels)``
        - **node_ptr:** ``(num_bags + 1,)``
        - **weight:** ``(num_bags, 3)``
        - **scale:** ``(num_pairs,)``
        - **output:** ``(num_places, 3 * channels)``

    Raises:
        ValueError, RuntimeError: An argument is wrong.

    Example:
        >>> import torch
        >>> from graphlab.ops import bag_pairs, bag_sums
        >>> node_ptr = torch.tensor([0, 2])
        >>> pairs = bag_pairs(torch.tensor([0, 1]), node_ptr, num_nodes=2)  # (0, 0), (1, 1), (0, 1), (1, 0)
        >>> x = torch.tensor([[1.0], [4.0], [2.0], [3.0]])  # the matrix ((1, 2), (3, 4))
        >>> bag_sums(x, node_ptr, pairs.pair).tolist()
        [[1.0, 3.0, 4.0], [4.0, 7.0, 6.0]]
    """
    weight, scale = _checked(x, "x", node_ptr, pair, weight, scale)
    num_places = int(node_ptr[-1]) if num_places is None else num_places
    return bag_sums_op(node_ptr.long(), pair, weight, scale, widened(x), num_places).to(x.dtype)


def bag_spread(
    y: Tensor,
    node_ptr: Tensor,
    pair: Tensor,
    num_pairs: int,
    weight: Tensor | None = None,
    scale: Tensor | None = None,
) -> Tensor:
    r"""Add up at each pair what its rows, columns and, at :math:`(i, i)`, places have in all bags that hold it.

    .. math::
        x_{ij} = s_{ij} \sum_{v :\, i, j \in S_v} \left( w_{v0}\, \delta_{ij} d_{vi} + w_{v1} r_{vi} + w_{v2} c_{vj}
        \right), \qquad y_{vi} = [\, d_{vi} \,\Vert\, r_{vi} \,\Vert\, c_{vi} \,]

    Linear, with :func:`bag_sums` for its derivative and the reverse. Same bits for any number of threads.

    Args:
        y: What each place has for its diagonal entry, its row and its column.
        node_ptr: Where the nodes of each bag begin.
        pair: The number of the pair at each two places of each bag.
        num_pairs: The number of pairs.
        weight: The factors :math:`w` of each bag's diagonal, rows and columns, which get no gradient; ``None`` for 1.
        scale: The factor :math:`s` of each pair, likewise.

    Shapes:
        - **y:** ``(num_places, 3 * channels)``
        - **node_ptr:** ``(num_bags + 1,)``
        - **weight:** ``(num_bags, 3)``
        - **scale:** ``(num_pairs,)``
        - **output:** ``(num_pairs, channels)``

    Raises:
        ValueError, RuntimeError: An argument is wrong.

    Example:
        >>> import torch
        >>> from graphlab.ops import bag_pairs, bag_spread
        >>> node_ptr = torch.tensor([0, 2])
        >>> pairs = bag_pairs(torch.tensor([0, 1]), node_ptr, num_nodes=2)  # (0, 0), (1, 1), (0, 1), (1, 0)
        >>> y = torch.tensor([[0.0, 1.0, 10.0], [100.0, 2.0, 20.0]])
        >>> bag_spread(y, node_ptr, pairs.pair, num_pairs=4).flatten().tolist()
        [11.0, 122.0, 21.0, 12.0]
    """
    weight, scale = _checked(y, "y", node_ptr, pair, weight, scale)
    if y.size(1) % 3:
        raise ValueError(f"'y' must have a multiple of 3 columns, got shape {tuple(y.shape)}")
    return bag_spread_op(node_ptr.long(), pair, weight, scale, widened(y), num_pairs).to(y.dtype)


def _checked(
    x: Tensor, name: str, node_ptr: Tensor, pair: Tensor, weight: Tensor | None, scale: Tensor | None
) -> list[Tensor | None]:
    """Refuse what is no feature, index or constant; return the constants in the precision of sums."""
    if x.dim() != 2 or not x.is_floating_point():
        raise ValueError(f"'{name}' must be a matrix of floats, got {x.dtype} of shape {tuple(x.shape)}")
    check_indices(node_ptr, "node_ptr")
    check_indices(pair, "pair")
    for constant, called in ((weight, "weight"), (scale, "scale")):
        if constant is not None and constant.requires_grad and torch.is_grad_enabled():
            raise ValueError(f"'{called}' gets no gradient, but requires one; give {called}.detach()")
    return [None if constant is None else widened(constant.to(x.dtype)) for constant in (weight, scale)]


def bag_sums_ref(
    node_ptr: Tensor, pair: Tensor, weight: Tensor | None, scale: Tensor | None, x: Tensor, num_places: int
) -> Tensor:
    """The specification of :func:`bag_sums`: gather the features of all bags' pairs, then scatter.

    Args:
        node_ptr: Where the nodes of each bag begin.
        pair: The number of the pair at each two places of each bag.
        weight: The factors of each bag.
        scale: The factor of each pair.
        x: Features of pairs.
        num_places: The last entry of ``node_ptr``.
    """
    row, col = _places(node_ptr)
    entry = _scaled(widened(x), scale)[pair.long()]
    sums = entry.new_zeros(num_places, 3, x.size(1))
    same = row == col
    sums[row[same], 0] = entry[same]
    sums[:, 1] = sums[:, 1].index_add(0, row, entry)
    sums[:, 2] = sums[:, 2].index_add(0, col, entry)
    return _weighted(sums, node_ptr, weight).flatten(1).to(x.dtype)


def bag_spread_ref(
    node_ptr: Tensor, pair: Tensor, weight: Tensor | None, scale: Tensor | None, y: Tensor, num_pairs: int
) -> Tensor:
    """The specification of :func:`bag_spread`: make the features of all bags' pairs, then scatter.

    Args:
        node_ptr: Where the nodes of each bag begin.
        pair: The number of the pair at each two places of each bag.
        weight: The factors of each bag.
        scale: The factor of each pair.
        y: What each place has for its diagonal entry, its row and its column.
        num_pairs: The number of pairs.
    """
    row, col = _places(node_ptr)
    parts = _weighted(widened(y).view(y.size(0), 3, y.size(1) // 3), node_ptr, weight)
    diagonal, of_row, of_col = parts.unbind(1)
    entry = torch.where((row == col).unsqueeze(1), diagonal[row], 0) + of_row[row] + of_col[col]
    return _scaled(entry.new_zeros(num_pairs, entry.size(1)).index_add(0, pair.long(), entry), scale).to(y.dtype)


def _places(node_ptr: Tensor) -> tuple[Tensor, Tensor]:
    """The place of each entry's row and column."""
    size = node_ptr.diff()
    square_ptr = torch.cat([size.new_zeros(1), (size * size).cumsum(0)])
    bag = rows_of(square_ptr)
    entry = torch.arange(bag.numel(), device=bag.device) - square_ptr[bag]
    return node_ptr[bag] + entry // size[bag], node_ptr[bag] + entry % size[bag]


def _weighted(parts: Tensor, node_ptr: Tensor, weight: Tensor | None) -> Tensor:
    return parts if weight is None else parts * widened(weight)[rows_of(node_ptr)].unsqueeze(2)


def _scaled(x: Tensor, scale: Tensor | None) -> Tensor:
    return x if scale is None else x * widened(scale).unsqueeze(1)


def _setup(ctx, inputs, output) -> None:
    *bags, x, _ = inputs
    ctx.length = x.size(0)
    ctx.save_for_backward(*bags)


def _sums_backward(ctx, grad: Tensor) -> tuple:
    return None, None, None, None, bag_spread_op(*ctx.saved_tensors, grad, ctx.length), None


def _spread_backward(ctx, grad: Tensor) -> tuple:
    return None, None, None, None, bag_sums_op(*ctx.saved_tensors, grad, ctx.length), None


bag_sums_op = Op(
    "bag_sums",
    "(Tensor node_ptr, Tensor pair, Tensor? weight, Tensor? scale, Tensor x, SymInt num_places) -> Tensor",
    values=4,
    reference=bag_sums_ref,
    fake=lambda node_ptr, pair, weight, scale, x, num_places: x.new_empty(num_places, 3 * x.size(1)),
    setup=_setup,
    backward=_sums_backward,
    dtypes=(torch.float32, torch.float64),
)

bag_spread_op = Op(
    "bag_spread",
    "(Tensor node_ptr, Tensor pair, Tensor? weight, Tensor? scale, Tensor y, SymInt num_pairs) -> Tensor",
    values=4,
    reference=bag_spread_ref,
    fake=lambda node_ptr, pair, weight, scale, y, num_pairs: y.new_empty(num_pairs, y.size(1) // 3),
    setup=_setup,
    backward=_spread_backward,
    dtypes=(torch.float32, torch.float64),
)
