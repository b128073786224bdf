"""
Paid work that ends later: batches (https://platform.openai.com/docs/api-reference/batch) and videos
(https://platform.openai.com/docs/api-reference/videos). Background responses are in `_responses`.
"""

from collections.abc import Mapping
from dataclasses import replace
from typing import Final

from .._record import Failure, Outcome, UnixNanos
from ._embeddings import read as read_plain
from ._failures import error_in
from ._formats import WireFormat
from ._plain import PlainAccumulator
from ._reading import as_instant, as_items, as_name, dig

ENDED: Final = frozenset({"completed", "failed", "expired", "cancelled"})
"""The states in which a batch or a video stays."""

BATCH_TIER: Final = "batch"
"""No answer says so, but it is a tier of every price list: https://platform.openai.com/docs/guides/batch"""


def content(body: Mapping[str, object]) -> object:
    """The prompt of a video; a batch has its prompts in a file."""
    return {"prompt": body.get("prompt")}


def read(answer: object) -> Outcome:
    """What a job says of itself."""
    plain = read_plain(answer)
    status = as_name(dig(answer, "status"))
    return replace(
        plain,
        pending=status not in ENDED,
        job=True,
        service_tier=BATCH_TIER if dig(answer, "object") == "batch" else plain.service_tier,
        created=as_instant(dig(answer, "created_at")),
        ended=_ended(answer, status),
        finish_reasons=(status,) if status in ENDED else (),
        failure=plain.failure or (_first_error(answer) if status == "failed" else None),
    )


def read_page(answer: object) -> Outcome:
    """What a list of jobs says, one by one."""
    return Outcome(page=tuple(read(each) for each in as_items(dig(answer, "data"))))


def _ended(answer: object, status: str | None) -> UnixNanos | None:
    """``completed_at``, ``failed_at``…: each state has an instant of its own."""
    return as_instant(dig(answer, f"{status}_at")) if status in ENDED else None


def _first_error(answer: object) -> Failure:
    """A batch lists what was wrong with its file: https://platform.openai.com/docs/api-reference/batch/object"""
    first = next(iter(as_items(dig(answer, "errors", "data"))), None)
    return error_in({"error": first}) or Failure(type="error")


PAGES: Final = WireFormat(content=content, read=read_page, accumulator=PlainAccumulator.folding(read_page))
JOBS: Final = WireFormat(content=content, read=read, accumulator=PlainAccumulator.folding(read))
