"""What the page asks: totals, the course of time, who spends most, how fast answers came."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Final

import duckdb

from ._entry import PLACES, dollars, money_text
from ._keys import MONDAY, STEPS, Filter, QuestionError, bucket, condition, step_for
from ._mirror import Mirror

Json = dict[str, Any]
"""An answer, as JSON takes it; money in it is text."""

MEASURES: Final[Mapping[str, str]] = {
    "calls": "count(*)",
    "failed": "count(*) FILTER (WHERE failed = 1)",
    "unpriced": "count(*) FILTER (WHERE failed = 0 AND cost IS NULL)",
    "priced": "count(cost)",
    "cost": "sum(cost)",
    "input_cost": "sum(input_cost)",
    "output_cost": "sum(output_cost)",
    "tokens": "sum(tokens)",
    "input_tokens": "sum(input_tokens)",
    "output_tokens": "sum(output_tokens)",
    "cached_tokens": "sum(cached_tokens)",
    "cache_write_tokens": "sum(cache_write_tokens)",
    "reasoning_tokens": "sum(reasoning_tokens)",
}
"""What calls are added up to. Sums are NULL where nothing is known: never 0."""

RATIOS: Final[Mapping[str, str]] = {
    "tokens_with_cost": "sum(tokens) FILTER (WHERE cost IS NOT NULL)",
    "cost_of_tokens": "sum(cost) FILTER (WHERE tokens IS NOT NULL)",
}

BRIEF: Final = ("calls", "failed", "unpriced", "cost", "tokens")

DRAWN: Final = ("cost", "calls", "tokens")
"""What a chart can show of each step."""

MONEY: Final = frozenset({"cost", "input_cost", "output_cost"})

MAX_GROUPS: Final = 8
"""More colours than that cannot be told apart; the rest is one group."""

MAX_TOP: Final = 10
"""More than `MAX_GROUPS`, so that it shows whether there are others."""

MAX_BUCKETS: Final = 2_000

QUANTILES: Final = (0.5, 0.95, 0.99)


@dataclass(frozen=True, slots=True, kw_only=True)
class Spend:
    """
    Asks one question about some calls.

    Attributes:
        mirror: What knows the keys.
        cursor: A snapshot of it.
        chosen: Which calls.
    """

    mirror: Mirror
    cursor: duckdb.DuckDBPyConnection
    chosen: Filter

    def totals(self) -> Json:
        """Everything added up, with what a call and a thousand tokens cost on average."""
        [row] = self._ask("SELECT {measures} FROM calls WHERE {where}", measures={**MEASURES, **RATIOS})
        with_tokens, of_tokens = row.pop("tokens_with_cost"), row.pop("cost_of_tokens")
        return _shown(row) | {
            "cost_per_call": _ratio(row["cost"], row["priced"]),
            "cost_per_1000_tokens": _ratio(of_tokens, with_tokens, times=1_000),
        }

    def speed(self) -> Json:
        """How long calls took and how soon their first token came, in milliseconds, by quantile; failures apart."""
        names = {"duration": 1_000_000, "first_token": 1_000}
        quantiles = {name: f"quantile_cont({name}, {list(QUANTILES)})" for name in names}
        counts = {f"{name}_calls": f"count({name})" for name in names}
        query = "SELECT {measures} FROM calls WHERE {where} AND failed = 0"
        [row] = self._ask(query, measures=quantiles | counts)
        return {
            name: {
                "calls": row[f"{name}_calls"],
                **{
                    f"p{round(100 * q)}": None if row[name] is None else row[name][n] / divisor
                    for n, q in enumerate(QUANTILES)
                },
            }
            for name, divisor in names.items()
        }

    def top(self, key: str) -> Json:
        """The values of *key* that cost most, each with its share and with what it cost in the time before."""
        column = self._column(key)
        query = "SELECT {column} AS value, {measures} FROM calls WHERE {where} GROUP BY ALL"
        rows = self._ask(
            f"{query} ORDER BY cost DESC NULLS LAST, calls DESC, value NULLS LAST LIMIT {MAX_TOP}",
            column=column,
            measures=_brief(),
        )
        before = self.chosen.before()
        earlier = (
            {}
            if before is None
            else {
                row["value"]: row["cost"]
                for row in self._ask(query, column=column, measures={"cost": "sum(cost)"}, chosen=before)
            }
        )
        [counted] = self._ask(
            "SELECT {measures} FROM calls WHERE {where}", measures={"values": f"count(DISTINCT {column})"}
        )
        shown = [_shown(row) | {"cost_before": _money(earlier.get(row["value"]))} for row in rows]
        return {"key": key, "rows": shown, "distinct": counted["values"]}

    def before(self) -> Json | None:
        """How many calls there were in the time before, and what they cost; `None` where there is no such time."""
        chosen = self.chosen.before()
        if chosen is None:
            return None
        [row] = self._ask("SELECT {measures} FROM calls WHERE {where}", measures=_brief(), chosen=chosen)
        return _shown(row)

    def series(self, key: str, names: Sequence[str | None], step: str | None = None) -> Json:
        """
        The course of time, in steps.

        Args:
            key: The key whose values are shown apart.
            names: Its largest values; where they are more than can be shown the rest is one group.
            step: The length of a step; by the length of the time if left out.

        Raises:
            QuestionError: There is no such step, or there would be too many.
        """
        column = self._column(key)
        bounds = self._bounds()
        if bounds is None:
            return {"step": step or "day", "buckets": [], "groups": [], "key": key}
        first, last = bounds
        wished, step = step, step or step_for(last - first)
        if step not in STEPS:
            raise QuestionError(f"steps are {', '.join(STEPS)}")
        length, begin = STEPS[step], _floor(first, step)
        too_many = (last - begin) // length >= MAX_BUCKETS
        if too_many and wished is not None:
            raise QuestionError("that many steps cannot be shown: choose longer ones, or a shorter time")
        shown = names if len(names) <= MAX_GROUPS else names[: MAX_GROUPS - 1]
        rows = self._in_groups(column, step, shown)
        # Nobody has called models for decades: a clock was wrong, and what is empty in between is left out.
        buckets = sorted({row["at"] for row in rows})[-MAX_BUCKETS:] if too_many else range(begin, last, length)
        return {
            "key": key,
            "step": step,
            "buckets": [at // 1_000_000 for at in buckets],
            "groups": list(_grouped(rows, shown, buckets)),
        }

    def _in_groups(self, column: str, step: str, shown: Sequence[str | None]) -> list[Json]:
        if not shown:
            return []
        # Where a text stands in the list, -1 for all others: the list may hold NULL, which IN would not find.
        position = f"coalesce(list_position(?, {column}) - 1, -1)"
        query = "SELECT {at} AS at, {position} AS place, {measures} FROM calls WHERE {where} GROUP BY ALL"
        return self._ask(query, before=[list(shown)], at=bucket(step), position=position, measures=_drawn())

    def _bounds(self) -> tuple[int, int] | None:
        [row] = self._ask(
            "SELECT {measures} FROM calls WHERE {where}", measures={"first": "min(start)", "last": "max(start)"}
        )
        first, last = self.chosen.since, self.chosen.until
        if first is None or last is None:
            if row["first"] is None:
                return None
            first, last = first or row["first"], last or row["last"] + 1
        return (first, last) if first < last else None

    def _column(self, key: str) -> str:
        column = self.mirror.expression(key)
        if column is None:
            raise QuestionError(f"no call has the key {key}")
        return column

    def _ask(
        self,
        query: str,
        *,
        measures: Mapping[str, str],
        chosen: Filter | None = None,
        before: Sequence[object] = (),
        **parts: str,
    ) -> list[Json]:
        where, parameters = condition(chosen or self.chosen, self.mirror.expression)
        selected = ", ".join(f"{expression} AS {name}" for name, expression in measures.items())
        answer = self.cursor.execute(query.format(measures=selected, where=where, **parts), [*before, *parameters])
        names = [each[0] for each in answer.description or ()]
        return [dict(zip(names, row, strict=True)) for row in answer.fetchall()]


def overview(mirror: Mirror, chosen: Filter, *, by: str, step: str | None = None) -> Json:
    """
    Everything that the page shows above its table, of one instant.

    Args:
        mirror: The calls.
        chosen: Which of them.
        by: The key by which the course of time is stacked.
        step: Its steps; chosen by the length of the time if left out.

    Raises:
        QuestionError: The key or the step is not known.
    """
    with mirror.snapshot() as cursor:
        spend = Spend(mirror=mirror, cursor=cursor, chosen=chosen)
        tops = {key: spend.top(key) for key in dict.fromkeys(("model", "user", by))}
        names = [row["value"] for row in tops[by]["rows"]]
        return {
            "totals": spend.totals(),
            "before": spend.before(),
            "series": spend.series(by, names, step),
            "speed": spend.speed(),
            "tops": list(tops.values()),
        }


def _brief() -> dict[str, str]:
    return {name: MEASURES[name] for name in BRIEF}


def _drawn() -> dict[str, str]:
    return {name: MEASURES[name] for name in DRAWN}


def _grouped(rows: Iterable[Json], shown: Sequence[str | None], buckets: Sequence[int]) -> Iterable[Json]:
    by_place: dict[int, dict[int, Json]] = {}
    for row in rows:
        by_place.setdefault(row["place"], {})[row["at"]] = _shown(row)
    for place in (*range(len(shown)), -1):
        found = by_place.get(place)
        if found:
            yield {
                "value": None if place < 0 else shown[place],
                "others": place < 0,
                **{name: [found[at][name] if at in found else None for at in buckets] for name in DRAWN},
            }


def _floor(at: int, step: str) -> int:
    offset = MONDAY if step == "week" else 0
    return at - (at - offset) % STEPS[step]


def _shown(row: Json) -> Json:
    return {name: _money(value) if name in MONEY else _whole(value) for name, value in row.items()}


def _whole(value: object) -> object:
    """DuckDB adds up whole numbers to 128 bits, which come as they are."""
    return int(value) if isinstance(value, Decimal) else value


def _money(units: int | None) -> str | None:
    return None if units is None else money_text(int(units))


def _ratio(units: int | None, count: int | None, *, times: int = 1) -> str | None:
    if units is None or not count:
        return None
    return f"{(dollars(int(units)) * times / int(count)).quantize(Decimal(1).scaleb(-PLACES)):f}"
