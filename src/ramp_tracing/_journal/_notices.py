"""What a journal on disk has to tell people: once when it begins, and again only after it has ended."""

from collections.abc import Mapping
from pathlib import Path
from typing import Final

from .._guard import WARNING, log
from ._holdings import Holdings

REFUSES: Final = (
    "the journal in {} cannot be written ({}): records are kept in memory meanwhile, and lost if the process ends "
    "before they are sent"
)
FAILS: Final = "the journal in {} cannot be looked after ({}): nothing is lost, but some records may be sent twice"
SLOW: Final = (
    "the disk under the journal in {} is slow: for a while lines are written in the background, and the last of them "
    "are lost if the process is killed"
)
DAMAGED: Final = "the journal in {} has damaged lines; records that are lost: {}"
TRIMMED: Final = "the journal in {} was too long or too old; of its oldest records so many were deleted, and lost: {}"
UNABLE_TO_SET_ASIDE: Final = "dead letters cannot be written below {}; records that were refused and are lost: {}"
NO_CONTENT: Final = (
    "prompts and answers that wait exceed their bound in memory: the oldest calls are sent as usage only"
)


class Notices:
    """
    What has been said. Warnings, on the ``ramp_tracing`` logger, without content and keys.

    Args:
        place: Of the journal.
    """

    def __init__(self, place: Path) -> None:
        self._place = place
        self._said: set[str] = set()
        self._counted: dict[str, int] = {}

    def look(self, holdings: Holdings, *, unwritten_letters: int, dropped_content: bool) -> None:
        """Say what is new."""
        writer = holdings.writer
        self._conditions(
            {
                "disk": writer.failure and REFUSES.format(self._place, writer.failure),
                "directory": holdings.failure and FAILS.format(self._place, holdings.failure),
                "slow": SLOW.format(self._place) if writer.speed.too_slow else None,
                "content": NO_CONTENT if dropped_content else None,
            }
        )
        self._counts(
            {DAMAGED: holdings.damaged, TRIMMED: holdings.trimmed, UNABLE_TO_SET_ASIDE: unwritten_letters},
        )

    def _conditions(self, now: Mapping[str, str | None]) -> None:
        for cause, message in now.items():
            if message is None:
                self._said.discard(cause)
            elif cause not in self._said:
                self._said.add(cause)
                self._say(cause, message)

    def _counts(self, now: Mapping[str, int]) -> None:
        for message, count in now.items():
            if count > self._counted.get(message, 0):
                self._counted[message] = count
                self._say(message, message.format(self._place, count))

    def _say(self, cause: str, message: str) -> None:
        log.once_a_minute(WARNING, f"journal: {cause}", message)
