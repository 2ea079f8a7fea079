"""Checks that ops on buffers of bytes share."""

import torch
from torch import Tensor


def check_bytes(t: Tensor, name: str) -> None:
    """Refuse what is not a contiguous buffer of bytes on the host.

    Args:
        t: The tensor.
        name: What the user calls it.
    """
    if not isinstance(t, Tensor):
        raise TypeError(f"'{name}' must be a tensor, got {type(t).__name__}; torch.frombuffer makes one of a buffer")
    if t.dtype != torch.uint8:
        raise ValueError(f"'{name}' must be uint8, got {str(t.dtype).removeprefix('torch.')}; view it as torch.uint8")
    check_in_one_piece(t, name)


def check_in_one_piece(t: Tensor, name: str) -> None:
    """Refuse tensors elsewhere than on the host, and those with gaps.

    Args:
        t: The tensor.
        name: What the user calls it.
    """
    if t.device.type != "cpu":
        raise ValueError(f"'{name}' must lie in main memory, got {t.device}; move it there")
    if not t.is_contiguous():
        raise ValueError(f"'{name}' must be contiguous, got strides {t.stride()} for shape {tuple(t.shape)}")


def check_apart(t: Tensor, name: str, out: Tensor) -> None:
    """Refuse inputs in the memory of a contiguous output.

    Args:
        t: The input.
        name: What the user calls it.
        out: The output.
    """
    if not t.numel() or not out.numel():
        return
    steps = sum((size - 1) * stride for size, stride in zip(t.shape, t.stride(), strict=True))
    begin, end = t.data_ptr(), t.data_ptr() + (steps + 1) * t.element_size()
    if begin < out.data_ptr() + out.nbytes and out.data_ptr() < end:
        raise ValueError(f"'out' must not share memory with '{name}'; give it a buffer of its own")


def check_positive(value: int, name: str) -> None:
    """Refuse counts below 1.

    Args:
        value: The count.
        name: What the user calls it.
    """
    if value < 1:
        raise ValueError(f"'{name}' must be positive, got {value}")
