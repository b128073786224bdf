"""Where the journal of a destination is."""

import errno
import os
import pwd
import sys
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Final, NamedTuple, cast
from urllib.parse import urlsplit

from .._guard import WARNING, log
from .._lazy import LOADING, load
from ..exceptions import ConfigurationError
from ._directory import FILE_FLAGS, FILE_MODE, Directory, UnsafeDirectoryError
from ._file_systems import network_file_system
from ._owners import may_have_orphans

if TYPE_CHECKING:
    from ._journal import Journal

APPLICATION: Final = "ramp_tracing"

SECOND_PLACE: Final = Path("/var/tmp")
"""For processes without a home: it is on every machine, and survives its restart."""

STATE_BELOW_HOME: Final[Mapping[str, str]] = {"darwin": "Library/Application Support"}
"""By `sys.platform`, where it is not as on Linux: https://specifications.freedesktop.org/basedir-spec/latest/"""

DESTINATION_DIGITS: Final = 16

DESTINATION_FILE: Final = "destination"
"""For people: which address the records of a directory are for."""

PASSING: Final = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EIO, errno.EMFILE, errno.ENFILE, errno.ENOMEM})
"""What a disk says that may say something else in a minute. The journal tries it again by itself."""


class Directories(NamedTuple):
    """
    Attributes:
        own: For the segments of a destination; `None` if they are kept in memory.
        elsewhere: Where earlier processes may have left something.
    """

    own: Directory | None = None
    elsewhere: Sequence[Directory] = ()


class Site:
    """
    Where the journal of a destination is; what writes it is loaded with the first record.

    Args:
        place: Where. In memory if left out.
        journal: The journal, if it has been opened.
        choose: What *place* was chosen by, if nobody asked for it. It depends on the user: a server that root starts
            may load the application as root, and run it as somebody else.
    """

    def __init__(
        self,
        place: Directories | None = None,
        *,
        journal: "Journal | None" = None,
        choose: Callable[[], Directories] | None = None,
    ) -> None:
        self._place = place or Directories()
        self._journal = journal
        self._choose = choose
        self._user = os.geteuid()

    @property
    def is_open(self) -> bool:
        """Whether anything may have been recorded."""
        return self._journal is not None

    @property
    def journal(self) -> "Journal":
        """The journal, which is opened when it is first asked for; only one ever is."""
        journal = self._journal
        if journal is None:
            with LOADING:
                opened = self._journal or self._opened()
                # A signal handler that makes a call may have opened it in the middle of that.
                journal = self._journal = self._journal or opened
        return journal

    def has_leftovers(self) -> bool:
        """
        Whether there may be something to send, or to tidy up, from a process that has died.

        As long as the journal is not open, nobody looks into the files for that: it would load what reads them, which
        takes 50 ms of CPU, on the thread that instruments.
        """
        return self.journal.has_leftovers() if self.is_open else any(map(may_have_orphans, self._directories()))

    def _directories(self) -> Sequence[Directory]:
        directory, elsewhere = self._place
        return elsewhere if directory is None else (directory, *elsewhere)

    def _opened(self) -> "Journal":
        if self._choose is not None and os.geteuid() != self._user:
            self._place = self._choose()
        directory, elsewhere = self._place
        if directory is None:
            return cast("Journal", load(f"{__package__}._memory").MemoryJournal())
        return cast("Journal", load(f"{__package__}._file").FileJournal(directory, elsewhere=elsewhere))


def open_journal(*, state_dir: str | None, base_url: str, key: str, earlier: Sequence[Path] = ()) -> "Journal":
    """The journal of `site_of`."""
    return site_of(state_dir=state_dir, base_url=base_url, key=key, earlier=earlier).journal


def site_of(*, state_dir: str | None, base_url: str, key: str, earlier: Sequence[Path] = ()) -> Site:
    """
    The place of the journal for one receiver and account.

    If no directory was asked for, it is in the first usable place of `state_directories`, or in memory; a warning says
    so if that is not the first one. What earlier processes left in the other places is sent, too. No key is in any name
    or file.

    Args:
        state_dir: The directory that the user asked for.
        base_url: The receiver.
        key: The account's.
        earlier: Directories of other destinations whose records are for this one: their key or address was wrong.

    Raises:
        ConfigurationError: The directory that was asked for cannot be used; the message says what to change.
    """
    name = destination_name(base_url, key)
    others = [Directory(each.parent, each.name) for each in earlier]
    if state_dir is not None:
        return Site(Directories(_asked_for(Directory(Path(state_dir), name), base_url), others))
    choose = partial(_chosen, name, base_url, others)
    return Site(choose(), choose=choose)


