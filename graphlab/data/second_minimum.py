"""The second-smallest element of a multiset, the set task of learnable commutative monoids."""

from collections.abc import Sequence
from pathlib import Path
from typing import Literal, NamedTuple

import numpy as np
import torch
from torch import Tensor

from graphlab.data.pyg import Transform
from graphlab.data.synthetic import SyntheticDataset, cached, check_counts, check_seed

_VERSION = 1
_TRAIN_SIZES = (2, 16)
_VALID_SIZE = 32
_TEST_SIZES = (8, 16, 32, 64, 100, 200)
_MAX_BITS = 32


class Multisets(NamedTuple):
    """Multisets one after another; set ``i`` is ``values[ptr[i]:ptr[i + 1]]``.

    Shapes:
        - values: ``[total]``, int64
        - ptr: ``[n + 1]``, int64
        - y: ``[n]``, int64; the second-smallest element of each set
    """

    values: Tensor
    ptr: Tensor
    y: Tensor


class SecondMinimum(SyntheticDataset):
    r"""Multisets of random integers, each labelled with its second-smallest element.

    .. math:: y(X) = \mathrm{sorted}(X)_1, \quad \text{so } y(\{3, 3, 7\}) = 3

    A target that no fixed aggregator expresses and whose right answer is a monoid (Ong and
    Veličković 2022, Learnable Commutative Monoids for Graph Neural Networks, arXiv 2212.08541,
    section 3.1). Integers are uniform on ``[0, 2 ** bits)``. Training sets have 2 to 16 elements,
    uniformly (a set of one has no second minimum, and the paper does not say what it would be),
    validation sets 32; test sets are of each size in ``test_sizes``. A split depends on the seed
    and its own arguments alone.

    As a PyG data set it yields ``Data(x=values, y=answer)`` with ``x`` of shape ``[n]`` and ``y``
    of shape ``[1]``, int64, and no edges. For speed take :meth:`multisets`.

    Args:
        root: Folder to keep the generated tensors in; default as in :func:`graphlab.data.load`.
        bits: Width of the integers, 1 to 32.
        num_train: Training sets.
        num_valid: Validation sets.
        num_test: Test sets of each size.
        test_sizes: Sizes of test sets, 2 or more each.
        seed: Seed of all randomness, 0 or more.
        transform: Applied to a PyG item at every access.

    Raises:
        ValueError: If an argument is out of range.

    Example:
        >>> import tempfile
        >>> from graphlab.data import SecondMinimum
        >>> data = SecondMinimum(tempfile.mkdtemp(), num_train=10, num_valid=5, num_test=5)
        >>> values, ptr, y = data.multisets("train")[0]
        >>> bool(y[0] == values[ptr[0] : ptr[1]].sort().values[1])
        True
    """

    def __init__(
        self,
        root: str | Path | None = None,
        bits: int = 8,
        num_train: int = 65_536,
        num_valid: int = 1_024,
        num_test: int = 1_024,
        test_sizes: Sequence[int] = _TEST_SIZES,
        seed: int = 0,
        transform: Transform | None = None,
    ) -> None:
        check_counts(bits=bits, num_train=num_train, num_valid=num_valid, num_test=num_test)
        check_seed(seed)
        _check_ranges(bits, test_sizes)
        counts = {"train": num_train, "valid": num_valid, "test": num_test}
        arguments = {
            "version": _VERSION,
            "bits": bits,
            "counts": counts,
            "test_sizes": list(test_sizes),
            "seed": seed,
        }
        tensors = cached(
            root,
            "second-minimum",
            arguments,
            lambda: _generate(bits, counts, test_sizes, seed),
        )
        self._blocks = [num_train, num_valid, *[num_test] * len(test_sizes)]
        self._sets = Multisets(**tensors)
        slices = {"x": self._sets.ptr, "y": torch.arange(self._sets.y.numel() + 1)}
        all_counts = {**counts, "test": num_test * len(test_sizes)}
        super().__init__({"x": self._sets.values, "y": self._sets.y}, slices, all_counts, transform)
        self.bits = bits
        self.test_sizes = tuple(test_sizes)

    def multisets(self, split: Literal["train", "valid", "test"]) -> list[Multisets]:
        """The raw tensors of a split: one entry, for ``"test"`` one a size in ``test_sizes``.

        Args:
            split: Name of the split.

        Raises:
            ValueError: If there is no such split.
        """
        blocks = {"train": slice(0, 1), "valid": slice(1, 2), "test": slice(2, None)}
        if split not in blocks:
            raise ValueError(f"split must be one of {', '.join(blocks)}, got {split!r}")
        ends = np.cumsum(self._blocks).tolist()
        starts = [0, *ends[:-1]]
        return [self._block(*edges) for edges in list(zip(starts, ends, strict=True))[blocks[split]]]

    def _block(self, start: int, end: int) -> Multisets:
        values, ptr, y = self._sets
        ptr = ptr[start : end + 1]
        return Multisets(values[int(ptr[0]) : int(ptr[-1])], ptr - ptr[0], y[start:end])


