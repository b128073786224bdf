"""Adding up what calls cost, and showing it."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from decimal import Decimal
from typing import Final

from rich.console import Console
from rich.table import Table

from ..testing import ReceivedSpan
from ._console import plain

FAILED: Final = 2
"""OTLP's status of a span that failed."""

COST: Final = "gen_ai.usage.total_cost"
"""US dollars."""

NOTHING: Final = "-"
"""Stands where nothing is known. An unknown cost is never shown as 0."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Spend:
    """
    Calls, added up.

    Attributes:
        name: What they have in common.
        calls: How many there were.
        failed: How many of them failed.
        unpriced: How many of them succeeded and have no price.
        input_tokens: Sum of those that are known; `None` when none is.
        output_tokens: Sum of those that are known; `None` when none is.
        cost: Sum in US dollars of those that are known; `None` when none is.
    """

    name: str
    calls: int
    failed: int
    unpriced: int
    input_tokens: int | None
    output_tokens: int | None
    cost: Decimal | None


def print_spend(console: Console, generations: Iterable[ReceivedSpan]) -> None:
    """Show what *generations* cost, by model, by cost center and all in all."""
    spans = list(generations)
    total = spend_of("total", spans)
    for name, key in (("model", model_of), ("cost center", cost_center_of)):
        console.print(spend_table(name, spend_by(key, spans), total))
        console.print()
    cost = "unknown" if total.cost is None else f"${total.cost:.6f}"
    console.print(f"Total cost: {cost}", style="bold")
    console.print(f"Calls that failed: {total.failed}")
    console.print(f"Calls without a known price: {total.unpriced} (their cost is left open, and is not in the total)")


def spend_of(name: str, generations: Iterable[ReceivedSpan]) -> Spend:
    """All of *generations* as one line."""
    spans = list(generations)
    succeeded = [each for each in spans if each.status != FAILED]
    return Spend(
        name=name,
        calls=len(spans),
        failed=len(spans) - len(succeeded),
        unpriced=sum(COST not in each.attributes for each in succeeded),
        input_tokens=_whole(_sum("gen_ai.usage.input_tokens", spans)),
        output_tokens=_whole(_sum("gen_ai.usage.output_tokens", spans)),
        cost=_sum(COST, spans),
    )


def spend_by(key: Callable[[ReceivedSpan], str], generations: Iterable[ReceivedSpan]) -> list[Spend]:
    """One line for each value of *key*, the most expensive first, those without a known cost last."""
    groups: dict[str, list[ReceivedSpan]] = {}
    for each in generations:
        groups.setdefault(key(each), []).append(each)
    lines = [spend_of(name, spans) for name, spans in groups.items()]
    return sorted(lines, key=lambda line: (line.cost is None, -(line.cost or 0), line.name))


def model_of(generation: ReceivedSpan) -> str:
    """The model that answered, or the one that was asked for where none did."""
    attributes = generation.attributes
    return str(attributes.get("gen_ai.response.model") or attributes.get("gen_ai.request.model") or NOTHING)


def cost_center_of(generation: ReceivedSpan) -> str:
    """Where the call is booked."""
    return str(generation.attributes.get("trace.metadata.cost_center", NOTHING))


def spend_table(name: str, lines: Iterable[Spend], total: Spend) -> Table:
    """
    The lines and their total, for a terminal.

    Args:
        name: What the lines have in common: ``model``.
        lines: One row each.
        total: The last row.
    """
    table = Table(title=f"Spend by {name}", title_justify="left", show_footer=True)
    table.add_column(name, footer="total", overflow="fold")
    headings = ("calls", "failed", "no price", "input tokens", "output tokens", "cost in USD")
    for heading, footer in zip(headings, cells(total), strict=True):
        table.add_column(heading, footer=footer, justify="right", overflow="fold")
    for line in lines:
        table.add_row(plain(line.name), *cells(line))
    return table


def cells(line: Spend) -> tuple[str, ...]:
    """The numbers of a line as they are shown."""
    return (
        str(line.calls),
        str(line.failed or ""),
        str(line.unpriced or ""),
        NOTHING if line.input_tokens is None else f"{line.input_tokens:,}",
        NOTHING if line.output_tokens is None else f"{line.output_tokens:,}",
        NOTHING if line.cost is None else f"{line.cost:.6f}",
    )


def _sum(key: str, spans: Iterable[ReceivedSpan]) -> Decimal | None:
    """Of the spans that say something; `None` if none does."""
    known = [Decimal(value) for each in spans if isinstance(value := each.attributes.get(key), int | Decimal)]
    return sum(known, Decimal(0)) if known else None


def _whole(number: Decimal | None) -> int | None:
    return None if number is None else int(number)
