"""
Whether the process that writes a segment is alive: the lock on it says so.

Apart from `_segment_files`, because every start asks: with workers on one machine there are segments of living ones.
"""

import fcntl
import os

from ._directory import FILE_FLAGS, SUFFIX, Directory


def has_owner(directory: int, file_name: str) -> bool:
    """Whether the process that writes a segment, or sends it, is alive."""
    descriptor = os.open(file_name, os.O_RDONLY | os.O_NONBLOCK | FILE_FLAGS, dir_fd=directory)
    try:
        # Shared, so that two who ask do not see each other; who wants to take it over just now tries again later.
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(descriptor)
    return False


def may_have_orphans(directory: Directory) -> bool:
    """Whether a segment has no owner; whether anything waits in it is for `_neighbours` to say."""
    try:
        with directory.existing() as opened:
            return opened is not None and any(_has_none(opened, name) for name in os.listdir(opened))
    except OSError:
        return False


def _has_none(directory: int, file_name: str) -> bool:
    try:
        return file_name.endswith(SUFFIX) and not has_owner(directory, file_name)
    except OSError:  # it has just been deleted, or is no file of ours
        return False
