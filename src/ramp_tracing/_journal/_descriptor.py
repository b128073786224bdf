"""An open file that knows whether it still is itself."""

import os


class Descriptor:
    """
    A file descriptor of ours.

    A program that closes every descriptor, as daemons do, closes ours too, and the next file that it opens gets the
    number. So we look before we close one, and before we write where a write would be harmful.

    Args:
        number: Of an open file.
    """

    __slots__ = ("_status", "number")

    def __init__(self, number: int) -> None:
        self.number = number
        self._status = os.fstat(number)

    def is_intact(self) -> bool:
        """Whether the number still stands for the file that was opened."""
        try:
            return os.path.samestat(self._status, os.fstat(self.number))
        except OSError:
            return False

    def is_deleted(self) -> bool:
        """Whether the file has no name any more."""
        return not os.fstat(self.number).st_nlink

    def close(self) -> None:
        """Close the file, if it is still open; once."""
        if self.number >= 0 and self.is_intact():
            os.close(self.number)
        self.number = -1

    def __del__(self) -> None:
        self.close()
