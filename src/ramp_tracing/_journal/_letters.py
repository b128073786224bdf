"""Dead letters: records that will not be sent, one readable file each, with the reason. No content."""

import os
import re
import time
from collections.abc import Iterator, Mapping
from hashlib import sha256
from typing import Final, cast

import orjson

from .._dataclass import dataclass
from .._record import Generation
from ._directory import FILE_FLAGS, Directory, write_whole
from ._fields import generation_of
from ._line import encode, members_of
from ._segment_files import unlink

SUFFIX: Final = ".json"

MAX_LETTERS: Final = 10_000
"""Some 20 MB for people to look at. Whoever refuses that many refuses them all for one reason."""

SPARE_LETTERS: Final = 100
"""Over the bound so many go at once, because finding the oldest is some work."""

ISO_8601: Final = "%Y-%m-%dT%H:%M:%S+00:00"

MAX_NAME_CHARACTERS: Final = 100
MAX_REASON_CHARACTERS: Final = 500

UNSAFE: Final = r"[^A-Za-z0-9._-]"
"""In the name of a file."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Letter:
    """
    A dead letter.

    Attributes:
        file: The name of its file.
        reason: Why it is dead.
        time: When it was set aside, ISO 8601.
        certain: False if the receiver refused some records of a request without saying which, this perhaps among them.
        generation: The record; `None` if it cannot be read.
        record: The record as it was written down.
    """

    file: str
    reason: str
    time: str
    certain: bool
    generation: Generation | None
    record: Mapping[str, object]


class Letters:
    """
    The dead letters of one destination.

    Args:
        directory: For them alone.
    """

    def __init__(self, directory: Directory) -> None:
        self._directory = directory
        self._count: int | None = None

    def write(self, generation: Generation, reason: str, *, certain: bool = True) -> None:
        """
        Set a record aside. Doing it twice leaves one letter.

        Args:
            generation: The record; its content is left out.
            reason: Why; without content.
            certain: Whether it is sure that this record is dead.

        Raises:
            OSError: The disk does not take it.
        """
        letter = {
            "reason": reason[:MAX_REASON_CHARACTERS],
            "time": time.strftime(ISO_8601, time.gmtime()),
            "certain": certain,
            "record": members_of(encode(generation).line[:-1]),
        }
        name = _name_of(generation)
        with self._directory.opened() as opened:
            write_whole(opened, name, orjson.dumps(letter, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE))
            self._make_room(opened)

    def read(self) -> Iterator[Letter]:
        """
        All letters, oldest first. What is no letter is passed over.

        Raises:
            OSError: The directory cannot be used.
        """
        with self._directory.existing() as opened:
            for name in [] if opened is None else _names_in(opened):
                letter = None if opened is None else _read(opened, name)
                if letter is not None:
                    yield letter

    def remove(self, letter: Letter) -> None:
        """
        Delete a letter.

        Raises:
            OSError: The directory cannot be used.
        """
        with self._directory.existing() as opened:
            if opened is not None:
                unlink(letter.file, opened)

    def _make_room(self, opened: int) -> None:
        """Delete the oldest letters if there are too many."""
        self._count = len(_names_in(opened)) if self._count is None else self._count + 1
        if self._count > MAX_LETTERS:
            names = _names_in(opened)
            for name in names[: max(len(names) - MAX_LETTERS + SPARE_LETTERS, 0)]:
                unlink(name, opened)
            self._count = None


def _name_of(generation: Generation) -> str:
    """The same for the same record: by the end of the call and its id."""
    identity = str(generation.id)
    safe = re.sub(UNSAFE, "_", identity[:MAX_NAME_CHARACTERS])
    if safe != identity:
        safe += "-" + sha256(identity.encode("utf-8", "surrogatepass")).hexdigest()[:16]
    return f"{generation.timing.ended // 1_000_000:013d}-{safe}{SUFFIX}"


def _names_in(opened: int) -> list[str]:
    return sorted(name for name in os.listdir(opened) if name.endswith(SUFFIX))


def _read(opened: int, name: str) -> Letter | None:
    try:
        with open(os.open(name, os.O_RDONLY | os.O_NONBLOCK | FILE_FLAGS, dir_fd=opened), "rb") as file:
            letter: object = orjson.loads(file.read())
    except (OSError, orjson.JSONDecodeError):
        return None
    members = cast("dict[str, object]", letter) if isinstance(letter, dict) else {}
    record = members.get("record")
    if not isinstance(record, dict):
        return None
    return Letter(
        file=name,
        reason=str(members.get("reason", "")),
        time=str(members.get("time", "")),
        certain=members.get("certain") is not False,
        generation=generation_of(cast("dict[str, object]", record)),
        record=cast("dict[str, object]", record),
    )
