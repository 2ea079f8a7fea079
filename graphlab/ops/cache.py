"""A small least-recently-used cache for what depends on the grouping alone: sort orders and schedules."""

import functools
import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable
from typing import Any

import torch
from torch import Tensor


def remembered(build: Callable[[Any], Any]) -> Any:
    """Like ``functools.cached_property``, for tensors that must serve training even when born in inference mode.

    Args:
        build: The property's function.
    """

    @functools.wraps(build)
    def run(self: Any) -> Any:
        with torch.inference_mode(False):
            return build(self)

    return functools.cached_property(run)


class IndexCache:
    """Remembers a value per (index tensor *content*, key).

    Content, not identity, decides: ``edge_index[1]`` is a new tensor object at every call, and a tensor changed in
    place must never find its old schedule. Comparing costs one pass over the index, a percent of building a schedule.

    Args:
        max_entries: How many values are kept.
        max_bytes: The size of all remembered values together, as far as their makers tell, in bytes.
    """

    def __init__(self, max_entries: int = 16, max_bytes: int = 512 << 20) -> None:
        self.max_entries, self.max_bytes = max_entries, max_bytes
        self._entries: OrderedDict[int, tuple[Hashable, Tensor, Any, int]] = OrderedDict()
        self._lock = threading.Lock()
        self._serial = 0

    def get(self, index: Tensor, key: Hashable, build: Callable[[], Any], size: int | Callable[[Any], int] = 0) -> Any:
        """Return the remembered value, or build and remember it.

        Args:
            index: The tensor whose content the value depends on.
            key: Everything else that the value depends on.
            build: Makes the value.
            size: About how many bytes the value takes, or what tells it of the value.
        """
        key = (key, index.dtype, index.device, tuple(index.shape))
        with self._lock:
            for serial in reversed(self._entries):
                known, tensor, value, _ = self._entries[serial]
                if known == key and torch.equal(tensor, index):
                    self._entries.move_to_end(serial)
                    return value
        # What is made here may serve training, though it be asked for in inference mode.
        with torch.inference_mode(False):
            value, own = build(), index.detach().clone()
        taken = size(value) if callable(size) else size
        with self._lock:
            self._serial += 1
            self._entries[self._serial] = (key, own, value, taken + own.numel() * own.element_size())
            while len(self._entries) > 1 and self._is_full():
                self._entries.popitem(last=False)
        return value

    def clear(self) -> None:
        """Forget everything."""
        with self._lock:
            self._entries.clear()

    def __len__(self) -> int:
        return len(self._entries)

    def _is_full(self) -> bool:
        held = sum(size for *_, size in self._entries.values())
        return len(self._entries) > self.max_entries or held > self.max_bytes
