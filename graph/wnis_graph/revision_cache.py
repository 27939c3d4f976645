"""Things computed from one network revision, kept for the next caller."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable
from typing import Generic, TypeVar

Item = TypeVar("Item")
Key = tuple[str | int | None, ...]
"""Utility, network, revision and the like: what is cached under it never goes stale, it only falls out of use."""


class RevisionCache(Generic[Item]):
    """The `size` items used last; safe for threads. One thread makes an item while the others go on."""

    def __init__(self, size: int = 8) -> None:
        self._size = size
        self._items: OrderedDict[Key, Item] = OrderedDict()
        self._lock = threading.Lock()

    def get(self, key: Key, make: Callable[[], Item]) -> Item:
        """The item under `key`, made when it is not there."""
        with self._lock:
            if key in self._items:
                self._items.move_to_end(key)
                return self._items[key]
        item = make()
        with self._lock:
            self._items[key] = item
            while len(self._items) > self._size:
                self._items.popitem(last=False)
        return item
