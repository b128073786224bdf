"""How a receiver behaves: what it does with a request, and whether it takes the records."""

import gzip
import random
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Final

from tests.delivery.receiver import Behaviour, Exchange, answer, endless, hang, raw

from .reading import Call
from .tally import Tally


@dataclass(frozen=True, slots=True, kw_only=True)
class Visit:
    """
    One request and where it came from.

    Attributes:
        exchange: The connection; its ``closing`` ends with the phase that the request came in.
        calls: The generations in it.
        same: Whether the very same request came before.
        tally: Where taken records are counted.
    """

    exchange: Exchange
    calls: Sequence[Call]
    same: bool
    tally: Tally

    def take(self, calls: Sequence[Call]) -> None:
        """Keep these records."""
        self.tally.take(calls, same=self.same)


Conduct = Callable[[Visit], None]
"""Deals with one request; raises `OSError` to drop the connection."""


def taking(behaviour: Behaviour) -> Conduct:
    """Take the records, then do this."""

    def conduct(visit: Visit) -> None:
        visit.take(visit.calls)
        behaviour(visit.exchange)

    return conduct


def leaving(behaviour: Behaviour) -> Conduct:
    """Do this, and take nothing."""

    def conduct(visit: Visit) -> None:
        behaviour(visit.exchange)

    return conduct


def status(code: int, **headers: str) -> Conduct:
    """Answer with this status, and take nothing."""
    return leaving(answer(code, b"{}", **headers))


WELL: Final = taking(answer(200))
BUSY_503: Final = status(503, Retry_After="2")
BUSY_429: Final = status(429, Retry_After="1")
LIAR_503: Final = taking(answer(503))
HANG: Final = leaving(hang)
HANG_AFTER_TAKING: Final = taking(hang)
LOSE_ANSWER: Final = taking(raw())
GARBAGE: Final = leaving(raw(b"\x00\xff\xfe this is not HTTP\r\n\r\n"))
DRIP_HEADERS: Final = taking(endless(b"HTTP/1.1 200 OK\r\nX-Drip: ", b"a", every_seconds=0.2))
DRIP_BODY: Final = taking(endless(b"HTTP/1.1 200 OK\r\nContent-Length: 99999999\r\n\r\n", b" ", every_seconds=0.2))
REDIRECT: Final = status(302, Location="http://127.0.0.1:9/elsewhere")

HUGE_BYTES: Final = 400 << 20
HUGE: Final = taking(endless(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % HUGE_BYTES, b" " * 65_536))


@cache
def bomb() -> bytes:
    """As many bytes as `HUGE_BYTES`, packed."""
    return gzip.compress(b" " * (1 << 20)) * (HUGE_BYTES >> 20)


def gzip_bomb(visit: Visit) -> None:
    """A small answer that unpacks to a huge one."""
    visit.take(visit.calls)
    answer(200, bomb(), Content_Encoding="gzip")(visit.exchange)


def late(seconds: float) -> Conduct:
    """Take the records at once, and say so only then."""

    def behave(exchange: Exchange) -> None:
        exchange.closing.wait(seconds)
        answer(200)(exchange)

    return taking(behave)


def partial(refused: int) -> Conduct:
    """Refuse the first few of each request without saying which."""

    def conduct(visit: Visit) -> None:
        visit.take(visit.calls[refused:])
        count = min(refused, len(visit.calls))
        said = b'{"partialSuccess":{"rejectedSpans":"%d","errorMessage":"no room"}}' % count
        answer(200, said)(visit.exchange)

    return conduct


def too_large(limit_bytes: int) -> Conduct:
    """413 for a body over the limit."""

    def conduct(visit: Visit) -> None:
        (WELL if len(visit.exchange.request.body) <= limit_bytes else status(413))(visit)

    return conduct


def refusing(word: str, code: int = 400) -> Conduct:
    """Refuse a whole request for one record that has *word* in its marker."""

    def conduct(visit: Visit) -> None:
        (status(code) if any(word in call.marker for call in visit.calls) else WELL)(visit)

    return conduct


HALF_BAD: Final[tuple[tuple[int, Conduct], ...]] = (
    (50, WELL),
    (8, status(503)),
    (4, status(429)),
    (4, taking(answer(500))),
    (12, LOSE_ANSWER),
    (6, GARBAGE),
    (12, late(0.3)),
    (4, status(413)),
)
"""Per cent of the requests, and what becomes of them."""


def half_bad(*, seed: int, longest_run: int) -> Conduct:
    """
    One row of `HALF_BAD`, at random, each time anew.

    Args:
        seed: For the same moods each time.
        longest_run: After so many in a row that are not `WELL`, one is. It bounds the sender's backoff.
    """
    source = random.Random(seed)
    moods = deque[Conduct](maxlen=longest_run)

    def conduct(visit: Visit) -> None:
        [mood] = source.choices([each for _, each in HALF_BAD], [share for share, _ in HALF_BAD])
        if len(moods) == longest_run and WELL not in moods:
            mood = WELL
        moods.append(mood)
        mood(visit)

    return conduct
