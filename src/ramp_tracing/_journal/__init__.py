"""Where records wait until the receiver has acknowledged them."""

from typing import TYPE_CHECKING, Final

from .._lazy import names_of
from ._place import Site, destination_name, open_journal, site_of, state_directories

if TYPE_CHECKING:
    from ._file import FileJournal
    from ._journal import Entry, Journal, Stats
    from ._letters import Letter
    from ._memory import DeadLetter, MemoryJournal
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
    "Site",
    "SpoolStatus",
    "Stats",
    "dead_letters",
    "destination_name",
    "open_journal",
    "pending_jobs",
    "purge",
    "records_in",
    "replay",
    "site_of",
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

JOURNAL: Final = {
    "DeadLetter": "_memory",
    "Entry": "_journal",
    "FileJournal": "_file",
    "Journal": "_journal",
    "Letter": "_letters",
    "MemoryJournal": "_memory",
    "Stats": "_journal",
}
"""What the first record needs; before it there is only the place for it."""

__getattr__ = names_of(__name__, {**JOURNAL, **dict.fromkeys(SPOOL, "_spool")})
