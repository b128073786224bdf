"""The lean part of embeddings, and what is kept of them: all but their vectors."""

from collections.abc import Sequence
from typing import Final

from ._lean import LeanAnswer, picked
from ._shapes import BETWEEN_MEMBERS, ESCAPE, NAMES_AROUND, Shapes, are_plain, in_one_line, members_of


def lean_embeddings(body: bytes) -> LeanAnswer | None:
    """The lean part of embeddings without their vectors; `None` where something about it is unusual."""
    if _are_usual(body):  # to parse it and put it together again takes three times as long
        return None, in_one_line(body)
    return picked(members_of(body))


END_BYTES: Final = 2_048
"""How much there is at most before the vectors, and behind them."""

END_OF_VECTORS: Final = b"]"


def without_vectors(body: bytes) -> bytes | None:
    """
    Embeddings without their vectors, which nobody parses or keeps; `None` where they are not written as usual.

    As they came: a cost keeps every digit. Half a megabyte is not searched, only its two ends.
    """
    start, end = body.find(b'"data"', 0, END_BYTES), body.rfind(END_OF_VECTORS, -END_BYTES) + 1
    if not 0 < start < end:
        return None
    kept = body[:start] + body[end:].lstrip(BETWEEN_MEMBERS)
    return kept if _are_usual(kept) or _are_embeddings(kept) else None


def _are_usual(kept: bytes) -> bool:
    """Whether there is nothing but names and counts; an id would make a shape of its own of each answer."""
    if kept is LATEST[0]:  # asked when it was cut out, too: the same bytes, whoever else has come meanwhile
        return True
    is_usual = kept.find(RESPONSE_ID) < 0 and AROUND_VECTORS.of((kept,)) is not None  # `in` takes twice as long
    if is_usual:
        LATEST[0] = kept
    return is_usual


def _are_embeddings(kept: bytes) -> bool:
    """
    Whether this is an answer without its vectors, and nothing else that its reader needs was cut out with them.

    All that is opened in it is closed. Were it another list that ended last, what stood before that is gone as well.
    """
    members = members_of(kept)
    return members is not None and AROUND_EMBEDDINGS <= members.keys()


def _examine(parts: Sequence[bytes]) -> bool | None:
    """Whether embeddings without their vectors are as usual."""
    [kept] = parts
    is_usual = ESCAPE not in kept and _are_embeddings(kept) and are_plain(members_of(kept), NAMES_AROUND | {"model"})
    return True if is_usual else None


RESPONSE_ID: Final = b'"id"'
AROUND_EMBEDDINGS: Final = frozenset({"model", "usage"})
AROUND_VECTORS: Final = Shapes(_examine)

LATEST: Final = [b""]
"""The last of what was found usual, to be known again: names and counts, no more than a shape may have."""
