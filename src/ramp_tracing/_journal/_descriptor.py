"""An open file that knows whether it still is itself."""

import os

from ._syscall import identify, identify_keeping_gil


class Descriptor:
    """
    A file descriptor of ours.

    A program that closes every descriptor, as daemons do, closes ours too, and the next file that it opens gets the
    number. So we look before we close one, and before we write where a write would be harmful.

    Args:
        number: Of an open file.
    """

    __slots__ = ("_identify", "_identity", "number")

    def __init__(self, number: int) -> None:
        self.number = number
        self._identify = identify_keeping_gil()
        try:
            self._identity = self._identify(number)
        except OSError:  # a sandbox that does not know this call
            self._identify = identify
            self._identity = identify(number)

    def is_intact(self) -> bool:
        """Whether the number still stands for the file that was opened."""
        try:
            return self._identify(self.number) == self._identity
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
