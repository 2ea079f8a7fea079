"""Laws and published values of checksums."""

import os
import subprocess
import sys

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from graphlab.ops import crc32c, crc32c_combine, use_backend

backends = pytest.mark.parametrize("backend", ["auto", "ref"])
#: Around the lengths at which another loop of the kernel or the reference takes over.
LENGTHS = [*range(20), 255, 256, 767, 768, 769, 12287, 12288, 12289, 30000, (1 << 18) - 1, 1 << 18, (1 << 18) + 9]


def of(data: bytes) -> torch.Tensor:
    return torch.frombuffer(bytearray(data), dtype=torch.uint8) if data else torch.empty(0, dtype=torch.uint8)


def bit_by_bit(data: bytes) -> int:
    register = 0xFFFFFFFF
    for byte in data:
        register ^= byte
        for _ in range(8):
            register = register >> 1 ^ (0x82F63B78 if register & 1 else 0)
    return register ^ 0xFFFFFFFF


def random_bytes(length: int) -> torch.Tensor:
    return torch.randint(0, 256, (length,), dtype=torch.uint8, generator=torch.Generator().manual_seed(length))


@backends
@pytest.mark.parametrize(
    ("data", "published"),  # RFC 3720, appendix B.4, and the check value of the CRC catalogue
    [
        (b"", 0),
        (b"123456789", 0xE3069283),
        (bytes(32), 0x8A9136AA),
        (b"\xff" * 32, 0x62A8AB43),
        (bytes(range(32)), 0x46DD794E),
        (bytes(range(31, -1, -1)), 0x113FDB5C),
    ],
)
def test_published_values(backend, data, published):
    with use_backend(backend):
        assert crc32c(of(data)) == published


@backends
@given(st.binary(max_size=100))
def test_it_is_the_remainder(backend, data):
    with use_backend(backend):
        assert crc32c(of(data)) == bit_by_bit(data)


@pytest.mark.parametrize("length", LENGTHS)
@pytest.mark.parametrize("begin", [0, 1, 3, 8])
def test_the_kernel_equals_the_reference_wherever_the_data_lie(length, begin):
    data = random_bytes(length + begin)[begin:]
    with use_backend("ref"):
        wanted = crc32c(data, 12345)
    assert crc32c(data, 12345) == crc32c(data.clone(), 12345) == wanted


@backends
@given(st.binary(max_size=60), st.integers(0, 60))
def test_stretches_go_on_and_combine(backend, data, cut):
    with use_backend(backend):
        first, second, whole = crc32c(of(data[:cut])), crc32c(of(data[cut:])), crc32c(of(data))
        assert crc32c(of(data[cut:]), first) == whole
        assert crc32c_combine(first, second, len(data[cut:])) == whole


@given(st.integers(0, 2**32 - 1), st.integers(0, 2**32 - 1), st.integers(0, 2**60), st.integers(0, 2**60))
def test_combining_is_associative_for_lengths_beyond_memory(a, b, length, more):
    c = 0x1234ABCD
    left = crc32c_combine(crc32c_combine(a, b, length), c, more)
    assert left == crc32c_combine(a, crc32c_combine(b, c, more), length + more)


def test_combining_stretches_of_several_megabytes():
    data = random_bytes(3_000_001)
    first, second = data[:1_234_567], data[1_234_567:]
    assert crc32c_combine(crc32c(first), crc32c(second), second.numel()) == crc32c(data)


@backends
@pytest.mark.parametrize("dtype", [torch.bool, torch.int16, torch.bfloat16, torch.float64, torch.complex64])
@pytest.mark.parametrize("shape", [(), (0, 3), (5,), (2, 3)])
def test_any_type_and_shape_is_its_bytes(backend, dtype, shape):
    t = torch.arange(6).to(dtype)[: torch.Size(shape).numel()].reshape(shape)
    with use_backend(backend):
        assert crc32c(t) == bit_by_bit(bytes(t.reshape(-1).view(torch.uint8).tolist()))
        assert crc32c(t.clone().requires_grad_(dtype.is_floating_point)) == crc32c(t)


@given(st.integers(0, 4999), st.integers(0, 7))
def test_no_flipped_bit_is_missed(byte, bit):
    data = random_bytes(5000)
    whole = crc32c(data)
    data[byte] ^= 1 << bit
    assert crc32c(data) != whole


def test_processors_without_the_instruction_use_tables():
    code = (
        "import torch; from graphlab.ops import crc32c; g = torch.Generator().manual_seed(7);"
        "print([crc32c(torch.randint(0, 256, (n,), dtype=torch.uint8, generator=g)[1:]) for n in (1, 9, 50, 20000)])"
    )
    said = {
        isa: subprocess.run(
            [sys.executable, "-c", code],
            env={**os.environ, "GRAPHLAB_ISA": isa},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for isa in ("base", "avx512")
    }
    assert said["base"] == said["avx512"] != ""


@backends
def test_wrong_arguments_are_told(backend):
    data = torch.zeros(4, 4)
    with use_backend(backend):
        with pytest.raises(ValueError, match=r"'data' must be contiguous, got strides \(1, 4\)"):
            crc32c(data.T)
        with pytest.raises(ValueError, match="'data' must lie in main memory, got meta"):
            crc32c(data.to("meta"))
        with pytest.raises(TypeError, match="'data' must be a tensor, got bytes"):
            crc32c(b"abc")
        with pytest.raises(ValueError, match=r"'value' must be a checksum, in \[0, 2\^32\), got -1"):
            crc32c(data, -1)
    with pytest.raises(ValueError, match="'crc_b' must be a checksum"):
        crc32c_combine(0, 2**32, 1)
    with pytest.raises(ValueError, match="'length_b' must not be negative, got -1"):
        crc32c_combine(0, 0, -1)
