"""Where records wait until the receiver has acknowledged them."""

from ._file import FileJournal
from ._journal import Entry, Journal, Stats
from ._letters import Letter
from ._memory import DeadLetter, MemoryJournal
from ._place import open_journal, state_directories
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
