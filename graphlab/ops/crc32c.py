"""Checksums of what lies on disk: CRC-32C, which processors compute at the speed of memory."""

import functools

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from graphlab.ops.byte_checks import check_in_one_piece
from graphlab.ops.host_op import HostOp

_POLYNOMIAL = 0x82F63B78  # reflected: the lowest bit is the highest power
_ONES = 0xFFFFFFFF
_WORD = 4
#: Bytes that the reference works on at once: few enough for the cache.
_STRETCH = 1 << 18

Registers = NDArray[np.uint32]


def crc32c_ref(data: Tensor, value: int) -> int:
    """The specification of :func:`crc32c`.

    Args:
        data: The bytes.
        value: The checksum of what came before.
    """
    data_bytes = data.detach().reshape(-1).view(torch.uint8).numpy()
    register = value ^ _ONES
    for begin in range(0, len(data_bytes), _STRETCH):
        stretch = data_bytes[begin : begin + _STRETCH]
        register = _shift(register, len(stretch)) ^ _fold(stretch)
    return register ^ _ONES


def _fold(data_bytes: NDArray[np.uint8]) -> int:
    """Return what an empty register holds after some bytes, by halving: the left neighbour, shifted, onto the right."""
    # In front of everything zeros change nothing, as the register is empty.
    registers = np.zeros(1 << (-(-len(data_bytes) // _WORD) - 1).bit_length(), np.dtype("<u4"))
    registers.view(np.uint8)[registers.nbytes - len(data_bytes) :] = data_bytes
    registers, power = registers.astype(np.uint32), 2
    while len(registers) > 1:
        registers = _apply(_shift_table(power), registers[0::2]) ^ registers[1::2]
        power += 1
    return _shift(int(registers[0]), _WORD)


@functools.cache
def _shift_table(power: int) -> Registers:
    """Return how 2^power zero bytes change the register, which is linear in it: an entry for each byte's each value."""
    if power:
        half = _shift_table(power - 1)
        return _apply(half, half)
    table = np.zeros((4, 256), np.uint32)
    table[0] = table[1] = np.arange(256)
    table[2], table[3] = table[1] << 8, table[1] << 16
    for _ in range(8):
        table[0] = (table[0] >> 1) ^ np.where(table[0] & 1, np.uint32(_POLYNOMIAL), np.uint32(0))
    return table


def _apply(table: Registers, registers: Registers) -> Registers:
    out = table[0][registers & 255]
    for place in (1, 2, 3):
        out ^= table[place][(registers >> (8 * place)) & 255]
    return out


def _shift(register: int, length: int) -> int:
    """Return what the register holds after ``length`` zero bytes."""
    for power in range(length.bit_length()):
        if length >> power & 1:
            register = int(_apply(_shift_table(power), np.array([register], np.uint32))[0])
    return register


_crc32c = HostOp("crc32c", crc32c_ref)


def crc32c(data: Tensor, value: int = 0) -> int:
    """Return the CRC-32C of a tensor's bytes.

    It is the remainder of the bytes, as a polynomial over two elements, divided by ``0x11EDC6F41``, lowest bits first,
    with all bits of the register inverted before and after (Castagnoli et al., `Optimization of cyclic
    redundancy-check codes with 24 and 32 parity bits`, 1993). It tells any change within 32 bits in a row, and of up
    to three bits in what is shorter than 256 MiB.

    Args:
        data: The tensor, of any type, contiguous and on the CPU.
        value: The checksum of the bytes before these, to go on from.

    Returns:
        The checksum, in [0, 2^32).

    Shapes:
        - **data:** any

    Raises:
        ValueError: ``data`` is not contiguous or lies on a device, or ``value`` is no checksum.

    Example:
        >>> import torch
        >>> from graphlab.ops import crc32c
        >>> data = torch.frombuffer(bytearray(b"123456789"), dtype=torch.uint8)
        >>> hex(crc32c(data)), hex(crc32c(data[4:], crc32c(data[:4])))
        ('0xe3069283', '0xe3069283')
    """
    if not isinstance(data, Tensor):
        raise TypeError(f"'data' must be a tensor, got {type(data).__name__}; torch.frombuffer makes one of a buffer")
    check_in_one_piece(data, "data")
    _check_checksum(value, "value")
    return _crc32c(data, value)


def crc32c_combine(crc_a: int, crc_b: int, length_b: int) -> int:
    """Return the checksum of two stretches, one after the other, from theirs.

    Args:
        crc_a: The checksum of the first stretch.
        crc_b: The checksum of the second one.
        length_b: The number of bytes of the second one.

    Raises:
        ValueError: A checksum is none, or the length is negative.

    Example:
        >>> import torch
        >>> from graphlab.ops import crc32c, crc32c_combine
        >>> data = torch.arange(10)
        >>> crc32c_combine(crc32c(data[:4]), crc32c(data[4:]), length_b=6 * 8) == crc32c(data)
        True
    """
    _check_checksum(crc_a, "crc_a")
    _check_checksum(crc_b, "crc_b")
    if length_b < 0:
        raise ValueError(f"'length_b' must not be negative, got {length_b}")
    return _shift(crc_a, length_b) ^ crc_b


def _check_checksum(value: int, name: str) -> None:
    if not 0 <= value <= _ONES:
        raise ValueError(f"'{name}' must be a checksum, in [0, 2^32), got {value}")
