"""Results as Markdown and JSON."""

import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from math import log10
from pathlib import Path
from statistics import median
from typing import Any, Final

from . import instructions, timing
from .contenders import CONTENDERS
from .goals import Results, Verdict, judge

BEGIN: Final = "<!-- results: begin -->"
END: Final = "<!-- results: end -->"

TIMED: Final = {
    "caller": "Added CPU of the caller's thread, µs a call",
    "wall": "Added wall time, µs a call (fastest quarter)",
    "all": "Added CPU of all threads until delivered, µs a call",
    "peak": "Added memory at the peak of a call, KiB",
    "held": "Added memory after a call, before delivery, KiB",
    "kept": "Added memory after delivery, KiB a call",
}
"""Figure → heading of its table."""

ON_THE_WIRE: Final = {"bytes sent": "Bytes a span as sent", "bytes raw": "Bytes a span, unpacked"}
UNTIMED: Final = ("ours, unwritten",)
"""Counted only: where a record is not written down, nothing is delivered that could be timed."""


def table(header: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    """A table in Markdown; all columns but the first are numbers."""
    lines = [header, ["---", *["---:"] * (len(header) - 1)], *([str(cell) for cell in row] for row in rows)]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def number(value: float | None) -> str:
    """A number with as many places as mean something."""
    if value is None:
        return "–"
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:,.1f}" if abs(value) >= 1 else f"{value:,.2g}"


def goals(results: Results) -> str:
    """What must be reached."""
    rows = [(each.goal.what, each.goal.unit, limit_of(each), *figures_of(each), each.word) for each in judge(results)]
    return table(("what", "unit", "goal", "measured", "cheapest peer", "verdict"), rows)


def limit_of(verdict: Verdict) -> str:
    """``≤ 40``; nothing where it depends on what was not measured."""
    if verdict.limit is None:
        return "–"
    return f"{'≥' if verdict.goal.at_least else '≤'} {number(verdict.limit)}"


def figures_of(verdict: Verdict) -> tuple[str, str]:
    """Ours and the cheapest peer's."""
    return number(verdict.figure), number(verdict.cheapest)


def by_contender(found: Mapping[str, Mapping[str, Any]], cell: Callable[[str, str], str]) -> str:
    """A row for each contender that took part, a column for each scenario."""
    present = [name for name in CONTENDERS if any(name in each for each in found.values())]
    rows = [(name, *(cell(scenario, name) for scenario in found)) for name in present]
    return table(("", *found), rows)


def timed(rounds: timing.Rounds, figure: str) -> str:
    """What each contender adds; the baseline's row is the whole."""

    def cell(scenario: str, name: str) -> str:
        if name == "baseline":
            return number(median(rounds[scenario][name][figure]))
        added = timing.added(rounds[scenario], name, figure)
        return "" if added is None else f"{added:+,.1f}" if abs(added) < 100 else f"{added:+,.0f}"

    return by_contender(rounds, cell)


def on_the_wire(rounds: timing.Rounds, figure: str) -> str:
    """Bytes of a span."""

    def cell(scenario: str, name: str) -> str:
        values = rounds[scenario].get(name, {}).get(figure)
        return number(values[-1]) if values else ""

    return by_contender(rounds, cell)


def counted(counts: instructions.Counts) -> str:
    """Instructions, in thousands; the baseline's row is the whole."""

    def cell(scenario: str, name: str) -> str:
        if name == "baseline":
            return number(counts[scenario].get(name, 0) / 1_000)
        added = instructions.added(counts[scenario], name)
        return "" if added is None else f"{added / 1_000:+,.1f}"

    return by_contender(counts, cell)


def plain(found: Mapping[str, Mapping[str, Any]]) -> str:
    """What → name → value, as it is."""
    names = list(dict.fromkeys(name for each in found.values() for name in each))
    rows = [(what, *(shown(each.get(name)) for name in names)) for what, each in found.items()]
    return table(("", *names), rows)


def curve(found: Mapping[str, Mapping[str, float]]) -> str:
    """A table of points, with a bar for the first figure: ten times as much is five characters longer."""
    figures = list(next(iter(found.values())))
    rows = [
        (point, *(shown(each.get(figure)) for figure in figures), f"`{bar(each[figures[0]])}`")
        for point, each in found.items()
    ]
    return table(("", *figures, "the first, drawn"), rows)


def bar(figure: float) -> str:
    """What a figure is drawn as; a difference that noise has made less than nothing has no length."""
    return "█" * round(5 * log10(1 + max(0.0, figure)))


def shown(value: object) -> str:
    """A value of any kind."""
    if isinstance(value, list):
        return ", ".join(map(str, value)) or "none"
    return number(value) if isinstance(value, int | float) else "" if value is None else str(value)


def sections(results: Results) -> Iterator[tuple[str, str]]:
    """Heading and body, of what was run."""
    yield "What must be reached", goals(results)
    if rounds := results.get("timing"):
        for figure, heading in TIMED.items():
            yield heading, timed(rounds, figure)
        for figure, heading in ON_THE_WIRE.items():
            yield heading, on_the_wire(rounds, figure)
    if counts := results.get("instructions"):
        yield "Added instructions of the caller's thread, thousands a call", counted(counts)
    for part, heading in PLAIN.items():
        if found := results.get(part):
            yield heading, (curve if part.startswith("growth") else plain)(found)


PLAIN: Final = {
    "starting": "Import and switching on, in a process that has imported openai",
    "burst": "A burst of 10,000 calls and the end of the process",
    "silent": "10,000 calls while the receiver is silent for 30 s",
    "long run": "20,000 calls of LangChain's",
    "own": "Our own delivery, 100,000 records",
    "growth: calls": "How cost grows: calls in a process",
    "growth: threads": "How cost grows: threads",
    "growth: tasks": "How cost grows: concurrent tasks",
    "growth: prompt": "How cost grows: size of the prompt",
    "growth: waiting": "How cost grows: records that wait for the next process",
    "growth: processes": "How cost grows: processes that drain on one machine",
    "latency": "What the background thread does to the application",
}
"""Part → heading; their tables are as they were measured."""


def markdown(results: Results) -> str:
    """The whole, below headings of the third level."""
    about = results["about"]
    lines = [f"- {name}: {value}" for name, value in about.items() if name != "versions"]
    versions = table(("environment", "versions"), [(name, each) for name, each in about["versions"].items()])
    parts = [f"### {heading}\n\n{body}" for heading, body in sections(results)]
    return "\n\n".join(["\n".join(lines), *parts, f"### Versions\n\n{versions}"]) + "\n"


def write(results: Results, folder: Path) -> None:
    """Write ``results.json`` and ``results.md``, the figures first: tables can be made again, a run takes an hour."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "results.json").write_text(json.dumps(results, indent=1, ensure_ascii=False), encoding="utf-8")
    (folder / "results.md").write_text(markdown(results), encoding="utf-8")


def publish(results: Results, page: Path) -> None:
    """Put the tables between the markers of *page*."""
    head, _, rest = page.read_text(encoding="utf-8").partition(BEGIN)
    _, _, tail = rest.partition(END)
    page.write_text(f"{head}{BEGIN}\n{markdown(results)}{END}{tail}", encoding="utf-8")
