"""The idempotency key of a call: the provider's response id when it is good for that, else a fresh one."""

import os
from hashlib import sha256
from random import Random
from typing import Any, Final

from ._record import GenerationId

MAX_SEEN: Final = 10_000
"""Ids kept for each of two ages. A provider never repeats an id; a cache or a mock repeats it within a few calls."""

MIN_UNIQUE_CHARACTERS: Final = 8
"""Shorter ids are counters or constants (Ollama: ``chatcmpl-674``, Groq compound: ``stub``); others meet them too."""

MIN_UNIQUE_DIGITS: Final = 16
"""A time in milliseconds (Cloudflare: ``id-1767213408428``) has 13, and two machines share it."""


class SeenIds:
    """
    The response ids that are taken in this process; bounded, the oldest are forgotten.

    `dict.setdefault` is one step under the GIL, so two threads cannot both be given the same id.
    Hashes are kept, in half of the memory of ids. Should two ids have one, of 2**64, the second call gets a fresh id.
    """

    __slots__ = ("_older", "_recent")

    def __init__(self) -> None:
        self._recent: dict[int, int] = {}
        self._older: dict[int, int] = {}

    def __contains__(self, response_id: str) -> bool:
        taken = hash(response_id)
        return taken in self._recent or taken in self._older

    def take(self, response_id: str) -> bool:
        """Claim *response_id*; False if it was claimed before."""
        claim = hash(response_id)  # a new object each time, but for a few hundred of 2**64: it tells who was first
        if claim in self._older or self._recent.setdefault(claim, claim) is not claim:
            return False
        if len(self._recent) > MAX_SEEN:
            self._older, self._recent = self._recent, {}
        return True


def generation_id(response_id: str | None, seen: SeenIds) -> GenerationId:
    """
    The key of a call that was answered with *response_id*.

    Ramp keeps one event per id and a later one replaces the earlier, so an id that is replayed (a cache hit, a mock)
    or so short that another machine will meet it too must not be used for a second call.
    """
    if response_id is not None and is_unique(response_id) and seen.take(response_id):
        text: Any = response_id  # `cast` is a call, and this is in the way of each
        claimed: GenerationId = text
        return claimed
    return fresh_id()


def fresh_id() -> GenerationId:
    """An id that nobody has used."""
    fresh: Any = "ramp-" + fresh_hex()  # a `NewType` is called, too
    unused: GenerationId = fresh
    return unused


def fresh_hex() -> str:
    """
    32 hexadecimal digits that nobody has used.

    Not from the system's source of randomness: asking it gives the interpreter's lock away, which a busy program
    takes tens of milliseconds to give back. The process id keeps forked children apart, whoever forked them; those that
    Python has forked begin anew, because process ids come again.
    """
    number = _random.getrandbits(96) << 32 | (os.getpid() & 0xFFFFFFFF)
    return number.to_bytes(16, "big").hex()  # to format it takes twice as long


_random: Final = Random()  # our own: an application may seed the one that all share

if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_random.seed)


def derived_id(*parts: str, digits: int) -> str:
    """The first *digits* hexadecimal digits of a hash of *parts*."""
    return sha256("\0".join(parts).encode("utf-8", "surrogatepass")).hexdigest()[:digits]


def is_unique(response_id: str) -> bool:
    """Whether *response_id* is one that no other machine will meet, as far as can be told."""
    end = response_id[-MIN_UNIQUE_DIGITS:]
    if len(end) == MIN_UNIQUE_DIGITS and "-" not in end and "_" not in end:
        return True  # its own part is so long whatever it consists of, as that of nearly all is
    own_part = response_id.replace("_", "-").partition("-")[2] or response_id
    return len(own_part) >= (MIN_UNIQUE_DIGITS if own_part.isdigit() else MIN_UNIQUE_CHARACTERS)
