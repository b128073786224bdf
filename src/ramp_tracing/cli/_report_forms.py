"""The forms of a report."""

import csv
import json
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from typing import Final

from rich.bar import Bar
from rich.console import Console
from rich.table import Table
from rich.text import Text

from ..local._cells import cell
from ..local._report import Row
from ._console import plain

NOTHING: Final = "-"
"""Stands where nothing is known. An unknown cost is never shown as 0."""

SUMS: Final = ("calls", "failed", "unpriced", "input_tokens", "output_tokens")

HEADINGS: Final = ("calls", "failed", "no price", "input tokens", "output tokens", "cost in USD")

NANOSECONDS: Final = 1_000_000_000

BAR_WIDTH: Final = 24

NAME_WIDTH: Final = 16
"""What is left of a model's name in a line, at least; longer ones go on in the next."""

BETWEEN: Final = 3
"""Columns that a border and its margins take."""

TIMES: Final[Mapping[str, str]] = {"hour": "%Y-%m-%d %H:00", "day": "%Y-%m-%d", "week": "%Y-%m-%d"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """
    What a report says.

    Attributes:
        by: What its calls are grouped by, as the user said it.
        per: The length of its steps; `None` for one.
        rows: In the order in which they are shown.
    """

    by: str
    per: str | None
    rows: Sequence[Row]

    @property
    def cost(self) -> Decimal | None:
        """What everything cost; `None` where nothing has a price."""
        known = [Decimal(row["cost"]) for row in self.rows if row["cost"] is not None]
        return sum(known, Decimal(0)) if known else None

    def summed(self, name: str) -> int | None:
        """The sum of a count; `None` where nobody knows any."""
        known = [row[name] for row in self.rows if row[name] is not None]
        return sum(known) if known else None

    def when(self, row: Row) -> str:
        """The beginning of the step of *row*, in UTC."""
        return datetime.fromtimestamp(row["began"] // NANOSECONDS, UTC).strftime(TIMES[self.per or "day"])


def print_table(console: Console, report: Report) -> None:
    """For people. No figure is ever cut; where there is room, a bar shows how much of the largest cost a row is."""
    if not report.rows:
        console.print("There are no such calls.")
        return
    rows = [(*_beginning(report, row), *map(Text, _cells(row))) for row in report.rows]
    room = console.width - _narrowest(report, rows)
    table = _empty_table(report, has_room=room >= 0)
    bars = _bars(report) if room >= BAR_WIDTH + BETWEEN else None
    if bars is not None:
        table.add_column("", width=BAR_WIDTH)
    for position, cells in enumerate(rows):
        table.add_row(*cells, *(() if bars is None else (bars[position],)))
    console.print(table)


def _empty_table(report: Report, *, has_room: bool) -> Table:
    """With its headings and sums; where there is no room figures go on in the next line, and no digit is left out."""
    table = Table(title=plain(f"Spend by {report.by}"), title_justify="left", show_footer=True)
    if report.per:
        table.add_column(f"{report.per} (UTC)", no_wrap=has_room, overflow="fold", footer="total")
    table.add_column(plain(report.by), overflow="fold", footer="" if report.per else "total")
    for heading, footer in zip(HEADINGS, _total(report), strict=True):
        stacked = heading.replace(" ", "\n", 1)
        table.add_column(stacked, justify="right", no_wrap=has_room, overflow="fold", footer=footer)
    return table


def _narrowest(report: Report, rows: Sequence[tuple[Text, ...]]) -> int:
    """Columns that a table without bars takes at least: of the value's, any width is enough that is still read."""
    shown = [*rows, tuple(map(Text, (*[""] * (len(rows[0]) - len(HEADINGS)), *_total(report))))]
    widths: list[int] = [max(cell.cell_len for cell in column) for column in zip(*shown, strict=True)]
    at_value = len(widths) - len(HEADINGS) - 1
    widths[at_value] = min(widths[at_value], NAME_WIDTH)
    stacked = (max(map(len, heading.split(" ", 1))) for heading in HEADINGS)
    figures = sum(max(pair) for pair in zip(widths[at_value + 1 :], stacked, strict=True))
    when = len("hour (UTC)") if report.per else 0
    return max(sum(widths[:at_value]), when) + widths[at_value] + figures + BETWEEN * len(widths) + 1


def _bars(report: Report) -> list[Bar]:
    costs = [float(row["cost"] or 0) for row in report.rows]
    largest = max(costs) or 1.0
    return [Bar(largest, 0, cost, width=BAR_WIDTH, color="cyan") for cost in costs]


def print_csv(console: Console, report: Report) -> None:
    """For spreadsheets and scripts; what is not known is empty."""
    writer = csv.writer(sys.stdout)
    writer.writerow([*([report.per] if report.per else []), report.by, *SUMS, "cost"])
    for row in report.rows:
        when = [report.when(row)] if report.per else []
        writer.writerow([*when, cell(row["value"]), *(row[name] for name in SUMS), row["cost"]])


def print_json(console: Console, report: Report) -> None:
    """For scripts; money is text, so that nobody reads it as a float by accident."""
    rows = [{**row, "began": report.when(row) if report.per else None} for row in report.rows]
    total = {**{name: report.summed(name) for name in SUMS}, "cost": _money(report.cost)}
    sys.stdout.write(json.dumps({"by": report.by, "per": report.per, "rows": rows, "total": total}, indent=2) + "\n")


def print_markdown(console: Console, report: Report) -> None:
    """For reports that people write."""
    names = [*([f"{report.per} (UTC)"] if report.per else []), report.by]
    total = ["**total**", *[""] * (len(names) - 1), *_total(report)]
    lines = [
        [*names, *HEADINGS],
        [*["---"] * len(names), *["---:"] * len(HEADINGS)],
        *([*(text.plain for text in _beginning(report, row)), *_cells(row)] for row in report.rows),
        total,
    ]
    for line in lines:
        sys.stdout.write(f"| {' | '.join(_escaped(line))} |\n")


def _beginning(report: Report, row: Row) -> list[Text]:
    when = [Text(report.when(row))] if report.per else []
    return [*when, Text("not given", style="dim") if row["value"] is None else plain(row["value"])]


def _cells(row: Row) -> tuple[str, ...]:
    zeros = {"failed", "unpriced"}
    counts = ("" if name in zeros and not row[name] else _count(row[name]) for name in SUMS)
    return (*counts, NOTHING if row["cost"] is None else row["cost"])


def _total(report: Report) -> tuple[str, ...]:
    return (*(_count(report.summed(name)) for name in SUMS), _money(report.cost) or NOTHING)


def _count(number: int | None) -> str:
    return NOTHING if number is None else f"{number:,}"


def _money(amount: Decimal | None) -> str | None:
    return None if amount is None else f"{amount:f}"


def _escaped(cells: Iterable[str]) -> Iterable[str]:
    return (each.replace("\\", "\\\\").replace("|", "\\|").replace("\n", " ") for each in cells)


FORMS: Final[Mapping[str, Callable[[Console, Report], None]]] = {
    "table": print_table,
    "csv": print_csv,
    "json": print_json,
    "markdown": print_markdown,
}
"""By the name that ``--format`` takes."""
