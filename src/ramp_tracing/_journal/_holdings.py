"""The segments that a process has open: its own, and those that dead processes left."""

import time
from collections.abc import Generator, Iterable, Sequence
from contextlib import contextmanager, suppress

from .._record import Generation
from ._bounds import Bounds
from ._directory import Directory
from ._neighbours import adopt, clear_litter, take_over, trim
from ._segment import Place, Segment
from ._writer import Writer


class Holdings:
    """
    Guarded by the journal's lock, except for `writer`.

    Nothing here raises for a disk: what cannot be read is let go of, stays where it is, and is tried again by whoever
    takes it over next.

    Args:
        directory: Where the segments are.
        bounds: What they may take.
        elsewhere: Where earlier processes may have left more.
    """

    def __init__(self, directory: Directory, bounds: Bounds, *, elsewhere: Sequence[Directory] = ()) -> None:
        self._directory = directory
        self._elsewhere = elsewhere
        self._bounds = bounds
        self._own: list[Segment] = []
        self._adopted: list[Segment] = []
        self.more_to_adopt = False
        """Whether the last `round` has stopped at as many as may be open."""
        self._damaged = 0
        self._next_round = 0.0
        self._since = time.monotonic()
        self.writer = Writer(directory, self._own.append)
        self.trimmed = 0
        """Records that were deleted because there was too much, or they were too old."""
        self.failure: str | None = None
        """What went wrong with the disk since the last `round`."""

    @property
    def damaged(self) -> int:
        """Lines that hold no record any more."""
        return self._damaged + sum(segment.damaged for segment in self._all())

    @property
    def waiting(self) -> int:
        """Records that are not settled, as far as they were counted."""
        return sum(segment.waiting for segment in self._all())

    @property
    def held(self) -> int:
        """Those of them that are provisional, and stay where they are."""
        return sum(segment.held for segment in self._own)

    @property
    def seconds_to_round(self) -> float:
        """Until the next `round` is due."""
        if self.more_to_adopt and not self._adopted:
            return 0.0
        return max(0.0, self._next_round - time.monotonic())

    @property
    def goals(self) -> Sequence[tuple[Segment, int]]:
        """Each segment, and where its last record ends by now."""
        return [(segment, segment.end) for segment in self._all()]

    def count(self) -> None:
        """Count what was written."""
        for segment in list(self._own):
            with self._letting_go_of_unreadable(segment):
                segment.count()

    def has_written(self, segment: Segment) -> bool:
        """Whether *segment* is one of this process's own."""
        return segment in self._own

    def read(self, limit: int, *, own: bool) -> Sequence[Place]:
        """The next records of one segment: of those of this process, or of those that it has adopted."""
        for segment in list(self._own if own else self._adopted):
            with self._letting_go_of_unreadable(segment):
                if places := segment.read(limit):
                    return places
        return []

    def speak(self, segment: Segment, token: str, final: Generation) -> bool:
        """Have a provisional record of *segment* sent as *final*; False if we are not in that segment any more."""
        known = segment in self._own
        if known:
            segment.speak(token, final)
        return known

    def freeze(self, places: Iterable[Place]) -> None:
        """Note that *places* are one batch."""
        for segment, its_places in _by_segment(places).items():
            with self._noting_failure():
                segment.freeze(its_places)

    def settle(self, places: Iterable[Place]) -> None:
        """Note that *places* are settled."""
        for segment, its_places in _by_segment(places).items():
            with self._noting_failure():
                segment.settle(its_places)
        self.remove_settled()

    def remove_settled(self) -> None:
        """Delete every segment in which nothing waits and to which nobody writes any more."""
        for segment in self._all():
            # In this order: who enters a segment looks whether it is current after that.
            if segment is not self.writer.current and not segment.writers:
                with self._letting_go_of_unreadable(segment):
                    segment.count()
                    if not segment.waiting:
                        self._remove(segment)

    def roll(self) -> None:
        """Begin a new segment if the current one is long enough."""
        current = self.writer.current
        if current is not None and current.size_bytes >= self._bounds.segment_bytes:
            self.writer.roll()

    def round(self) -> None:
        """Look whether our own file is still there, whether anybody died, and whether all of it is too much."""
        self._next_round = time.monotonic() + self._bounds.round_seconds
        self.failure = None
        self.more_to_adopt = False
        self._leave_deleted()
        with self._noting_failure():
            clear_litter(self._directory)
            had_time = time.monotonic() - self._since >= self._bounds.trial_seconds
            trim(self._directory, self._bounds, self._drop, had_time=had_time)
            self._adopt(self._directory)
        for directory in self._elsewhere:
            with suppress(OSError):  # it need not be there, nor be ours
                self._adopt(directory)
        self.remove_settled()

    def close(self) -> None:
        """Let go of everything, in a forked child: it stays locked by the parent."""
        for segment in self._all():
            segment.close()

    def _all(self) -> list[Segment]:
        return [*self._own, *self._adopted]

    def _leave_deleted(self) -> None:
        for segment in list(self._own):
            if not segment.file.is_intact():
                self._let_go(segment)
            elif segment.file.is_deleted():
                # What is in there is sent all the same.
                self.writer.leave(segment)

    def _adopt(self, directory: Directory) -> None:
        known = {segment.name for segment in self._all()}
        found = adopt(directory, known, limit=self._bounds.adopted - len(self._adopted))
        self.more_to_adopt = self.more_to_adopt or found.more
        self._adopted.extend(found.segments)

    def _drop(self, opened: int, name: str) -> bool:
        """Delete the segment *name* with all that waits in it; False if somebody writes or sends it just now."""
        held = next((segment for segment in self._all() if segment.name == name), None)
        segment = held or take_over(self._directory, opened, name)
        if segment is None or segment is self.writer.current or segment.writers or segment.in_use:
            return False
        segment.count()
        self.trimmed += segment.waiting
        self._remove(segment)
        return True

    def _remove(self, segment: Segment) -> None:
        self._forget(segment)
        segment.remove()

    def _let_go(self, segment: Segment) -> None:
        self.writer.leave(segment)
        self._forget(segment)

    def _forget(self, segment: Segment) -> None:
        self._damaged += segment.damaged
        for held in (self._own, self._adopted):
            if segment in held:
                held.remove(segment)

    @contextmanager
    def _letting_go_of_unreadable(self, segment: Segment) -> Generator[None, None, None]:
        try:
            yield
        except OSError as error:
            self._note(error)
            self._let_go(segment)

    @contextmanager
    def _noting_failure(self) -> Generator[None, None, None]:
        try:
            yield
        except OSError as error:
            self._note(error)

    def _note(self, error: OSError) -> None:
        self.failure = error.strerror or str(error)


def _by_segment(places: Iterable[Place]) -> dict[Segment, list[Place]]:
    by_segment: dict[Segment, list[Place]] = {}
    for place in places:
        by_segment.setdefault(place.segment, []).append(place)
    return by_segment
