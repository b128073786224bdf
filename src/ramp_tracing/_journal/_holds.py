"""Provisional records on disk, and how they end."""

import os
from collections.abc import Callable
from functools import partial
from itertools import count
from queue import Empty, SimpleQueue
from typing import Final, NamedTuple

from .._guard import guarded
from .._record import Recorded, whole
from .._state import HeldBack, Hold
from ._contents import Contents
from ._holdings import Holdings
from ._line import Encoded, Tie, encode
from ._overflow import Overflow
from ._segment import Segment


class _Held(NamedTuple):
    """A provisional line."""

    segment: Segment
    token: str
    """What ties the final line to it; also the name under which this process is among the segment's writers."""
    process: int


class Holds:
    """
    Provisional records of this process.

    A provisional line and the final one are in one segment, and the final one, written in one piece, makes the other
    void: there is no moment at which both count, or none. So they are found together by whoever adopts the segment.

    `hold`, and what it returns, may be used by any thread; the rest is guarded by the journal's lock.

    Args:
        holdings: The segments.
        contents: Where the content of final records waits.
        overflow: For records that the disk does not take.
        ended: Told of each record of a job whose hold has ended.
    """

    def __init__(
        self, holdings: Holdings, contents: Contents, overflow: Overflow, *, ended: Callable[[Recorded], None]
    ) -> None:
        self._holdings: Final = holdings
        self._writer = holdings.writer
        self._contents = contents
        self._overflow = overflow
        self._ended = ended
        self._tokens = count()
        self._unwritten: SimpleQueue[tuple[_Held, Recorded]] = SimpleQueue()

    def hold(self, recorded: Recorded) -> Hold:
        """Write a record down provisionally, or keep it in memory if the disk does not take it."""
        token = f"{next(self._tokens):x}"
        segment = None
        with guarded("writing a provisional record down"):
            if not self._writer.speed.too_slow:
                segment = self._writer.hold(encode(recorded, Tie("held", token)).line, token)
        if segment is None:
            return self._overflow.hold(recorded)
        return HeldBack(partial(self._end, _Held(segment, token, os.getpid())), recorded)

    def take_in(self) -> None:
        """Have the final records sent that the disk did not take, in place of the provisional ones, which it has."""
        for _ in range(self._unwritten.qsize()):
            try:
                held, final = self._unwritten.get_nowait()
            except Empty:
                return
            if not self._holdings.speak(held.segment, held.token, whole(final)):
                self._overflow.append(final)
            held.segment.writers.pop(held.token, None)

    def _end(self, held: _Held, final: Recorded) -> None:
        if held.process != os.getpid():  # the parent's to end
            return
        encoded: Encoded | None = None
        with guarded("writing a held record down"):
            encoded = encode(final, Tie("settles", held.token))
        if encoded is None or self._writer.speed.too_slow or not self._write(held.segment, encoded):
            self._unwritten.put((held, final))
        else:
            held.segment.writers.pop(held.token, None)
        if final.job:
            self._ended(final)

    def _write(self, segment: Segment, encoded: Encoded) -> bool:
        if encoded.kept is not None:
            # Before the line, so that whoever reads it finds the rest.
            self._contents.put(encoded.key, encoded.kept)
        # A mark would do for the writer's own file: this one may have been closed, and its number be that of the next.
        written = segment.file.is_intact() and self._writer.append_to(segment, encoded.line)
        if not written:
            self._contents.take(encoded.key)
        return written