def _chosen(name: str, base_url: str, others: Sequence[Directory]) -> Directories:
    """The first usable place for a destination of that name."""
    obstacles: list[str] = []
    places = state_directories(None)
    for place in places:
        directory = Directory(place, name)
        obstacle = _obstacle(directory, base_url)
        if obstacle is None:
            if obstacles:
                _warn(f"{'; '.join(obstacles)}: the journal is in {place}")
            return Directories(
                directory, [*others, *(Directory(each, name) for each in places if _is_other(each, place))]
            )
        obstacles.append(obstacle)
    _warn(
        f"{'; '.join(obstacles)}: records are kept in memory, and lost if the process ends before they are sent; "
        "name a directory with RAMP_TRACING_STATE_DIR"
    )
    return Directories()


def state_directories(state_dir: str | None) -> Sequence[Path]:
    """
    Where journals may be, in order of preference.

    Args:
        state_dir: The directory that the user asked for; then there is no other.
    """
    if state_dir is not None:
        return [Path(state_dir)]
    second = SECOND_PLACE / f"{APPLICATION}-{os.geteuid()}"
    home = _state_home()
    # Without HOME, and without an entry in the list of users: so it is in some containers.
    return [second] if home is None else [home / APPLICATION, second]


def _state_home() -> Path | None:
    """
    Where this system keeps the state of the user's programs, which is what platformdirs says; `None` without a home.

    By hand, because importing platformdirs takes a tenth of the time that `instrument()` may take; and the place must
    not move with the version of a library, or what waits there is found by nobody.
    """
    given = os.environ.get("XDG_STATE_HOME", "")
    if os.path.isabs(given):  # the specification: "all paths must be absolute", and others are to be ignored
        return Path(given)
    home = _home()
    return Path(home) / STATE_BELOW_HOME.get(sys.platform, ".local/state") if os.path.isabs(home) else None


def _home() -> str:
    """The user's home directory, by the list of users where HOME says nothing; empty where neither does."""
    home = os.environ.get("HOME", "")
    if os.path.isabs(home):
        return home
    try:
        return pwd.getpwuid(os.getuid()).pw_dir
    except KeyError:
        return ""


def destination_name(base_url: str, key: str) -> str:
    """The name of a destination's directory; neither address nor key can be told from it."""
    return sha256(f"{base_url}\0{key}".encode()).hexdigest()[:DESTINATION_DIGITS]


def _asked_for(directory: Directory, base_url: str) -> Directory:
    try:
        _prepare(directory, base_url)
    except UnsafeDirectoryError as error:
        raise ConfigurationError(f"state_dir cannot be used: {error}") from None
    except OSError as error:
        if error.errno not in PASSING:
            raise ConfigurationError(
                f"state_dir cannot be used: {directory.path}: {error.strerror}; choose a directory that can be written"
            ) from None
    if kind := network_file_system(directory.path):
        _warn(f"{directory.path} is on a network file system ({kind}); a local disk is faster and safer for state_dir")
    return directory


def _obstacle(directory: Directory, base_url: str) -> str | None:
    """Why a place that nobody asked for is not used."""
    if kind := network_file_system(directory.path):
        return f"{directory.path.parent} is on a network file system ({kind})"
    try:
        _prepare(directory, base_url)
    except UnsafeDirectoryError as error:
        return str(error)
    except (OSError, ValueError) as error:
        number = error.errno if isinstance(error, OSError) else None
        return None if number in PASSING else f"{directory.path.parent} cannot be written"
    return None


def _is_other(place: Path, chosen: Path) -> bool:
    """Whether an earlier process may have chosen *place*, on another day."""
    return place != chosen and not network_file_system(place)


def _prepare(directory: Directory, base_url: str) -> None:
    """Make the directory and see that it can be written to."""
    with directory.opened() as opened:
        flags = os.O_CREAT | os.O_WRONLY | FILE_FLAGS
        descriptor = os.open(DESTINATION_FILE, flags, FILE_MODE, dir_fd=opened)
        with open(descriptor, "wb") as file:
            os.fchmod(descriptor, FILE_MODE)
            file.write(_readable(base_url))


def _readable(base_url: str) -> bytes:
    """The address without what may be secret in it."""
    parts = urlsplit(base_url)
    host = parts.netloc.rpartition("@")[2]
    return f"{parts.scheme}://{host}{parts.path}\n".encode()


def _warn(message: str) -> None:
    log.once_a_minute(WARNING, "place of the journal", message)
