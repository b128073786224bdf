"""Memory for what may not be written down: bounded in bytes, the oldest goes first."""

from collections import OrderedDict
from collections.abc import Callable, Hashable
from typing import Any, Generic, TypeVar

Thing = TypeVar("Thing")


class Shelf(Generic[Thing]):
    """
    Things by key, until somebody takes them away or there are too many.

    Every method may be called by any thread, also in the middle of another: none takes a lock, each step is one of the
    dictionary's. The size guides the bound and nothing else; where Python lets two threads add to it at once it may be
    off, until the shelf is empty.

    Args:
        max_bytes: Of all things together, by what is said of them.
        drop: Told of each thing that had to go, and of its key; on the thread of whoever put the next one there.
    """

    def __init__(self, max_bytes: int, drop: Callable[[Any, Thing], None]) -> None:
        self._max_bytes = max_bytes
        self._drop = drop
        # Not a dict: finding its oldest member takes longer the more were taken out before.
        self._held: OrderedDict[Hashable, tuple[Thing, int]] = OrderedDict()
        self._size_bytes = 0

    def put(self, key: Hashable, thing: Thing, *, size_bytes: int) -> None:
        """Keep *thing*, at the expense of the oldest."""
        if key in self._held:
            self.take(key)
        self._held[key] = thing, size_bytes
        self._size_bytes += size_bytes
        while self._size_bytes > self._max_bytes and (oldest := self._oldest()) is not None:
            key, (thing, size) = oldest
            self._size_bytes -= size
            self._drop(key, thing)

    def get(self, key: Hashable) -> Thing | None:
        """What is kept under *key*, if it is still there."""
        held = self._held.get(key)
        return None if held is None else held[0]

    def take(self, key: Hashable) -> None:
        """Keep nothing under *key* any longer."""
        held = self._held.pop(key, None)
        if held is not None:
            self._size_bytes -= held[1]
        if not self._held:
            self._size_bytes = 0

    def __len__(self) -> int:
        return len(self._held)

    def _oldest(self) -> tuple[Hashable, tuple[Thing, int]] | None:
        """Taken out; `None` if there is none, or another thread was faster."""
        try:
            return self._held.popitem(last=False)
        except KeyError:
            return None
