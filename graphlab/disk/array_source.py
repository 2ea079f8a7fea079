"""Arrays as users have them: in memory, or in files that are referred to where they lie."""

import json
import math
import mmap
import os
import warnings
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
import torch
from torch import Tensor

from graphlab.disk.array_file import describe, write_array
from graphlab.disk.store_info import ArrayInfo

_SAFETENSORS = {
    "BOOL": torch.bool,
    "U8": torch.uint8,
    "I8": torch.int8,
    "U16": torch.uint16,
    "I16": torch.int16,
    "U32": torch.uint32,
    "I32": torch.int32,
    "U64": torch.uint64,
    "I64": torch.int64,
    "F16": torch.float16,
    "BF16": torch.bfloat16,
    "F32": torch.float32,
    "F64": torch.float64,
    "F8_E4M3": torch.float8_e4m3fn,
    "F8_E5M2": torch.float8_e5m2,
}
_LONGEST_HEADER = 100 << 20


@dataclass(frozen=True)
class RawFile:
    """A row-major, little-endian array in a file that does not say what it is.

    Args:
        path: The file.
        dtype: The dtype of the entries, or its name, such as ``"bfloat16"``.
        shape: The shape, rows first; ``-1`` rows are as many as the file holds.
        offset: Where the first row starts, in bytes. (default: 0)
    """

    path: str | Path
    dtype: torch.dtype | str
    shape: tuple[int, ...]
    offset: int = 0


@dataclass(frozen=True)
class SafetensorsFile:
    """A tensor of a ``.safetensors`` file.

    Args:
        path: The file.
        key: The tensor's name. (default: the only one there is)
    """

    path: str | Path
    key: str | None = None


#: What users may give for an array.
ArrayGiven = Tensor | np.ndarray | str | Path | RawFile | SafetensorsFile
#: What becomes of it: memory, or a file.
ArraySource = Tensor | ArrayInfo


def array_source(name: str, given: ArrayGiven) -> ArraySource:
    """Return an array in memory as a tensor, and one in a file as where it lies; nothing is copied.

    Args:
        name: What the user calls it.
        given: A tensor, a NumPy array or memory map, the path of a ``.npy`` or ``.safetensors`` file, or a
            :class:`RawFile` or :class:`SafetensorsFile`.

    Raises:
        FileNotFoundError: There is no such file.
        TypeError: It is nothing of these.
        ValueError: The file is damaged, or its array is not row-major, little-endian, or of a dtype that torch has.
    """
    source = _source(name, given)
    if not source.shape:
        raise ValueError(f"'{name}' got a single number, expected an array with a row per node or edge")
    return source


def _source(name: str, given: ArrayGiven) -> ArraySource:
    match given:
        case Tensor():
            if given.layout != torch.strided:
                raise TypeError(
                    f"'{name}' got a tensor of layout {given.layout}, expected a dense one; call 'to_dense()'"
                )
            return given.detach().cpu()
        case np.memmap() if (mapped := _map_of(given)) is not None:
            return _memory_map(name, given, mapped)
        case np.ndarray():
            return _in_memory(name, given)
        case RawFile():
            return _raw(name, given)
        case SafetensorsFile():
            return _safetensors(name, Path(given.path), given.key)
        case str() | Path() if Path(given).suffix == ".npy":
            return _npy(name, Path(given))
        case str() | Path() if Path(given).suffix == ".safetensors":
            return _safetensors(name, Path(given), None)
        case str() | Path():
            raise ValueError(
                f"'{name}' got {given}, expected a .npy or .safetensors file; "
                "for a file without header give graphlab.disk.RawFile(path, dtype, shape)"
            )
    raise TypeError(
        f"'{name}' got a {type(given).__name__}, expected a tensor, a NumPy array or memory map, a path, "
        "a RawFile or a SafetensorsFile"
    )


