"""Laws of putting rows together."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from graphlab.ops import assemble_rows, kernels, use_backend

backends = pytest.mark.parametrize("backend", ["auto", "ref"])
HOT = -(2**31)


def table(rows: int, row_bytes: int, seed: int) -> torch.Tensor:
    generator = torch.Generator().manual_seed(seed)
    return torch.randint(0, 256, (rows, row_bytes), dtype=torch.uint8, generator=generator)


def places(*rows: int) -> torch.Tensor:
    return torch.tensor(rows, dtype=torch.int32)


def shifted(t: torch.Tensor, by: int) -> torch.Tensor:
    """The same bytes inside a larger buffer, ``by`` bytes from its beginning."""
    buffer = torch.zeros(t.numel() + by + 5, dtype=torch.uint8)
    view = buffer[by : by + t.numel()].view(t.shape)
    view.copy_(t)
    return view


@backends
@pytest.mark.parametrize("row_bytes", [1, 7, 63, 64, 512, 4100, 9000])
@given(st.lists(st.tuples(st.booleans(), st.integers(0, 4)), max_size=40), st.integers(0, 9))
def test_each_row_is_the_one_named(backend, row_bytes, named, shift):
    pack, hot = shifted(table(5, row_bytes, 1), shift), table(5, row_bytes, 2)
    place = places(*(HOT + row if is_hot else row for is_hot, row in named))
    out = shifted(torch.zeros(len(named), row_bytes, dtype=torch.uint8), 9 - shift)
    with use_backend(backend):
        assert assemble_rows(pack, hot, place, row_bytes, out) is out
    assert out.tolist() == [(hot if is_hot else pack)[row].tolist() for is_hot, row in named]


@backends
@pytest.mark.parametrize(("packs", "hots"), [(0, 3), (3, 0), (0, 0)])
def test_a_table_may_be_empty(backend, packs, hots):
    pack, hot = table(packs, 6, 1), table(hots, 6, 2)
    place = torch.cat([torch.arange(packs), torch.arange(hots) + HOT]).int()
    out = torch.empty(packs + hots, 6, dtype=torch.uint8)
    with use_backend(backend):
        assert torch.equal(assemble_rows(pack, hot, place, 6, out), torch.cat([pack, hot]))


@backends
def test_flat_buffers_and_strided_places_serve_as_well(backend):
    pack, hot = table(4, 8, 1), table(4, 8, 2)
    place = places(3, 99, HOT + 1, 99)[::2]
    with use_backend(backend):
        out = assemble_rows(pack.flatten(), hot.flatten(), place, 8, torch.empty(16, dtype=torch.uint8))
    assert torch.equal(out.view(2, 8), torch.stack([pack[3], hot[1]]))


@backends
@pytest.mark.parametrize(
    ("bad", "said"),
    [
        (5, r"place\[3\] is row 5 of 'pack', which has 5"),
        (2**31 - 1, r"place\[3\] is row 2147483647 of 'pack', which has 5"),
        (HOT + 2, r"place\[3\] is row 2 of 'hot', which has 2"),
        (-1, r"place\[3\] is row 2147483647 of 'hot', which has 2"),
    ],
)
def test_a_row_that_is_not_there_is_told_before_anything_is_written(backend, bad, said):
    place = places(0, HOT + 1, 4, bad, 1, bad + 1 if bad < 2**31 - 1 else bad)
    out = torch.full((6, 3), 77, dtype=torch.uint8)
    with (
        use_backend(backend),
        pytest.raises((ValueError, RuntimeError), match="'place' must name rows that exist, but " + said),
    ):
        assemble_rows(table(5, 3, 1), table(2, 3, 2), place, 3, out)
    assert (out == 77).all()


@backends
def test_wrong_arguments_are_told(backend):
    pack, hot, place, out = table(4, 6, 1), table(4, 6, 2), places(0, 1), torch.empty(2, 6, dtype=torch.uint8)
    buffer, wide = table(6, 6, 3), torch.zeros(40, dtype=torch.uint8)
    wrong = [
        ((pack, hot, place, 0, out), "'row_bytes' must be positive, got 0"),
        ((pack, hot, place.long(), 6, out), "'place' must be int32, got int64"),
        ((pack, hot, place[None], 6, out), "'place' must have 1 dimension"),
        ((pack.int(), hot, place, 6, out), "'pack' must be uint8, got int32; view it as torch.uint8"),
        ((pack, hot.T, place, 6, out), "'hot' must be contiguous, got strides"),
        ((pack, hot.to("meta"), place, 6, out), "'hot' must lie in main memory, got meta"),
        ((pack, hot, place, 5, out), "'pack' must hold whole rows of 5 bytes, got 24 bytes"),
        ((pack, hot, place, 6, out[:1]), "'out' must hold the 2 rows of 'place', got 1"),
        ((pack, hot, wide.view(torch.int32)[:4], 6, wide[:24]), "'out' must not share memory with 'place'"),
        # It begins before, and only counted in bytes does it reach so far.
        ((pack, hot, wide.view(torch.int32)[:4], 6, wide[10:34]), "'out' must not share memory with 'place'"),
        ((pack, hot, wide.view(torch.int32)[::3][:2], 6, wide[14:26]), "'out' must not share memory with 'place'"),
        ((buffer[2:], hot, place, 6, buffer[1:3]), "'out' must not share memory with 'pack'"),
        ((pack, buffer[2:], place, 6, buffer[1:3]), "'out' must not share memory with 'hot'"),
    ]
    with use_backend(backend):
        for args, said in wrong:
            with pytest.raises(ValueError, match=said):
                assemble_rows(*args)
        with pytest.raises(TypeError, match="'out' must be a tensor, got list"):
            assemble_rows(pack, hot, place, 6, [])  # pyright: ignore[reportArgumentType]
        # Side by side in one buffer is apart.
        assemble_rows(buffer[2:], hot, place, 6, buffer[:2])


@pytest.mark.skipif(bool(kernels.missing("_C")), reason="nothing is compiled")
def test_the_kernel_takes_no_memory_that_it_writes():
    out, pack = torch.zeros(64 * 1024, dtype=torch.uint8), torch.full((1024,), 127, dtype=torch.uint8)
    with pytest.raises(RuntimeError, match="'out' must not share memory with 'place'"):
        torch.ops.graphlab.assemble_rows(pack, pack[:0], out[:256].view(torch.int32), 1024, out)
