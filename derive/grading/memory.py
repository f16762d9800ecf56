"""What was found before, within bounds: the oldest is forgotten."""

from __future__ import annotations

from _thread import allocate_lock
from collections import OrderedDict
from collections.abc import Hashable
from typing import Generic, Protocol, TypeVar

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


class Owner(Protocol):
    """What keeps values only to save time."""

    def forget(self) -> None:
        """Let go of them."""


class Room:
    """The room that several owners share: those that were not used for longest let go of what they keep."""

    def __init__(self, most: int) -> None:
        self.most, self.taken = most, 0
        self._owners: OrderedDict[Owner, int] = OrderedDict()
        self._lock = allocate_lock()

    def used(self, owner: Owner, size: int) -> None:
        """An owner has been used and keeps this much now."""
        with self._lock:
            self.taken += size - self._owners.pop(owner, 0)
            self._owners[owner] = size
            while self.taken > self.most:
                idle, freed = self._owners.popitem(last=False)
                self.taken -= freed
                idle.forget()
