"""Wrapping functions of a library, and leaving nothing behind."""

from collections.abc import Callable
from typing import Any, Final

import wrapt

MISSING: Final = object()


class Patches:
    """
    The wrappers that an integration has put up.

    A wrapper that another instrumentation has wrapped in turn cannot be taken out without taking that one out too.
    It stays, and does nothing: wrappers look at `ramp_tracing._state` first.
    """

    def __init__(self) -> None:
        self._put_up: list[tuple[type, str, object, object]] = []

    def wrap(self, owner: type, name: str, wrapper: Callable[..., Any]) -> None:
        """
        Put *wrapper* around ``owner.name``.

        Args:
            owner: A class.
            name: The method. An inherited one gets a wrapper on *owner* itself.
            wrapper: ``wrapper(wrapped, instance, args, kwargs)``, as wrapt calls it.
        """
        before = _own(owner, name)
        wrapt.wrap_function_wrapper(owner, name, wrapper)
        self._put_up.append((owner, name, before, _own(owner, name)))

    def put(self, owner: type, name: str, around: Callable[[Any], object]) -> None:
        """
        Put what *around* makes of ``owner.name`` in its place.

        Args:
            owner: A class.
            name: The method, as in `wrap`.
            around: Function to function. For where wrapt, which knows every kind of function, is too slow.
        """
        before = _own(owner, name)
        made = around(getattr(owner, name) if before is MISSING else before)
        setattr(owner, name, made)
        self._put_up.append((owner, name, before, made))

    def restore(self, owner: type, name: str, around: Callable[[Any], object]) -> bool:
        """
        `put` once more, unless one of ours is outermost there; whether that was so.

        Some instrumentations put back, when they leave, the function that they once found, or whatever is below the
        outermost wrapper: both take out ours.
        """
        own = _own(owner, name)
        is_missing = all(own is not ours for _, _, _, ours in self._put_up)
        if is_missing:
            self.put(owner, name, around)
        return is_missing

    def undo(self) -> None:
        """Take out every wrapper that is still on top."""
        while self._put_up:
            owner, name, before, ours = self._put_up.pop()
            if _own(owner, name) is not ours:
                continue
            if before is MISSING:
                delattr(owner, name)
            else:
                setattr(owner, name, before)


def _own(owner: type, name: str) -> object:
    """What *owner* itself, not a class above it, has under *name*."""
    return vars(owner).get(name, MISSING)
