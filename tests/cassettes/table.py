"""A table at the end of the tests' output: how many recorded calls of how many were received as they should be."""

from collections import Counter
from collections.abc import Iterable
from typing import Any, Final

from .calls import FREE, NOT_MADE, openai
from .shelf import PROPERTY, rows

COLOURS: Final = ("sync", "async")


def pytest_terminal_summary(terminalreporter: Any) -> None:
    """Print the table, if any recorded call was replayed."""
    if _replayed(terminalreporter.stats, "passed", "failed"):
        terminalreporter.section(f"recorded calls with openai {openai.__version__}, as Ramp receives them")
        for line in lines(_replayed(terminalreporter.stats, "passed")):
            terminalreporter.write_line(line)


def lines(passed: Counter[tuple[str, ...]]) -> Iterable[str]:
    """The table; *passed* says how many tests did, by endpoint, provider and colour."""
    yield f"{'endpoint':<22}{'provider':<18}{'sync':>14}{'async':>14}"
    in_index = Counter((row.endpoint, row.provider) for row in rows())
    made = {kind: total for kind, total in sorted(in_index.items()) if kind[0] not in NOT_MADE}
    for (endpoint, provider), total in made.items():
        cells = [f"{passed[endpoint, provider, colour]} of {total}" for colour in COLOURS]
        yield f"{endpoint or '(no generation)':<22}{provider or '(localhost)':<18}{cells[0]:>14}{cells[1]:>14}"
    sums = [sum(count for (*_, each), count in passed.items() if each == colour) for colour in COLOURS]
    cells = [f"{received} of {sum(made.values())}" for received in sums]
    yield f"{'all':<40}{cells[0]:>14}{cells[1]:>14}"
    yield from _left_out(in_index)


def _left_out(in_index: Counter[tuple[str, str]]) -> Iterable[str]:
    yield "not made with the openai client:"
    for endpoint, reason in NOT_MADE.items():
        total = sum(count for (each, _), count in in_index.items() if each == endpoint)
        yield f"  {endpoint:<38}{total:>5}  {reason}"
    yield f"  {'all':<38}{sum(count for (each, _), count in in_index.items() if each in NOT_MADE):>5}"
    free = sum(count for (each, _), count in in_index.items() if each == FREE)
    yield f"made, and rightly without a span, because nothing is generated: {free}"


def _replayed(stats: Any, *outcomes: str) -> Counter[tuple[str, ...]]:
    """The tests of recorded calls that came out so, by endpoint, provider and colour."""
    reports = (report for outcome in outcomes for report in stats.get(outcome, ()) if report.when == "call")
    said = (value for report in reports for name, value in report.user_properties if name == PROPERTY)
    return Counter(tuple(value) for value in said)
