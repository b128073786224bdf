"""A table at the end of the tests' output: how many recorded calls of how many were received as they should be."""

from collections import Counter
from collections.abc import Iterable
from decimal import Decimal
from typing import Any, Final

from .calls import FREE, NOT_MADE, openai
from .shelf import COST, PROPERTY, rows

COLOURS: Final = ("sync", "async")


def pytest_terminal_summary(terminalreporter: Any) -> None:
    """Print the table, if any recorded call was replayed."""
    if _replayed(terminalreporter.stats, "passed", "failed"):
        terminalreporter.section(f"recorded calls with openai {openai.__version__}, as Ramp receives them")
        for line in lines(_replayed(terminalreporter.stats, "passed")):
            terminalreporter.write_line(line)
    costs = [value for report in terminalreporter.stats.get("passed", ()) for value in _said(report, COST)]
    if costs:
        terminalreporter.write_line(cost_line(costs))


def cost_line(costs: list[tuple[str, str, bool]]) -> str:
    """In one line: how many of the reported costs arrived exactly, of whom, and together."""
    total = sum((Decimal(amount) for _, amount, _ in costs), Decimal(0))
    by_provider = ", ".join(f"{name} {count}" for name, count in Counter(name for name, *_ in costs).most_common())
    of = len([row for row in rows() if row["cost"]])
    own = sum(own for *_, own in costs)
    return f"reported costs that arrived exactly: {len(costs)} of {of} ({by_provider}; {own} own key), {total} USD"


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
    return Counter(tuple(value) for report in reports for value in _said(report, PROPERTY))


def _said(report: Any, what: str) -> list[Any]:
    return [value for name, value in report.user_properties if name == what and report.when == "call"]
