"""Reductions over groups that exactly associative aggregators are made of; plain torch, differentiable at will."""

import torch
from torch import Tensor

from graphlab.ops.segment_softmax import segment_logsumexp

# Below this, the hyperbolic sine and its sum over any group are far from overflow in float32.
_SAFE = 15.0
# The exponential of this is still a float32.
_LARGEST = 88.0


def segment_sum(x: Tensor, index: Tensor, dim_size: int) -> Tensor:
    r"""Sum the elements of each group: :math:`y_i = \sum_{j: \text{index}_j = i} x_j`.

    Args:
        x: The elements.
        index: The group of each element, in any order.
        dim_size: The number of groups.

    Shapes:
        - **x:** ``(num_elements, *)``
        - **output:** ``(dim_size, *)``
    """
    return x.new_zeros(dim_size, *x.shape[1:]).index_add(0, index, x)


def segment_max(x: Tensor, index: Tensor, dim_size: int, fill: float = -torch.inf) -> Tensor:
    r"""Maximum of each group and channel, without a gradient.

    Args:
        x: The elements.
        index: The group of each element, in any order.
        dim_size: The number of groups.
        fill: The value of an empty group.

    Shapes:
        - **x:** ``(num_elements, *)``
        - **output:** ``(dim_size, *)``
    """
    out = x.new_full((dim_size, *x.shape[1:]), fill)
    return out.scatter_reduce(0, _spread(index, x), x.detach(), "amax", include_self=True)


def segment_asinh_sum_sinh(x: Tensor, index: Tensor, dim_size: int) -> Tensor:
    r"""Sum under the hyperbolic sine: :math:`y_i = \operatorname{asinh} \sum_{j: \text{index}_j = i} \sinh(x_j)`.

    Never overflows: where a group holds large values, the sum is taken on their exponents. Small values beside large
    ones are lost to rounding, as they are in any sum.

    Args:
        x: The elements.
        index: The group of each element, in any order.
        dim_size: The number of groups.

    Shapes:
        - **x:** ``(num_elements, *)``
        - **output:** ``(dim_size, *)``
    """
    near = segment_max(x.abs(), index, dim_size, fill=0.0) <= _SAFE
    # Each branch gets harmless values where the other one counts, so that no nan enters the gradient.
    inside = near[index]
    small = torch.asinh(segment_sum(torch.where(inside, x, 0.0).sinh(), index, dim_size))
    large = torch.where(inside, _SAFE, x)
    plus, minus = segment_logsumexp(large, index, dim_size), segment_logsumexp(-large, index, dim_size)
    plus, minus = torch.where(near, 1.0, plus), torch.where(near, 0.0, minus)
    top = torch.maximum(plus, minus).detach()
    half = 0.5 * ((plus - top).exp() - (minus - top).exp())
    # Where large values cancel, what is left is small again, and the logarithm below has no slope.
    cancelled = half.abs() * (top - _SAFE).exp() <= 1
    left = torch.asinh(torch.where(cancelled, half * top.clamp(max=_LARGEST).exp(), 0.0))
    kept = torch.where(cancelled, 1.0, half)
    far = kept.sign() * (top + (kept.abs() + (kept.square() + (-2 * top).exp()).sqrt()).log())
    return torch.where(near, small, torch.where(cancelled, left, far))


def segment_topk(x: Tensor, index: Tensor, dim_size: int, k: int, fill: Tensor) -> Tensor:
    r"""The ``k`` largest values of each group, channel by channel, largest first; equal values all count.

    Args:
        x: The elements.
        index: The group of each element, in any order.
        dim_size: The number of groups.
        k: How many values to keep.
        fill: Stands for the values that a group of fewer than ``k`` elements does not have.

    Shapes:
        - **x:** ``(num_elements, channels)``
        - **fill:** ``(channels,)``
        - **output:** ``(dim_size, k, channels)``
    """
    arange = torch.arange(x.size(0), device=x.device).unsqueeze(1).expand_as(x)
    spread, nobody = _spread(index, x), x.size(0)
    left, taken = x.detach(), []
    for _ in range(k):
        top = segment_max(left, index, dim_size)
        found = ((left == top[index]) & (left > -torch.inf)) | left.isnan()
        candidate = torch.where(found, arange, nobody)
        arg = candidate.new_full((dim_size, x.size(1)), nobody)
        arg = arg.scatter_reduce(0, spread, candidate, "amin", include_self=True)
        taken.append(arg)
        left = torch.where(arange == arg[index], -torch.inf, left)
    padded = torch.cat([x, fill.unsqueeze(0)])
    return torch.stack([padded.gather(0, arg) for arg in taken], 1)


def _spread(index: Tensor, x: Tensor) -> Tensor:
    return index.view(-1, *[1] * (x.dim() - 1)).expand_as(x)
