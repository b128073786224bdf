"""
What each answer means. Nothing here does anything: bytes in, verdict out.

The rules are OTLP's, except where they would lose records for a mistake that a person can put right.
"""

import codecs
import json
import re
from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from types import MappingProxyType
from typing import Final, Literal, cast

from .._dataclass import dataclass
from ._partial_success import refused_spans, status_message

Kind = Literal["acknowledge", "retry", "hold", "split", "bisect"]
"""
What to do with a batch: let it go; send it again soon; keep it until someone has put something right; send it in
halves, because it is too large; send its records one by one, because one of them is bad.
"""

BY_STATUS: Final[Mapping[int, Kind]] = MappingProxyType(
    {400: "bisect", 408: "retry", 413: "split", 422: "bisect", 425: "retry", 429: "retry"}
)

BY_CLASS: Final[Mapping[int, Kind]] = MappingProxyType({2: "acknowledge", 3: "hold", 4: "hold", 5: "retry"})
"""First digit of a status that is not named above. Any other number is no HTTP, and may be better the next time."""

MAX_RETRY_AFTER_SECONDS: Final = 600.0
"""A receiver that names a later hour, by mistake or not, is asked every ten minutes all the same."""

ESCAPE: Final = codecs.getencoder("unicode_escape")
"""Looked up here, because the first look imports it; see `Worker.before_fork`."""

CODE: Final = re.compile(r"[A-Za-z0-9_.-]{1,64}")

MAX_SAID_CHARACTERS: Final = 200
MAX_TRACE_ID_CHARACTERS: Final = 64


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """
    What the receiver answered.

    Attributes:
        status: The HTTP status.
        headers: By lower-case name.
        body: At most the first 64 KiB; empty if it is compressed, because it is never unpacked.
    """

    status: int
    headers: Mapping[str, str]
    body: bytes = b""

    @property
    def trace_id(self) -> str | None:
        """The receiver's name for the request, which its support will ask for."""
        given = self.headers.get("x-trace-id")
        return escaped(given)[:MAX_TRACE_ID_CHARACTERS] if given else None

    @property
    def code(self) -> str:
        """Ramp's error code; empty if there is none. A word, so it quotes nothing of what was sent."""
        code = _field(_field(_json(self.body.decode("utf-8", "replace")), "error_v2"), "error_code")
        return code if isinstance(code, str) and CODE.fullmatch(code) else ""

    @property
    def said(self) -> str:
        """What the receiver says about it, escaped and cut; empty if nothing."""
        is_protobuf = "protobuf" in self.headers.get("content-type", "")
        said = status_message(self.body) if is_protobuf else _message(self.body.decode("utf-8", "replace"))
        return escaped(said)[:MAX_SAID_CHARACTERS]


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """
    What an answer means.

    Attributes:
        kind: What to do with the batch.
        floor_seconds: Not to be tried again before that; 0 if the receiver did not say.
        refused: Records of an acknowledged batch that were not taken.
    """

    kind: Kind
    floor_seconds: float = 0.0
    refused: int = 0


def judge(answer: Answer, *, now: datetime) -> Verdict:
    """
    What *answer* means for the batch that it answers.

    Args:
        answer: The answer.
        now: The time, with its zone: ``Retry-After`` may be a date.
    """
    kind = BY_STATUS.get(answer.status) or BY_CLASS.get(answer.status // 100, "retry")
    if kind == "acknowledge":
        return Verdict(kind=kind, refused=refused_spans(answer.body, answer.headers.get("content-type", "")))
    return Verdict(kind=kind, floor_seconds=_retry_after(answer.headers, now=now))


def escaped(text: str) -> str:
    """*text* on one line, without anything that a terminal or a log would act upon."""
    return ESCAPE(text, "backslashreplace")[0].decode("ascii")


def _retry_after(headers: Mapping[str, str], *, now: datetime) -> float:
    """Seconds that the receiver asks for, at most ten minutes; 0 if it does not ask, or cannot be understood."""
    text = headers.get("retry-after", "").strip()
    if re.fullmatch(r"[0-9]{1,9}", text):
        seconds = float(text)
    else:
        # Against the receiver's own clock where it is shown: ours may be wrong by hours.
        seconds = _seconds_until(http_date(text), http_date(headers.get("date", "")) or now)
    return min(max(seconds, 0.0), MAX_RETRY_AFTER_SECONDS)


def _seconds_until(then: datetime | None, now: datetime) -> float:
    return 0.0 if then is None else (then - now).total_seconds()


def http_date(text: str) -> datetime | None:
    """An HTTP date, in UTC where it names no zone; `None` if it is none."""
    try:
        date = parsedate_to_datetime(text)
    except (ValueError, TypeError, OverflowError):
        return None
    return date if date.tzinfo is not None else date.replace(tzinfo=UTC)


def _message(text: str) -> str:
    """Ramp's error code and message, or any message that JSON has, or else the text as it is."""
    body = _json(text)
    if body is None:
        return text.strip()
    error = _field(body, "error_v2")
    parts = [_field(error, "error_code"), _field(error, "message"), _field(body, "message")]
    parts += [_field(body, "error"), _field(body, "error_description")]  # OAuth's
    return ": ".join(part for part in parts if isinstance(part, str))


def _json(text: str) -> object:
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return None


def _field(value: object, name: str) -> object:
    return cast("Mapping[str, object]", value).get(name) if isinstance(value, dict) else None
