"""A text that comes in pieces, as long as it is not whole."""

from collections import deque
from collections.abc import Iterable
from typing import Final

PIECES: Final = 128
"""A piece is a word, and an object of sixty bytes: of a long stream no more than these are there at once."""


Pieces = list[str] | deque[str]
"""Those of a text that is kept, or that is not."""


class Text:
    """
    Gathers pieces. `io.StringIO` keeps every one of them as an object until it is read, in Python 3.11.

    Args:
        kept: Whether they are kept at all.

    Attributes:
        pieces: The last ones. Who appends here, and does not `write`, calls `join` after `PIECES` of them. What is no
            text is no piece: it may be appended, and is left out.
    """

    __slots__ = ("_joined", "pieces")

    def __init__(self, *, kept: bool = True) -> None:
        self._joined: list[str] = []
        self.pieces: Pieces = [] if kept else deque(maxlen=0)

    def write(self, piece: str) -> None:
        """Take in the next piece."""
        self.pieces.append(piece)
        if len(self.pieces) >= PIECES:
            self.join()

    def join(self) -> None:
        """Make one of the pieces."""
        self._joined.append(_text_of(self.pieces))
        self.pieces.clear()

    def read(self) -> str:
        """What has come so far."""
        return "".join([*self._joined, _text_of(self.pieces)])


def _text_of(pieces: Iterable[object]) -> str:
    """Those that are texts, as one. That all are is seen here, once, and not as each of them comes."""
    try:
        return "".join(pieces)  # type: ignore[arg-type]
    except TypeError:
        return "".join([each for each in pieces if isinstance(each, str)])