def npy_array(name: str, path: Path) -> tuple[ArrayInfo, bool]:
    """Return where the array of a ``.npy`` file lies, and whether it lies there column by column.

    Args:
        name: What the user calls it.
        path: The file.

    Returns:
        The array as the row-major one that the file holds: of a column-major array that is the transpose.

    Raises:
        FileNotFoundError: There is no such file.
        ValueError: The file is damaged, or torch has no such dtype.
    """
    with _open(name, path) as file:
        try:
            version = np.lib.format.read_magic(file)
            if version not in ((1, 0), (2, 0)):
                raise ValueError(f"it has version {version}, expected (1, 0) or (2, 0)")
            header = np.lib.format.read_array_header_1_0 if version[0] == 1 else np.lib.format.read_array_header_2_0
            shape, by_columns, dtype = header(file)
        except ValueError as error:
            raise ValueError(f"'{name}' got {path}, which is no .npy file that can be used: {error}") from error
        offset = file.tell()
    shape = shape[::-1] if by_columns else shape
    return _in_place(name, path, _torch_dtype(name, path, dtype), shape, offset), by_columns


def store_array(root: Path, name: str, source: ArraySource) -> ArrayInfo:
    """Return an array's place, writing it into a file first if it is in memory.

    Args:
        root: The folder for new files.
        name: The new file's name without ``.bin``.
        source: The array.

    Raises:
        DiskFullError: There is no room for the file.
    """
    return write_array(root, f"{name}.bin", source) if isinstance(source, Tensor) else source


def _npy(name: str, path: Path) -> ArrayInfo:
    info, by_columns = npy_array(name, path)
    if by_columns:
        raise ValueError(
            f"'{name}' got {path}, which lies in column-major (Fortran) order, expected row-major (C) order; "
            "write it anew with np.save(path, np.ascontiguousarray(array))"
        )
    return info


def _map_of(given: np.memmap) -> mmap.mmap | None:
    """Return what an array lies in; what was computed from a memory map is one in name only."""
    base: object = given
    while isinstance(base, np.ndarray):
        base = base.base
    return base if isinstance(base, mmap.mmap) else None


def _memory_map(name: str, given: np.memmap, mapped: mmap.mmap) -> ArrayInfo:
    if given.mode == "c":
        raise ValueError(
            f"'{name}' got a memory map of mode 'c', whose changes are not in the file; "
            "open it with mode='r', or give np.array(it)"
        )
    if not given.flags.c_contiguous or given.filename is None:
        raise ValueError(f"'{name}' got a memory map that is not row-major, or not of a file; give np.array(it)")
    if given.flags.writeable:
        given.flush()
    # A slice keeps the 'offset' of the whole map, so what counts is where it lies in memory.
    start = given.offset - given.offset % mmap.ALLOCATIONGRANULARITY
    into_map = given.ctypes.data - np.frombuffer(mapped, np.uint8).ctypes.data
    path = Path(given.filename)
    return _in_place(name, path, _torch_dtype(name, path, given.dtype), given.shape, start + into_map)


def _in_memory(name: str, given: np.ndarray) -> Tensor:
    _torch_dtype(name, "an array", given.dtype)
    if any(stride < 0 for stride in given.strides):
        given = given.copy()
    with warnings.catch_warnings():
        # Torch warns of arrays that must not be written to; nobody does.
        warnings.simplefilter("ignore", UserWarning)
        return torch.from_numpy(given)