def second_minimum(values: Tensor, ptr: Tensor) -> Tensor:
    """The second-smallest element of each multiset, equal elements counted singly.

    Args:
        values: The elements of all sets, one set after another.
        ptr: Where each set begins, and the end of the last.

    Shapes:
        - values: ``[total]``, ptr: ``[n + 1]``
        - returned: ``[n]``

    Raises:
        ValueError: If a set has fewer than two elements.

    Example:
        >>> second_minimum(torch.tensor([7, 3, 3, 5, 1]), torch.tensor([0, 3, 5]))
        tensor([3, 5])
    """
    sizes = ptr.diff()
    if sizes.numel() and int(sizes.min()) < 2:
        raise ValueError(f"every set must have 2 elements or more, got one of {int(sizes.min())}")
    owner = torch.arange(sizes.numel()).repeat_interleave(sizes)
    order = np.lexsort((values.numpy(), owner.numpy()))
    return values[torch.from_numpy(order)][ptr[:-1] + 1]


def to_bits(values: Tensor, bits: int) -> Tensor:
    """Integers in binary, most significant bit first, the code the task is answered in.

    Args:
        values: Integers in ``[0, 2 ** bits)``.
        bits: Width of the code.

    Shapes:
        - values: ``[...]``
        - returned: ``[..., bits]``, float32, each 0 or 1

    Raises:
        ValueError: If a value does not fit.

    Example:
        >>> to_bits(torch.tensor([6]), bits=4)
        tensor([[0., 1., 1., 0.]])
    """
    if values.numel() and not 0 <= int(values.min()) <= int(values.max()) < 2**bits:
        raise ValueError(f"values must lie in [0, 2 ** {bits}), got {int(values.min())} to {int(values.max())}")
    places = torch.arange(bits - 1, -1, -1, device=values.device)
    return (values.unsqueeze(-1) >> places & 1).float()


def _check_ranges(bits: int, test_sizes: Sequence[int]) -> None:
    if bits > _MAX_BITS:
        raise ValueError(f"bits must be at most {_MAX_BITS}, got {bits}")
    if not test_sizes or any(type(size) is not int or size < 2 for size in test_sizes):
        raise ValueError(f"test_sizes must be whole numbers of 2 or more, got {test_sizes!r}")


def _generate(bits: int, counts: dict[str, int], test_sizes: Sequence[int], seed: int) -> dict[str, Tensor]:
    blocks = [
        _draw(bits, counts["train"], *_TRAIN_SIZES, (seed, 0)),
        _draw(bits, counts["valid"], _VALID_SIZE, _VALID_SIZE, (seed, 1)),
        *(_draw(bits, counts["test"], size, size, (seed, 2, size)) for size in test_sizes),
    ]
    values = torch.from_numpy(np.concatenate([block[0] for block in blocks]))
    sizes = np.concatenate([block[1] for block in blocks])
    ptr = torch.from_numpy(np.concatenate([[0], sizes.cumsum()]))
    return {"values": values, "ptr": ptr, "y": second_minimum(values, ptr)}


def _draw(bits: int, count: int, smallest: int, largest: int, stream: tuple[int, ...]) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(stream)
    sizes = rng.integers(smallest, largest + 1, size=count)
    return rng.integers(0, 2**bits, size=sizes.sum()), sizes
