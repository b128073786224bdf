"""A text that comes in pieces, as long as it is not whole."""

from collections import deque
from typing import Final

PIECES: Final = 128
"""A piece is a word, and an object of sixty bytes: of a long stream no more than these are there at once."""


class Text:
    """
    Gathers pieces. `io.StringIO` keeps every one of them as an object until it is read, in Python 3.11.

    Args:
        kept: Whether they are kept at all.

    Attributes:
        pieces: The last ones. Who appends here, and does not `write`, calls `join` when there are `PIECES`.
    """

    __slots__ = ("_joined", "pieces")

    def __init__(self, *, kept: bool = True) -> None:
        self._joined: list[str] = []
        self.pieces: list[str] | deque[str] = [] if kept else deque(maxlen=0)

    def write(self, piece: str) -> None:
        """Take in the next piece."""
        self.pieces.append(piece)
        if len(self.pieces) >= PIECES:
            self.join()

    def join(self) -> None:
        """Make one of the pieces."""
        self._joined.append("".join(self.pieces))
        self.pieces.clear()

    def read(self) -> str:
        """What has come so far."""
        return "".join([*self._joined, *self.pieces])
