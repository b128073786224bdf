"""A table at the end of the tests' output: how many recorded calls of how many were received as they should be."""

from collections import Counter
from collections.abc import Iterable
from typing import Any, Final

from .calls import FREE, NOT_MADE
from .shelf import PROPERTY, rows

COLOURS: Final = ("sync", "async")


def pytest_terminal_summary(terminalreporter: Any) -> None:
    """Print the table, if any recorded call was replayed."""
    replayed = _replayed(terminalreporter.stats)
    if replayed:
        terminalreporter.section("recorded calls, as Ramp receives them")
        for line in lines(replayed, _replayed({"passed": terminalreporter.stats.get("passed", ())})):
            terminalreporter.write_line(line)


def lines(replayed: Counter[tuple[str, ...]], passed: Counter[tuple[str, ...]]) -> Iterable[str]:
    """
    The table.

    Args:
        replayed: How many tests ran, by endpoint, provider and colour.
        passed: How many of them passed.
    """
    yield f"{'endpoint':<22}{'provider':<18}{'rows':>5}{'sync':>11}{'async':>11}"
    in_index = Counter((row.endpoint, row.provider) for row in rows())
    for (endpoint, provider), total in sorted(in_index.items()):
        if endpoint in NOT_MADE:
            continue
        of = [f"{passed[endpoint, provider, c]} of {replayed[endpoint, provider, c]}" for c in COLOURS]
        name = endpoint or "(no generation)"
        yield f"{name:<22}{provider or '(localhost)':<18}{total:>5}{of[0]:>11}{of[1]:>11}"
    sums = [f"{_sum(passed, colour)} of {_sum(replayed, colour)}" for colour in COLOURS]
    made = sum(total for (endpoint, _), total in in_index.items() if endpoint not in NOT_MADE)
    yield f"{'all':<40}{made:>5}{sums[0]:>11}{sums[1]:>11}"
    yield from _left_out(in_index)


def _left_out(in_index: Counter[tuple[str, str]]) -> Iterable[str]:
    yield "not made with the openai client:"
    for endpoint, reason in NOT_MADE.items():
        total = sum(count for (each, _), count in in_index.items() if each == endpoint)
        yield f"  {endpoint:<38}{total:>5}  {reason}"
    yield f"  {'all':<38}{sum(count for (each, _), count in in_index.items() if each in NOT_MADE):>5}"
    free = sum(count for (each, _), count in in_index.items() if each == FREE)
    yield f"made, and rightly without a span, because nothing is generated: {free}"


def _replayed(stats: Any) -> Counter[tuple[str, ...]]:
    reports = (report for kind in ("passed", "failed", "error") for report in stats.get(kind, ()))
    return Counter(
        tuple(value)
        for report in reports
        if getattr(report, "when", None) == "call"
        for name, value in report.user_properties
        if name == PROPERTY
    )


def _sum(counts: Counter[tuple[str, ...]], colour: str) -> int:
    return sum(count for (*_, each), count in counts.items() if each == colour)
