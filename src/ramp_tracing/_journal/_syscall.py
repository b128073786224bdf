"""
What is asked of the system on the application's threads, with the lock of the interpreter kept.

`os.write` and `os.fstat` give it away and have to wait for it afterwards: with four busy threads that took 110 ms at
worst, and what they do some microseconds.
"""

import errno
import os
from collections.abc import Callable
from functools import cache
from typing import Final

AT_EMPTY_PATH: Final = 0x1000
STATX_INO: Final = 0x100
STATX_BYTES: Final = 256
INODE: Final = slice(32, 40)
DEVICE: Final = slice(136, 144)
"""Of ``struct statx``, which the kernel lays out alike on every machine; see statx(2)."""

MARK: Final = 61
"""
The signal that a file of ours would send, if it were asked to send any: no other file says this number.

See F_SETSIG in fcntl(2). To ask for it costs a quarter of `identify_keeping_gil`.
"""

Identify = Callable[[int], bytes]
"""Descriptor to what tells its file from every other. Raises `OSError`."""

Write = Callable[[int, bytes], int]
"""Descriptor and bytes to the number of bytes written. Raises `OSError`."""


@cache
def write_keeping_gil() -> Write:
    """A write(2) that does not let other Python threads run meanwhile; `os.write` where there is no ctypes."""
    try:
        import ctypes
    except ImportError:
        return os.write
    # Without their types arguments are passed as they are, for half the price: ints as a C int, bytes by address.
    libc_write = ctypes.PyDLL(None).write
    libc_write.restype = ctypes.c_ssize_t

    def write(descriptor: int, octets: bytes) -> int:
        written: int = libc_write(descriptor, octets, len(octets))
        # Tried again where it can say what is wrong, and may take its time.
        return written if written >= 0 else os.write(descriptor, octets)

    return write


def put_mark(descriptor: int) -> bool:
    """Mark an open file with `MARK`; False where the system knows no such marks."""
    try:
        import fcntl

        return fcntl.fcntl(descriptor, fcntl.F_SETSIG, MARK) == 0
    except (ImportError, AttributeError, OSError):
        return False


F_GETSIG: Final = 11
"""What to ask `fcntl_keeping_gil` for, to be told a file's mark."""


@cache
def fcntl_keeping_gil() -> Callable[[int, int], int] | None:
    """An fcntl(2) that does not let other Python threads run meanwhile; `None` if there is no ctypes."""
    try:
        import ctypes
    except ImportError:
        return None
    return ctypes.PyDLL(None).fcntl


def identify_keeping_gil() -> Identify:
    """
    An `identify` that does not let other Python threads run meanwhile; `identify` where there is none.

    To be asked for one descriptor only: the kernel's answers all go to one place, because making room for each costs
    more than the question.
    """
    statx = _statx()
    if statx is None:
        return identify
    import ctypes

    answer = bytearray(STATX_BYTES)
    place = (ctypes.c_char * STATX_BYTES).from_buffer(answer)
    # Made once: to make them of Python's numbers at each call costs as much as the call.
    asked = b"", ctypes.c_int(AT_EMPTY_PATH), ctypes.c_uint(STATX_INO), place

    def identified(descriptor: int) -> bytes:
        if statx(descriptor, *asked) < 0:
            raise OSError(errno.EBADF, os.strerror(errno.EBADF))
        return bytes(answer[INODE] + answer[DEVICE])

    return identified


@cache
def _statx() -> Callable[..., int] | None:
    """The system's statx(2); `None` if there is no ctypes, no Linux, or a C library older than 2.28."""
    try:
        import ctypes

        return ctypes.PyDLL(None).statx
    except (ImportError, AttributeError):
        return None


def identify(descriptor: int) -> bytes:
    """Device and inode of an open file."""
    status = os.fstat(descriptor)
    return b"%d:%d" % (status.st_dev, status.st_ino)
