"""What was found before, for a bounded number of keys: the oldest are forgotten."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Hashable
from typing import Generic, TypeVar

T = TypeVar("T")


class Memory(Generic[T]):
    """A dictionary of at most `most` values, safe to use from several threads.

    >>> kept = Memory(2)
    >>> for key in "abcb":
    ...     kept[key] = key.upper()
    >>> kept.get("a"), kept.get("b"), len(kept)
    (None, 'B', 2)
    """

    __slots__ = ("_kept", "most")

    def __init__(self, most: int) -> None:
        self.most = most
        self._kept: OrderedDict[Hashable, T] = OrderedDict()

    def get(self, key: Hashable) -> T | None:
        """The value of a key, None if it is not known."""
        return self._kept.get(key)

    def __setitem__(self, key: Hashable, value: T) -> None:
        self._kept[key] = value
        while len(self._kept) > self.most:
            try:
                self._kept.popitem(last=False)
            except KeyError:  # another thread was quicker
                return

    def __len__(self) -> int:
        return len(self._kept)

    def clear(self) -> None:
        """Forget everything."""
        self._kept.clear()
