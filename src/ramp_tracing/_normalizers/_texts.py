"""A text that comes in pieces, as long as it is not whole."""

from typing import Final

PIECES: Final = 128
"""A piece is a word, and an object of sixty bytes: of a long stream no more than these are there at once."""


class Text:
    """Gathers pieces. `io.StringIO` keeps every one of them as an object until it is read, up to Python 3.11."""

    __slots__ = ("_joined", "_pieces")

    def __init__(self) -> None:
        self._joined: list[str] = []
        self._pieces: list[str] = []

    def write(self, piece: str) -> None:
        """Take in the next piece."""
        pieces = self._pieces
        pieces.append(piece)
        if len(pieces) >= PIECES:
            self._joined.append("".join(pieces))
            pieces.clear()

    def read(self) -> str:
        """What has come so far."""
        return "".join([*self._joined, *self._pieces])
