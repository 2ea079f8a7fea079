import json
import struct

import numpy as np
import pytest
import torch
from safetensors.torch import save_file

from graphlab.disk import RawFile, SafetensorsFile
from graphlab.disk.array_file import ArrayFile
from graphlab.disk.array_source import array_source, store_array

DTYPES = [torch.float32, torch.float16, torch.float64, torch.int32, torch.int64, torch.uint8, torch.bool]


def rows_of(dtype, *shape):
    return torch.randint(0, 2 if dtype == torch.bool else 50, shape).to(dtype)


def held(info, root="/"):
    with ArrayFile(info, root) as array:
        return array.read(0, len(array))


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("version", [(1, 0), (2, 0)])
def test_npy_files_are_used_where_they_lie(tmp_path, dtype, version):
    rows = rows_of(dtype, 30, 7)
    with (tmp_path / "x.npy").open("wb") as file:
        np.lib.format.write_array(file, rows.numpy(), version)
    info = array_source("features", tmp_path / "x.npy")
    assert info.path == str(tmp_path / "x.npy") and torch.equal(held(info), rows)
    assert store_array(tmp_path, "features", info) is info
    assert array_source("features", str(tmp_path / "x.npy")) == info


@pytest.mark.parametrize("dtype", [*DTYPES, torch.bfloat16, torch.float8_e4m3fn])
def test_raw_and_safetensors_files_are_used_where_they_lie(tmp_path, dtype):
    rows = rows_of(dtype, 30, 7)
    data = rows.view(torch.uint8).numpy().tobytes()
    (tmp_path / "x.bin").write_bytes(bytes(11) + data)
    save_file({"a": rows, "odd": torch.zeros(3, dtype=torch.uint8)}, tmp_path / "two.safetensors")
    save_file({"a": rows}, tmp_path / "one.safetensors", metadata={"by": "us"})
    name = str(dtype).removeprefix("torch.")
    for given in (
        RawFile(tmp_path / "x.bin", dtype, (30, 7), 11),
        RawFile(str(tmp_path / "x.bin"), name, (-1, 7), 11),
        SafetensorsFile(tmp_path / "two.safetensors", "a"),
        tmp_path / "one.safetensors",
    ):
        info = array_source("features", given)
        assert info.torch_dtype == dtype and torch.equal(held(info).view(torch.uint8), rows.view(torch.uint8))


def test_memory_maps_are_used_where_they_lie(tmp_path):
    rows = np.random.default_rng(0).random((3000, 7), np.float32)
    np.save(tmp_path / "x.npy", rows)
    whole = np.load(tmp_path / "x.npy", mmap_mode="r")
    for part in (whole, whole[1000:], whole[500:2500][100:]):
        info = array_source("features", part)
        assert info.path == str(tmp_path / "x.npy") and np.array_equal(held(info).numpy(), part)
    shifted = np.memmap(tmp_path / "x.npy", np.float32, "r", offset=128 + 28 * 1000, shape=(2000, 7))
    assert np.array_equal(held(array_source("features", shifted[5:])).numpy(), rows[1005:])
    writeable = np.load(tmp_path / "x.npy", mmap_mode="r+")
    writeable[0] = 5
    assert (held(array_source("features", writeable))[0] == 5).all()
    for computed in (whole + 1, whole[[3, 1]]):
        assert np.array_equal(array_source("features", computed).numpy(), computed)
    with pytest.raises(ValueError, match=r"not row-major, or not of a file; give np.array"):
        array_source("features", whole[:, 1:])
    with pytest.raises(ValueError, match="mode 'c', whose changes are not in the file"):
        array_source("features", np.load(tmp_path / "x.npy", mmap_mode="c"))


def test_memory_is_written_when_it_is_stored(tmp_path):
    array = np.arange(12).reshape(3, 4)
    array.flags.writeable = False
    for given in (
        array,
        array[::-1],
        array[:, ::2],
        torch.from_numpy(array.copy()).T,
        torch.rand(3, requires_grad=True),
    ):
        source = array_source("y", given)
        assert not source.requires_grad
        info = store_array(tmp_path, "y", source)
        assert info.path == "y.bin" and torch.equal(held(info, tmp_path), source)
    assert np.array_equal(array_source("y", array[::-1]).numpy(), array[::-1])


