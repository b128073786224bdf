"""One write(2), with or without the lock of the interpreter."""

import os
from collections.abc import Callable
from functools import cache

Write = Callable[[int, bytes], int]
"""Descriptor and bytes to the number of bytes written. Raises `OSError`."""


@cache
def write_keeping_gil() -> Write:
    """
    A write(2) that does not let other Python threads run meanwhile.

    `os.write` gives the interpreter's lock away and has to wait for it afterwards: with four busy threads that took
    110 ms at worst, and the write itself some microseconds. Where there is no ctypes, `os.write` it is.
    """
    try:
        import ctypes
    except ImportError:
        return os.write
    libc_write = ctypes.PyDLL(None, use_errno=True).write
    libc_write.argtypes = (ctypes.c_int, ctypes.c_char_p, ctypes.c_size_t)
    libc_write.restype = ctypes.c_ssize_t
    get_errno = ctypes.get_errno

    def write(descriptor: int, octets: bytes) -> int:
        written: int = libc_write(descriptor, octets, len(octets))
        if written < 0:
            number = get_errno()
            raise OSError(number, os.strerror(number))
        return written

    return write
