"""Where records wait until the receiver has acknowledged them."""

from typing import TYPE_CHECKING, Final

from .._lazy import names_of
from ._file import FileJournal
from ._journal import Entry, Journal, Stats
from ._letters import Letter
from ._memory import DeadLetter, MemoryJournal
from ._place import open_journal, state_directories

if TYPE_CHECKING:
    from ._spool import (
        SegmentStatus,
        SpoolStatus,
        dead_letters,
        pending_jobs,
        purge,
        records_in,
        replay,
        spool_of,
        spools_in,
    )

__all__ = [
    "DeadLetter",
    "Entry",
    "FileJournal",
    "Journal",
    "Letter",
    "MemoryJournal",
    "SegmentStatus",
    "SpoolStatus",
    "Stats",
    "dead_letters",
    "open_journal",
    "pending_jobs",
    "purge",
    "records_in",
    "replay",
    "spool_of",
    "spools_in",
    "state_directories",
]

SPOOL: Final = (
    "SegmentStatus",
    "SpoolStatus",
    "dead_letters",
    "pending_jobs",
    "purge",
    "records_in",
    "replay",
    "spool_of",
    "spools_in",
)
"""What only the command line needs."""

__getattr__ = names_of(__name__, dict.fromkeys(SPOOL, "_spool"))
