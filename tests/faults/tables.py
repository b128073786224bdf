"""Tables in Markdown, a row at a time, so that a long run can be watched."""

from collections.abc import Iterable, Sequence
from typing import Final

from .verdict import Outcome

TITLES: Final = ("fault", "sent", "received distinct", "again", "other bytes", "lost", "dead letters", "exit s", "")


def head(titles: Sequence[str]) -> str:
    """The first two lines."""
    return f"{row(titles)}\n{row(['---'] * len(titles))}"


def row(cells: Iterable[object]) -> str:
    """Another line; `None` is left empty."""
    return f"| {' | '.join(_cell(each) for each in cells)} |"


def _cell(value: object) -> str:
    if value is None:
        return ""
    return f"{value:,}" if type(value) is int else str(value)


def outcome_row(name: str, outcome: Outcome) -> str:
    """The line of a fault, under `TITLES`."""
    exit_seconds = None if outcome.exit_seconds is None else f"{outcome.exit_seconds:.2f}"
    figures = (outcome.sent, outcome.received, outcome.again, outcome.regrouped, outcome.lost, outcome.dead)
    return row((name, *figures, exit_seconds, "; ".join(outcome.reasons) or "ok"))
