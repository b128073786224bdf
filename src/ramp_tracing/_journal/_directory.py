"""Directories that nobody else can write to: who could, could make us send, delete or overwrite what is not ours."""

import os
import stat
import threading
from collections.abc import Generator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final

FLAGS: Final = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
FILE_FLAGS: Final = os.O_NOFOLLOW | os.O_CLOEXEC
"""For every file of ours: a symbolic link is never followed, and no program that is started gets the descriptor."""

SUFFIX: Final = ".seg"
"""Of a segment; see `_segment_files`."""

NEW_SUFFIX: Final = ".new"
"""Of a file that is not whole yet."""

OWNER_ONLY: Final = 0o700
FILE_MODE: Final = 0o600
OTHERS_MAY_WRITE: Final = stat.S_IWGRP | stat.S_IWOTH


class UnsafeDirectoryError(OSError):
    """A directory is no place for a journal; the text says what to change."""


class Directory:
    """
    A directory below one that the user chose, and itself if there is nothing below.

    It is looked at anew each time: somebody may have removed it, or put another in its place.

    Args:
        base: The directory that the user chose. It may be readable for others.
        names: The way down from there. These directories are for the owner only.
    """

    def __init__(self, base: Path, *names: str) -> None:
        self._base = base
        self._names = names
        self.path: Final = base.joinpath(*names)

    def __truediv__(self, name: str) -> "Directory":
        return Directory(self._base, *self._names, name)

    @contextmanager
    def opened(self) -> Generator[int, None, None]:
        """
        A descriptor of the directory, which is made if it is not there.

        Raises:
            UnsafeDirectoryError: Somebody else could write there.
            OSError: It cannot be made or opened.
        """
        descriptor = self._open(create=True)
        try:
            yield descriptor
        finally:
            os.close(descriptor)

    @contextmanager
    def existing(self) -> Generator[int | None, None, None]:
        """
        A descriptor of the directory; `None` if it is not there.

        Raises:
            UnsafeDirectoryError: Somebody else could write there.
            OSError: It cannot be opened.
        """
        try:
            descriptor = self._open(create=False)
        except FileNotFoundError:
            yield None
            return
        try:
            yield descriptor
        finally:
            os.close(descriptor)

    def _open(self, *, create: bool) -> int:
        if create:
            _make_parents(self._base)
        descriptor, path = _open(str(self._base), None, create=create), self._base
        try:
            _check(descriptor, path)
            for name in self._names:
                path /= name
                above, descriptor = descriptor, _open(name, descriptor, create=create)
                os.close(above)
                _check(descriptor, path)
                _close_to_others(descriptor)
        except BaseException:
            os.close(descriptor)
            raise
        return descriptor


def write_whole(opened: int, name: str, text: bytes) -> None:
    """
    Write a file in the directory *opened*, all of it or nothing; what was there under the name is replaced.

    Raises:
        OSError: The disk does not take it.
    """
    new = f"{name}.{os.getpid()}-{threading.get_ident()}{NEW_SUFFIX}"
    _forget(new, opened)
    descriptor = os.open(new, os.O_CREAT | os.O_EXCL | os.O_WRONLY | FILE_FLAGS, FILE_MODE, dir_fd=opened)
    try:
        with open(descriptor, "wb") as file:
            os.fchmod(descriptor, FILE_MODE)
            file.write(text)
        os.rename(new, name, src_dir_fd=opened, dst_dir_fd=opened)
    except OSError:
        _forget(new, opened)
        raise


def _forget(name: str, opened: int) -> None:
    with suppress(FileNotFoundError):
        os.unlink(name, dir_fd=opened)


def _make_parents(path: Path) -> None:
    """Make the directories above *path*, for the owner only whatever the umask allows."""
    for parent in reversed(path.parents):
        if not parent.exists():
            _make(str(parent), None)


def _make(name: str, above: int | None) -> None:
    with suppress(FileExistsError):
        os.mkdir(name, OWNER_ONLY, dir_fd=above)


def _open(name: str, above: int | None, *, create: bool) -> int:
    try:
        return os.open(name, FLAGS, dir_fd=above)
    except FileNotFoundError:
        if not create:
            raise
        _make(name, above)
        return os.open(name, FLAGS, dir_fd=above)
    except NotADirectoryError:
        if stat.S_ISLNK(os.stat(name, dir_fd=above, follow_symlinks=False).st_mode):
            raise UnsafeDirectoryError(f"{name} is a symbolic link; name the directory that it leads to") from None
        raise


def _check(descriptor: int, path: Path) -> None:
    status = os.fstat(descriptor)
    if status.st_uid != os.geteuid():
        raise UnsafeDirectoryError(f"{path} belongs to another user; choose a directory of your own")
    if status.st_mode & OTHERS_MAY_WRITE:
        raise UnsafeDirectoryError(
            f"other users may write to {path}; choose a directory that is yours alone, or run: chmod go-w {path}"
        )


def _close_to_others(descriptor: int) -> None:
    if stat.S_IMODE(os.fstat(descriptor).st_mode) != OWNER_ONLY:
        os.fchmod(descriptor, OWNER_ONLY)
