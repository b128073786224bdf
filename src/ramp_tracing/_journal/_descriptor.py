"""An open file that knows whether it still is itself."""

import os

from ._syscall import F_GETSIG, MARK, fcntl_keeping_gil, identify, identify_keeping_gil, put_mark


class Descriptor:
    """
    A file descriptor of ours.

    A program that closes every descriptor, as daemons do, closes ours too, and the next file that it opens gets the
    number. So we look before we close one, and before we write where a write would be harmful.

    Args:
        number: Of an open file.
        marked: Make it one of those that `is_marked` tells from all others.
    """

    __slots__ = ("_fcntl", "_identify", "_identity", "number")

    def __init__(self, number: int, *, marked: bool = False) -> None:
        self.number = number
        self._fcntl = fcntl_keeping_gil() if marked and put_mark(number) else None
        self._identify = identify_keeping_gil()
        try:
            self._identity = self._identify(number)
        except OSError:  # a sandbox that does not know this call
            self._identify = identify
            self._identity = identify(number)
        if not self.is_marked():  # the system has said yes, and means something else
            self._fcntl = None

    def is_intact(self) -> bool:
        """Whether the number still stands for the file that was opened."""
        try:
            return self._identify(self.number) == self._identity
        except OSError:
            return False

    def is_marked(self) -> bool:
        """Whether it stands for this file or another marked one; for a third of the price of `is_intact`."""
        fcntl = self._fcntl
        return self.is_intact() if fcntl is None else fcntl(self.number, F_GETSIG) == MARK

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