def _raw(name: str, given: RawFile) -> ArrayInfo:
    dtype = getattr(torch, given.dtype, None) if isinstance(given.dtype, str) else given.dtype
    if not isinstance(dtype, torch.dtype):
        raise ValueError(f"'{name}' got dtype {given.dtype!r}, expected a torch dtype or its name, such as 'float32'")
    path, shape = Path(given.path), tuple(given.shape)
    if not shape or min(shape[1:], default=0) < 0 or shape[0] < -1 or given.offset < 0:
        raise ValueError(f"'{name}' got shape {shape} and offset {given.offset}, expected no negative numbers")
    if shape[0] == -1:
        with _open(name, path) as file:
            held = file.seek(0, os.SEEK_END) - given.offset
        row_bytes = math.prod(shape[1:]) * dtype.itemsize
        if held < 0 or not row_bytes or held % row_bytes:
            raise ValueError(
                f"'{name}' got {path}, which holds {held:,} bytes from byte {given.offset:,} on, expected a multiple "
                f"of the {row_bytes:,} bytes of a row; give the number of rows"
            )
        shape = (held // row_bytes, *shape[1:])
    return _in_place(name, path, dtype, shape, given.offset)


def _safetensors(name: str, path: Path, key: str | None) -> ArrayInfo:
    start, tensors = _safetensors_header(name, path)
    if key is None and len(tensors) == 1:
        key = next(iter(tensors))
    if key not in tensors:
        asked = "one tensor only" if key is None else f"the tensor '{key}'"
        raise ValueError(
            f"'{name}' got {path}, which holds {', '.join(sorted(tensors)) or 'nothing'}, expected {asked}; "
            "give graphlab.disk.SafetensorsFile(path, key)"
        )
    try:
        dtype, shape, (begin, _) = (tensors[key][k] for k in ("dtype", "shape", "data_offsets"))
    except (KeyError, TypeError, ValueError) as error:
        raise ValueError(f"'{name}' got {path}, whose header is damaged at tensor '{key}'") from error
    if dtype not in _SAFETENSORS:
        raise ValueError(f"'{name}' got {path} with entries of dtype {dtype}, which torch has no dtype for")
    return _in_place(name, path, _SAFETENSORS[dtype], tuple(shape), start + begin)


def _safetensors_header(name: str, path: Path) -> tuple[int, dict[str, Any]]:
    """Return where the tensors start, and what the header says of each."""
    with _open(name, path) as file:
        size = file.seek(0, os.SEEK_END)
        file.seek(0)
        length = int.from_bytes(file.read(8), "little")
        try:
            if length > min(size, _LONGEST_HEADER):
                raise ValueError(f"its header has {length:,} bytes, the file {size:,}")
            tensors = dict(json.loads(file.read(length)))
        except (ValueError, TypeError) as error:
            raise ValueError(f"'{name}' got {path}, which is no .safetensors file: {error}") from error
    tensors.pop("__metadata__", None)
    return 8 + length, tensors


def _in_place(name: str, path: Path, dtype: torch.dtype, shape: tuple[int, ...], offset: int) -> ArrayInfo:
    with _open(name, path):
        info = describe(path, dtype, shape, offset)
    needed = offset + math.prod(shape) * dtype.itemsize
    if info.size < needed:
        raise ValueError(
            f"'{name}' got {path} of {info.size:,} bytes, expected {needed:,} for {info.dtype} of shape {shape} "
            f"from byte {offset:,} on; the file was cut short, or is of another dtype or shape"
        )
    return info


def _open(name: str, path: Path) -> BinaryIO:
    try:
        return path.open("rb")
    except OSError as error:
        raise type(error)(
            error.errno, f"'{name}' got a file that can not be read: {error.strerror}", str(path)
        ) from None


def _torch_dtype(name: str, path: object, dtype: np.dtype) -> torch.dtype:
    if not dtype.isnative:
        raise ValueError(
            f"'{name}' got {path} with big-endian entries, expected little-endian ones; "
            f"convert it with array.astype('{dtype.newbyteorder('<').str}')"
        )
    try:
        return torch.from_numpy(np.empty(0, dtype)).dtype
    except TypeError:
        raise ValueError(
            f"'{name}' got {path} with entries of dtype {dtype}, which torch has no dtype for; convert it, "
            "or name the dtype with graphlab.disk.RawFile(path, dtype, shape, offset)"
        ) from None
