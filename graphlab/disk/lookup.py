"""Many rows of an array at once: from memory where the array fits, else in one sequential pass over its file."""

import torch
from torch import Tensor

from graphlab.disk.array_file import UNKNOWN_CRC, ArrayFile

#: Bytes that are read at once.
STEP = 8 << 20


class Lookup:
    """The rows of an array by their numbers.

    Args:
        array: The array.
        load: Whether to keep it in memory.

    Raises:
        CorruptStoreError: It was loaded, and is not what was written.

    Example:
        >>> import tempfile, torch
        >>> from pathlib import Path
        >>> from graphlab.disk.array_file import ArrayFile, write_array
        >>> from graphlab.disk.lookup import Lookup
        >>> root = Path(tempfile.mkdtemp())
        >>> array = ArrayFile(write_array(root, "y.bin", torch.arange(10, 15)), root)
        >>> Lookup(array, load=False)(torch.tensor([3, 0, 3]))
        tensor([13, 10, 13])
    """

    def __init__(self, array: ArrayFile, *, load: bool) -> None:
        self.array = array
        self.table = read_checked(array) if load else None

    def bytes_per_id(self) -> int:
        """Return the bytes of memory that looking up one row takes at most, its number among them."""
        return (8 if self.table is not None else 32) + 2 * self.array.row_bytes

    def __call__(self, ids: Tensor) -> Tensor:
        """Return rows in the order asked for.

        Args:
            ids: The rows.

        Shapes:
            - **ids:** ``(num_rows,)``
            - **output:** ``(num_rows, *row_shape)``
        """
        if self.table is not None:
            return self.table.index_select(0, ids)
        ids, order = torch.sort(ids)
        out = torch.empty((len(ids), *self.array.row_shape), dtype=self.array.dtype)
        step = max(1, STEP // max(self.array.row_bytes, 1))
        begin = 0
        while begin < len(ids):
            first = int(ids[begin])
            end = int(torch.searchsorted(ids, min(first + step, len(self.array))))
            rows = self.array.read(first, int(ids[end - 1]) + 1)
            out[order[begin:end]] = rows.index_select(0, ids[begin:end] - first)
            begin = end
        return out


def read_checked(array: ArrayFile) -> Tensor:
    """Read an array as a whole and compare its checksum, where it has one.

    Args:
        array: The array.

    Raises:
        CorruptStoreError: It is not what was written.
    """
    return array.read() if array.info.crc32c == UNKNOWN_CRC else array.read_checked()
