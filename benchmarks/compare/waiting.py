"""What the background thread does to the application while it encodes and sends: they share the interpreter's lock."""

from collections.abc import Sequence
from typing import Final

from .timing import Say
from .workers import Place, Worker, counts, order, working

BACKLOG: Final = 5_000
"""Calls that wait to be encoded and sent when the receiver speaks again: a second's work or more."""

ACTS: Final = 500
ROUNDS: Final = 3
SEEN: Final = {"chat": "chat", "first chunk": "first chunk of a stream"}

Waits = dict[str, dict[str, float]]
"""Whose, what and when → p50, p99 and the worst, in µs."""


def wait(names: Sequence[str], place: Place, say: Say) -> Waits:
    """How long calls take, with and without a backlog; the least of some rounds in turns."""
    found: Waits = {}
    with working(names, "openai", place) as workers:
        for turn in range(ROUNDS):
            say(f"waiting for calls, round {turn + 1} of {ROUNDS}")
            for scenario, shown in SEEN.items():
                for worker in workers.values():
                    note(found, f"{shown}, nothing waits: {worker.name}", quiet(worker, scenario))
                    note(found, f"{shown}, a backlog is sent: {worker.name}", busy(worker, scenario, place))
    return dict(sorted(found.items()))


def note(found: Waits, row: str, figures: dict[str, float]) -> None:
    """Keep the least."""
    before = found.setdefault(row, figures)
    found[row] = {name: min(before[name], figure) for name, figure in figures.items()}


def quiet(worker: Worker, scenario: str) -> dict[str, float]:
    """With nothing to send but these calls themselves."""
    worker.ask("flush", scenario, 0)
    return worker.ask("wait", scenario, ACTS)


def busy(worker: Worker, scenario: str, place: Place) -> dict[str, float]:
    """While what was recorded in a silence is sent."""
    order(place.receiver, "silence")
    try:
        worker.ask("many", "chat", BACKLOG)
    finally:
        order(place.receiver, "speak")
    counts(place, worker.name)
    figures = worker.ask("wait", scenario, ACTS)
    return {**figures, "sent meanwhile": float(counts(place, worker.name)["spans"])}
