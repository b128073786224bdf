"""
A socket whose whole exchange has one deadline.

A socket's own timeout is for one operation: a peer that sends a byte now and then holds its reader for ever. Here every
operation gets what is left of the time, so nothing has to watch from another thread.
"""

import io
import socket
import time
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from _typeshed import ReadableBuffer, WriteableBuffer

PIECE_BYTES: Final = 1 << 16


class Deadline:
    """
    An instant on the monotonic clock.

    Args:
        seconds: From now.
    """

    __slots__ = ("_at",)

    def __init__(self, seconds: float) -> None:
        self._at = time.monotonic() + seconds

    def left(self) -> float:
        """
        Seconds until then.

        Raises:
            TimeoutError: It has passed.
        """
        seconds = self._at - time.monotonic()
        if seconds <= 0:
            raise TimeoutError("the deadline has passed")
        return seconds


class DeadlineSocket:
    """
    What `http.client` needs of a socket, over a connected one, within a deadline that is set anew for each request.

    ``close`` does nothing: `http.client` closes early where an answer says that the connection ends with it. Whoever
    made the socket closes it.
    """

    def __init__(self, connected: socket.socket, deadline: Deadline) -> None:
        self._socket = connected
        self.deadline = deadline

    def sendall(self, data: "ReadableBuffer") -> None:
        """Send all of *data*."""
        rest = memoryview(data)
        while rest:
            self._socket.settimeout(self.deadline.left())
            rest = rest[self._socket.send(rest[:PIECE_BYTES]) :]

    def makefile(self, mode: str) -> io.BufferedReader:
        """A reader of what comes."""
        return io.BufferedReader(_Incoming(self))

    def receive_into(self, buffer: "WriteableBuffer") -> int:
        """Wait for something to come."""
        self._socket.settimeout(self.deadline.left())
        return self._socket.recv_into(buffer)

    def close(self) -> None:
        """Nothing; see above."""


class _Incoming(io.RawIOBase):
    """The reading side."""

    def __init__(self, connected: DeadlineSocket) -> None:
        self._socket = connected

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: "WriteableBuffer", /) -> int:
        return self._socket.receive_into(buffer)