def write(path, data):
    path.write_bytes(data)
    return path


def header(**tensors):
    text = json.dumps(tensors).encode()
    return struct.pack("<Q", len(text)) + text


def test_errors_name_the_file_and_the_way_out(tmp_path):
    fortran, big, text, cut = (tmp_path / f"{name}.npy" for name in ("fortran", "big", "text", "cut"))
    np.save(fortran, np.asfortranarray(np.ones((3, 4))))
    np.save(big, np.ones(3, ">f4"))
    np.save(text, np.array(["a"]))
    np.save(cut, np.ones(100))
    cut.write_bytes(cut.read_bytes()[:-1])
    four = write(tmp_path / "four.bin", bytes(16))
    entry = {"dtype": "F32", "shape": [9], "data_offsets": [0, 36]}
    two = write(tmp_path / "two.safetensors", header(a=entry, b=entry) + bytes(36))
    for given, message in [
        (fortran, r"fortran\.npy, which lies in column-major .* np\.save\(path, np\.ascontiguousarray"),
        (big, r"big\.npy with big-endian entries.*astype\('<f4'\)"),
        (text, r"text\.npy with entries of dtype <U1"),
        (cut, r"cut\.npy of 927 bytes, expected 928 for float64 of shape \(100,\) from byte 128 on; .* cut short"),
        (write(tmp_path / "no.npy", b"hello, world"), r"no\.npy, which is no \.npy file .* magic string"),
        (four, r"four\.bin, expected a \.npy or \.safetensors file; .* graphlab\.disk\.RawFile\(path, dtype, shape\)"),
        (RawFile(four, "float31", (4,)), "got dtype 'float31', expected a torch dtype or its name"),
        (RawFile(four, "float32", (5,)), r"four\.bin of 16 bytes, expected 20 for float32 of shape \(5,\)"),
        (
            RawFile(four, "float32", (-1, 3)),
            r"holds 16 bytes from byte 0 on, expected a multiple of the 12 bytes of a row",
        ),
        (RawFile(four, "float32", (2, -1)), r"got shape \(2, -1\) and offset 0, expected no negative numbers"),
        (RawFile(four, "float32", (2, 2), -4), "offset -4, expected no negative numbers"),
        (two, r"two\.safetensors, which holds a, b, expected one tensor only; give graphlab\.disk\.SafetensorsFile"),
        (SafetensorsFile(two, "c"), r"holds a, b, expected the tensor 'c'"),
        (write(tmp_path / "s.safetensors", header(a=entry)), r"s\.safetensors of \d+ bytes, expected \d+ for float32"),
        (write(tmp_path / "t.safetensors", bytes([255] * 20)), r"t\.safetensors, which is no .* its header has"),
        (
            write(tmp_path / "u.safetensors", struct.pack("<Q", 3) + b"[1]"),
            r"u\.safetensors, which is no \.safetensors",
        ),
        (
            write(tmp_path / "v.safetensors", header(a={**entry, "dtype": "Q2"})),
            "dtype Q2, which torch has no dtype for",
        ),
        (write(tmp_path / "w.safetensors", header(a={})), r"w\.safetensors, whose header is damaged at tensor 'a'"),
        (torch.tensor(3.0), "'features' got a single number"),
        (np.array(["a"]), "an array with entries of dtype <U1"),
    ]:
        with pytest.raises(ValueError, match=message):
            array_source("features", given)
    for given, message in [
        ([1, 2], "'features' got a list, expected a tensor"),
        (torch.eye(3).to_sparse(), "layout torch.sparse_coo, expected a dense one; call 'to_dense"),
    ]:
        with pytest.raises(TypeError, match=message):
            array_source("features", given)
    for given in (tmp_path / "none.npy", RawFile(tmp_path / "none.bin", "int8", (-1,)), tmp_path / "none.safetensors"):
        with pytest.raises(FileNotFoundError, match="'features' got a file that can not be read: No such file"):
            array_source("features", given)
