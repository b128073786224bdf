"""Memory for what may not be written down: bounded in bytes, the oldest goes first."""

from collections import deque
from collections.abc import Callable, Hashable
from typing import Final, Generic, NamedTuple, TypeVar

Thing = TypeVar("Thing")

OVERHEAD_BYTES: Final = 500
"""What an object costs beside its texts: without it a million empty ones would count as nothing."""


class _Held(NamedTuple, Generic[Thing]):
    thing: Thing
    size_bytes: int


class Shelf(Generic[Thing]):
    """
    Things by key, until somebody takes them away or there are too many.

    Every method may be called by any thread, also in the middle of another: none takes a lock. The size guides the
    bound and nothing else; where two threads add to it at once it may be a little off, until the shelf is empty.

    Args:
        max_bytes: Of all things together, by what is said of them.
        drop: Told of each thing that had to go; on the thread of whoever put the next one there.
    """

    def __init__(self, max_bytes: int, drop: Callable[[Thing], None]) -> None:
        self._max_bytes = max_bytes
        self._drop = drop
        self._held: dict[Hashable, _Held[Thing]] = {}
        self._order: deque[Hashable] = deque()
        self._size_bytes = 0

    def put(self, key: Hashable, thing: Thing, *, size_bytes: int) -> None:
        """Keep *thing*, at the expense of the oldest."""
        size_bytes += OVERHEAD_BYTES
        self._held[key] = _Held(thing, size_bytes)
        self._order.append(key)
        self._size_bytes += size_bytes
        while self._size_bytes > self._max_bytes and (oldest := self._next()) is not None:
            held = self._held.pop(oldest, None)
            if held is not None:
                self._size_bytes -= held.size_bytes
                self._drop(held.thing)

    def get(self, key: Hashable) -> Thing | None:
        """What is kept under *key*, if it is still there."""
        held = self._held.get(key)
        return None if held is None else held.thing

    def take(self, key: Hashable) -> Thing | None:
        """What was kept under *key*; it is not kept any longer."""
        held = self._held.pop(key, None)
        if held is not None:
            self._size_bytes -= held.size_bytes
        self._forget_taken()
        return None if held is None else held.thing

    def __len__(self) -> int:
        return len(self._held)

    def _next(self) -> Hashable | None:
        """The key that was put first; `None` if another thread was faster."""
        try:
            return self._order.popleft()
        except IndexError:
            return None

    def _forget_taken(self) -> None:
        """Drop the keys in front of which nothing is kept; in a queue that is all of them, sooner or later."""
        while (oldest := self._next()) is not None:
            if oldest in self._held:
                self._order.appendleft(oldest)
                return
        if not self._held:
            self._size_bytes = 0
