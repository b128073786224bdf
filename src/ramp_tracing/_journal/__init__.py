"""Where records wait until the receiver has acknowledged them."""

from ._journal import Entry, Journal, Stats
from ._memory import DeadLetter, MemoryJournal

__all__ = ["DeadLetter", "Entry", "Journal", "MemoryJournal", "Stats"]
