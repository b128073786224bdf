"""Text that must not be seen."""

from typing import Final, NoReturn, Self

SHORTEST_SHOWN: Final = 20
"""Nine characters are shown; of a shorter key that would be too large a part."""


class Secret:
    """
    A key, or a header's value: it shows itself only where `reveal` is written.

    Neither ``repr`` nor ``str`` contains it, it has no ``__dict__``, and it refuses to be pickled; so neither a log
    line nor a traceback with its locals nor a message to another process can carry it away by accident.
    """

    __slots__ = ("_text",)

    def __init__(self, text: str) -> None:
        self._text = text

    def reveal(self) -> str:
        """The text itself."""
        return self._text

    def __repr__(self) -> str:
        """``ramp_…abcd``: enough to tell two keys apart; nothing where there is none."""
        if len(self._text) < SHORTEST_SHOWN:
            return "…" if self._text else ""
        return f"{self._text[:5]}…{self._text[-4:]}"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Secret) and self._text == other._text

    def __hash__(self) -> int:
        return hash((Secret, self._text))

    def __copy__(self) -> Self:
        return self

    def __deepcopy__(self, memo: object) -> Self:
        return self

    def __reduce__(self) -> NoReturn:
        """
        Refuse to be pickled.

        Raises:
            TypeError: Always.
        """
        raise TypeError("a secret is not pickled")
