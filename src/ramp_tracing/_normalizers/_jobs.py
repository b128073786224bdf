"""
Paid work that ends later: batches (https://platform.openai.com/docs/api-reference/batch) and videos
(https://platform.openai.com/docs/api-reference/videos). Background responses are in `_responses`.
"""

from collections.abc import Mapping
from dataclasses import replace
from decimal import Decimal
from typing import Final

from .._record import Failure, Outcome
from ._embeddings import read as read_plain
from ._failures import error_in
from ._formats import WireFormat
from ._plain import PlainAccumulator
from ._reading import as_amount, as_items, as_name, dig

ENDED: Final = frozenset({"completed", "failed", "expired", "cancelled"})
"""The states in which a batch or a video stays."""


def content(body: Mapping[str, object]) -> object:
    """The prompt of a video; a batch has its prompts in a file."""
    return {"prompt": body.get("prompt")}


def read(answer: object) -> Outcome:
    """What a job says of itself."""
    plain = read_plain(answer)
    status = as_name(dig(answer, "status"))
    return replace(
        plain,
        usage=replace(plain.usage, video_seconds=_video_seconds(answer)),
        pending=status not in ENDED,
        job=True,
        finish_reasons=(status,) if status in ENDED else (),
        failure=plain.failure or (_first_error(answer) if status == "failed" else None),
    )


def _video_seconds(answer: object) -> Decimal | None:
    """Length of a video, by which it is billed, once it is there."""
    is_made = dig(answer, "object") == "video" and dig(answer, "status") == "completed"
    return as_amount(dig(answer, "seconds")) if is_made else None


def _first_error(answer: object) -> Failure:
    """A batch lists what was wrong with its file: https://platform.openai.com/docs/api-reference/batch/object"""
    first = next(iter(as_items(dig(answer, "errors", "data"))), None)
    return error_in({"error": first}) or Failure(type="error")


JOBS: Final = WireFormat(content=content, read=read, accumulator=PlainAccumulator.folding(read))
