"""Formats that are loaded with the first call whose answer is in one of them."""

from typing import TYPE_CHECKING, Any, Final, cast

from .._lazy import load

if TYPE_CHECKING:
    from ._formats import WireFormat

PARTS: Final = ("accumulator", "content", "kept", "lean", "name", "read", "user")


class LoadedFormat:
    """What a `LateFormat` becomes: without a ``__getattr__`` each of its parts is had for a tenth of the price."""

    __slots__ = ("_home", "_name", *PARTS)


class LateFormat(LoadedFormat):
    """
    Stands for a `WireFormat`, and has its parts from when one of them is first asked for.

    Args:
        home: The module of this package that defines it.
        name: What it is called there.
    """

    __slots__ = ()

    def __init__(self, home: str, name: str) -> None:
        self._home = home
        self._name = name

    def __getattr__(self, name: str) -> Any:
        """One of the parts, which are not there yet."""
        if name not in PARTS:
            raise AttributeError(f"a wire format has no {name!r}")
        loaded = getattr(load(f"{__package__}.{self._home}"), self._name)
        for part in PARTS:
            setattr(self, part, getattr(loaded, part))
        self.__class__ = LoadedFormat  # type: ignore[assignment]
        return getattr(loaded, name)


def late(home: str, name: str) -> "WireFormat":
    """The format *name* of the module *home*."""
    return cast("WireFormat", LateFormat(home, name))
