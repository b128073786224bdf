"""What happens to the machine while an application runs: its disk, its clock."""

import os
import resource
import shutil
import subprocess
import time
from collections.abc import Callable, Generator, Mapping
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

STATE_VARIABLE: Final = "RAMP_TRACING_STATE_DIR"
DISK_BYTES: Final = 128 << 10
"""A disk that is full after some hundred records."""

Place = Callable[[Path], AbstractContextManager[Path]]
"""Makes the state directory's place below a folder; gives where the directory is to be."""


def nothing(*state: Path) -> None:
    """Nothing happens."""


@contextmanager
def ordinary(folder: Path) -> Generator[Path]:
    """A directory like any other."""
    state = folder / "state"
    state.mkdir(mode=0o700)
    yield state


@contextmanager
def small_disk(folder: Path) -> Generator[Path]:
    """A disk of its own, soon full. Needs the right to mount."""
    state = folder / "disk"
    state.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={DISK_BYTES},mode=700", "tmpfs", str(state)], check=True)
    try:
        yield state
    finally:
        subprocess.run(["umount", "--lazy", str(state)], check=True)


def may_mount() -> bool:
    """Whether this user is likely to have the right to mount."""
    return os.geteuid() == 0 and shutil.which("mount") is not None


def _limit_files() -> None:
    resource.setrlimit(resource.RLIMIT_FSIZE, (DISK_BYTES, DISK_BYTES))


def _state() -> Path:
    return Path(os.environ[STATE_VARIABLE])


def _remove() -> None:
    shutil.rmtree(_state())


def _put_a_file_there() -> None:
    """Where no directory can be made, whoever one is."""
    _remove()
    _state().touch()


def _take_the_file_away(state: Path) -> None:
    state.unlink()
    state.mkdir(mode=0o700)


def _make_read_only() -> None:
    subprocess.run(["mount", "-o", "remount,ro", str(_state())], check=True)


def _make_writable(state: Path) -> None:
    subprocess.run(["mount", "-o", "remount,rw", str(state)], check=True)


def _fill() -> None:
    """What another program does to a disk."""
    with open(_state() / "somebody-elses-file", "wb", buffering=0) as file:
        try:
            while True:
                file.write(b"\0" * 4096)
        except OSError:
            return


def _shift_clock(seconds: int) -> None:
    """
    The wall clock jumps, as far as this process sees.

    The machine's own clock is left alone; what reads it below Python's ``time``, `datetime.now` for one, sees no jump.
    """
    real, real_ns = time.time, time.time_ns
    time.time = lambda: real() + seconds
    time.time_ns = lambda: real_ns() + seconds * 1_000_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Trouble:
    """
    One row.

    Attributes:
        place: Where the state directory is.
        at_start: Done in the application before anything else.
        after_set_up: Done when it is instrumented, before its first record.
        in_the_middle: Done in it after half of its records.
        repair: Done to the state directory before the restart: at set-up, a directory that cannot be used is refused.
        may_run: Whether it can be had here.
    """

    place: Place = ordinary
    at_start: Callable[[], None] = nothing
    after_set_up: Callable[[], None] = nothing
    in_the_middle: Callable[[], None] = nothing
    repair: Callable[[Path], None] = nothing
    may_run: Callable[[], bool] = lambda: True


TROUBLES: Final[Mapping[str, Trouble]] = {
    "": Trouble(),
    "small_disk": Trouble(place=small_disk, may_run=may_mount),
    "disk_fills": Trouble(place=small_disk, in_the_middle=_fill, may_run=may_mount),
    "file_limit": Trouble(at_start=_limit_files),
    "read_only": Trouble(place=small_disk, after_set_up=_make_read_only, repair=_make_writable, may_run=may_mount),
    "no_directory": Trouble(after_set_up=_put_a_file_there, repair=_take_the_file_away),
    "removed": Trouble(in_the_middle=_remove),
    "clock_forward": Trouble(in_the_middle=lambda: _shift_clock(3600)),
    "clock_back": Trouble(in_the_middle=lambda: _shift_clock(-3600)),
}
