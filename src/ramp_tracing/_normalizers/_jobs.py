"""
Paid work that ends later: batches (https://platform.openai.com/docs/api-reference/batch) and videos
(https://platform.openai.com/docs/api-reference/videos). Background responses are in `_responses`.
"""

from collections import Counter
from collections.abc import Mapping
from dataclasses import fields, replace
from decimal import Decimal
from io import BytesIO
from typing import Any, Final

from .._record import Failure, Outcome, UnixNanos, Usage
from ._embeddings import read as read_plain
from ._failures import error_in
from ._formats import WireFormat
from ._json import parse
from ._plain import PlainAccumulator
from ._reading import as_amount, as_count, as_instant, as_items, as_name, dig
from ._responses import read as read_response

ENDED: Final = frozenset({"completed", "failed", "expired", "cancelled"})
"""The states in which a batch or a video stays."""

OK: Final = 200

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
        usage=replace(plain.usage, video_seconds=_video_seconds(answer)),
        pending=status not in ENDED,
        job=True,
        service_tier=BATCH_TIER if _is_batch(answer) else plain.service_tier,
        created=as_instant(dig(answer, "created_at")),
        ended=_ended(answer, status),
        usage_file=None if plain.usage.known else as_name(dig(answer, "output_file_id")),
        finish_reasons=(status,) if status in ENDED else (),
        failure=plain.failure or (_first_error(answer) if status == "failed" else None),
    )


def _is_batch(answer: object) -> bool:
    return dig(answer, "object") == "batch" or dig(answer, "input_file_id") is not None


def read_output(body: bytes) -> Outcome:
    """
    What the requests of a batch used together, by the file of their answers, one in each line:
    https://platform.openai.com/docs/guides/batch#5-retrieve-the-results

    A count that one of them lacks is unknown, and so is the model if there are several.
    """
    models: set[str | None] = set()
    usages: list[Usage] = []
    for line in BytesIO(body):  # one by one: the file may have hundreds of megabytes
        answer = _answer_in(line)
        if answer is not None:
            models.add(answer.response_model)
            usages.append(answer.usage)
    model = models.pop() if len(models) == 1 else None
    return Outcome(response_model=model, usage=_sum(usages), complete=bool(usages))


def _answer_in(line: bytes) -> Outcome | None:
    """One that was not answered was not billed; it is in another file."""
    response = dig(parse(line), "response")
    body = dig(response, "body")
    if body is None or as_count(dig(response, "status_code")) != OK:
        return None
    return read_response(body) if dig(body, "object") == "response" else read_plain(body)


def _sum(usages: list[Usage]) -> Usage:
    names = [each.name for each in fields(Usage) if each.name not in ("hosted_tool_calls", "estimated")]
    counts: dict[str, Any] = {name: _total([getattr(usage, name) for usage in usages]) for name in names}
    tools = sum((Counter(usage.hosted_tool_calls) for usage in usages), Counter[str]())
    return Usage(**counts, hosted_tool_calls=dict(tools))


def _total(counts: list[Any]) -> Any:
    return None if not counts or None in counts else sum(counts)


def read_page(answer: object) -> Outcome:
    """What a list of jobs says, one by one."""
    return Outcome(page=tuple(read(each) for each in as_items(dig(answer, "data"))))


def _ended(answer: object, status: str | None) -> UnixNanos | None:
    """``completed_at``, ``failed_at``…: each state has an instant of its own."""
    return as_instant(dig(answer, f"{status}_at")) if status in ENDED else None


def _video_seconds(answer: object) -> Decimal | None:
    """Length of a video, by which it is billed, once it is there."""
    is_made = dig(answer, "object") == "video" and dig(answer, "status") == "completed"
    return as_amount(dig(answer, "seconds")) if is_made else None


def _first_error(answer: object) -> Failure:
    """A batch lists what was wrong with its file: https://platform.openai.com/docs/api-reference/batch/object"""
    first = next(iter(as_items(dig(answer, "errors", "data"))), None)
    return error_in({"error": first}) or Failure(type="error")


PAGES: Final = WireFormat(content=content, read=read_page, accumulator=PlainAccumulator.folding(read_page))
JOBS: Final = WireFormat(content=content, read=read, accumulator=PlainAccumulator.folding(read))
