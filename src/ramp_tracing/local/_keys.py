"""What calls can be filtered and grouped by, and which of them are meant."""

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Final

NANOSECONDS: Final = 1_000_000_000

META: Final = "meta."
"""Stands before the names of the user's own keys, so that none of them can hide one of ours."""

NOT_GIVEN: Final = ""
"""The value that stands for calls that do not have the key. No key has an empty text as its value."""

KEYS: Final[Mapping[str, str]] = {
    "model": "model",
    "provider": "provider",
    "served_by": "served_by",
    "user": "user_id",
    "session": "session_id",
    "trace": "trace_name",
    "operation": "operation",
    "library": "library",
    "service": "service",
    "tier": "tier",
    "finish_reason": "finish_reason",
    "error": "error_type",
    "cost_source": "cost_source",
    "source": "source",
    "status": "CASE WHEN failed = 1 THEN 'failed' WHEN cost IS NULL THEN 'no price' ELSE 'ok' END",
}
"""What each of them is in SQL."""

MINUTE: Final = 60 * NANOSECONDS

STEPS: Final[Mapping[str, int]] = {
    "minute": MINUTE,
    "hour": 60 * MINUTE,
    "day": 24 * 60 * MINUTE,
    "week": 7 * 24 * 60 * MINUTE,
}
"""Lengths in nanoseconds. Days and weeks are those of UTC."""

MONDAY: Final = 4 * STEPS["day"]
"""1970 began on a Thursday: weeks are counted from the first Monday."""

LONGEST_FOR: Final = (("minute", 3 * STEPS["hour"]), ("hour", 3 * STEPS["day"]), ("day", 130 * STEPS["day"]))
"""Up to which length a time is shown in which steps: never more than some 180 bars."""

AHEAD: Final = 5 * MINUTE
"""How far the clock of a sender may be ahead for its calls to count as made until now."""

PERIOD: Final = re.compile(r"(\d{1,5})([mhdw])")

UNITS: Final = {"m": "minutes", "h": "hours", "d": "days", "w": "weeks"}


class QuestionError(ValueError):
    """A question that cannot be answered; the text says what to change, for whoever asked."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Filter:
    """
    Which calls are meant.

    Attributes:
        since: Nanoseconds since 1970, inclusive; `None` is from the first one on.
        until: Nanoseconds since 1970, exclusive; `None` is up to the last one.
        values: By key, the values of which a call has one.
    """

    since: int | None = None
    until: int | None = None
    values: Mapping[str, tuple[str, ...]] = field(default_factory=dict[str, tuple[str, ...]])

    def before(self) -> "Filter | None":
        """The same calls in the time before, equally long; `None` where there is no beginning."""
        if self.since is None or self.until is None:
            return None
        return Filter(since=2 * self.since - self.until, until=self.since, values=self.values)


def read_filter(given: Iterable[tuple[str, str]], *, now: datetime) -> Filter:
    """
    Read a filter from the parameters of a URL; unknown ones are left alone.

    Args:
        given: ``since`` (``7d``, or a date), ``until`` (a date, which is included), and any key, several times where
            several of its values are meant.
        now: From which ``7d`` counts back.

    Raises:
        QuestionError: A date is none.
    """
    values: dict[str, tuple[str, ...]] = {}
    since = until = None
    for name, text in given:
        if name == "since" and text:
            since = read_since(text, now=now)
            until = until or _nanoseconds(now) + AHEAD
        elif name == "until" and text:
            until = _instant(text, end=True)
        elif name in KEYS or name.startswith(META):
            values[name] = (*values.get(name, ()), text)
    return Filter(since=since, until=until, values=values)


def read_since(text: str, *, now: datetime) -> int:
    """
    The beginning of a time, in nanoseconds since 1970.

    Args:
        text: ``90m``, ``12h``, ``7d``, ``2w``, or a date or instant as ISO 8601 writes it.
        now: From where to count back.

    Raises:
        QuestionError: It is none of these.
    """
    period = PERIOD.fullmatch(text)
    if period is None:
        return _instant(text, end=False)
    return _nanoseconds(now - timedelta(**{UNITS[period[2]]: int(period[1])}))


def step_for(length: int) -> str:
    """The steps in which a time of *length* nanoseconds is shown."""
    return next((name for name, longest in LONGEST_FOR if length <= longest), "week")


def bucket(step: str) -> str:
    """In SQL, the beginning of the step in which a call started, in nanoseconds since 1970."""
    length, offset = STEPS[step], MONDAY if step == "week" else 0
    return f"(start - (start - {offset}) % {length})"


def condition(chosen: Filter, expression: Callable[[str], str | None]) -> tuple[str, list[object]]:
    """
    A filter in SQL.

    Args:
        chosen: Which calls.
        expression: What a key is in SQL; `None` where no call has it.

    Returns:
        What stands behind ``WHERE``, and its parameters.
    """
    parts, parameters = ["true"], list[object]()
    for comparison, bound in (("start >= ?", chosen.since), ("start < ?", chosen.until)):
        if bound is not None:
            parts.append(comparison)
            parameters.append(bound)
    for key, values in chosen.values.items():
        column = expression(key) or "NULL"
        places = ", ".join("?" * len(values))
        # The texts are parameters; names of columns are ours.
        parts.append(f"coalesce({column}, '{NOT_GIVEN}') IN ({places})")
        parameters += values
    return " AND ".join(parts), parameters


def _instant(text: str, *, end: bool) -> int:
    try:
        at = datetime.fromisoformat(text)
        if len(text) == len("2026-07-21") and end:
            at += timedelta(days=1)
    except (ValueError, OverflowError):
        raise QuestionError(f"{text!r} is no time: write 7d, 12h or a date like 2026-07-21") from None
    return _nanoseconds(at if at.tzinfo else at.replace(tzinfo=UTC))


def _nanoseconds(at: datetime) -> int:
    whole = int(at.replace(microsecond=0).timestamp()) * NANOSECONDS + at.microsecond * 1_000
    # No call is later than what a column holds, the year 2262.
    return min(whole, 2**63 - 1)
