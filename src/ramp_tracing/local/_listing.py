"""Single calls: a page of them, all of them as CSV, and one with everything that is known."""

import csv
import io
import json
from collections.abc import Iterator, Mapping
from contextlib import closing
from typing import Any, Final

from ._cells import cell
from ._entry import money_text
from ._keys import KEYS, META, Filter, QuestionError, condition
from ._ledger import Ledger
from ._mirror import Mirror

Json = dict[str, Any]
"""An answer, as JSON takes it; money in it is text."""

SHOWN: Final[Mapping[str, str]] = {
    "id": "id",
    "start_ms": "start // 1000000",
    "duration_ms": "duration / 1000000",
    "first_token_ms": "first_token / 1000",
    **{key: KEYS[key] for key in ("model", "provider", "user", "session", "trace", "operation", "error", "status")},
    **{
        name: name
        for name in ("input_tokens", "output_tokens", "cached_tokens", "reasoning_tokens", "cost", "cost_source")
    },
}
"""The columns of a page, in SQL."""

ORDERS: Final[Mapping[str, str]] = {
    "newest": "start DESC, id DESC",
    "oldest": "start, id",
    "cost": "cost DESC NULLS LAST, start DESC, id DESC",
    "slowest": "duration DESC NULLS LAST, start DESC, id DESC",
}

EXPORTED: Final[Mapping[str, str]] = {
    "event_id": "event_id",
    "started_at": "strftime(make_timestamp(start // 1000), '%Y-%m-%dT%H:%M:%S.%fZ')",
    "duration_ms": "duration / 1000000",
    "first_token_ms": "first_token / 1000",
    **KEYS,
    **{
        name: name
        for name in (
            *("input_tokens", "output_tokens", "total_tokens", "cached_tokens", "cache_write_tokens"),
            *("reasoning_tokens", "cost", "input_cost", "output_cost", "trace_id"),
        )
    },
}
"""The columns of an export, in SQL, before the user's own keys."""

MONEY: Final = frozenset({"cost", "input_cost", "output_cost"})

MAX_PAGE: Final = 200

MAX_OFFSET: Final = 100_000

MAX_VALUES: Final = 50

ROWS_AT_ONCE: Final = 1_000


def page_of_calls(mirror: Mirror, chosen: Filter, *, order: str = "newest", offset: int = 0, limit: int = 50) -> Json:
    """
    Some calls of many.

    Raises:
        QuestionError: The order is not known, or the offset or limit too large.
    """
    if order not in ORDERS or not 0 <= offset <= MAX_OFFSET or not 0 < limit <= MAX_PAGE:
        raise QuestionError(f"order is one of {', '.join(ORDERS)}, offset up to {MAX_OFFSET}, limit up to {MAX_PAGE}")
    where, parameters = condition(chosen, mirror.expression)
    with mirror.snapshot() as cursor:
        query = (
            f"SELECT {_selected(SHOWN)} FROM calls WHERE {where} ORDER BY {ORDERS[order]} LIMIT {limit} OFFSET {offset}"
        )
        rows = cursor.execute(query, parameters).fetchall()
        total = cursor.execute(f"SELECT count(*) FROM calls WHERE {where}", parameters).fetchall()[0][0]
    return {
        "calls": [_with_money(dict(zip(SHOWN, row, strict=True))) for row in rows],
        "total": total,
        "offset": offset,
    }


def values_of(mirror: Mirror, key: str, *, part: str = "") -> list[Json]:
    """
    The values of *key* in which *part* stands, the most frequent first.

    Raises:
        QuestionError: No call has the key.
    """
    with mirror.snapshot() as cursor:
        column = mirror.expression(key)
        if column is None:
            raise QuestionError(f"no call has the key {key}")
        value = f"coalesce({column}, '')"
        query = f"SELECT {value} AS value, count(*) AS calls FROM calls WHERE contains(lower({value}), lower(?))"
        rows = cursor.execute(f"{query} GROUP BY ALL ORDER BY calls DESC, value LIMIT {MAX_VALUES}", [part]).fetchall()
        return [{"value": value, "calls": calls} for value, calls in rows]


def csv_of(mirror: Mirror, chosen: Filter) -> Iterator[str]:
    """The calls as CSV, oldest first, in portions; what is not known is an empty field, money is exact."""
    mirror.follow()
    # Read before the snapshot begins: it has all of them.
    keys = mirror.metadata_keys
    with mirror.snapshot() as cursor:
        columns = {**EXPORTED} | {META + key: str(mirror.expression(META + key)) for key in keys}
        where, parameters = condition(chosen, mirror.expression)
        selected = ", ".join(columns.values())
        answer = cursor.execute(f"SELECT {selected} FROM calls WHERE {where} ORDER BY start, id", parameters)
        yield _csv_lines([tuple(columns)])
        money = [position for position, name in enumerate(columns) if name in MONEY]
        while rows := answer.fetchmany(ROWS_AT_ONCE):
            yield _csv_lines(_exported(row, money) for row in rows)


def call_by_id(ledger: Ledger, call_id: int) -> Json | None:
    """One call: its attributes, what failed, and the trace in which it stands; `None` if there is none."""
    with closing(ledger.reading()) as connection:
        connection.row_factory = _as_object
        query = "SELECT * FROM calls JOIN details ON call_id = id WHERE id = ?"
        call = connection.execute(query, (call_id,)).fetchone()
        if call is None:
            return None
        trace = call["trace_id"]
        pairs = connection.execute("SELECT key, value FROM metadata WHERE call_id = ? ORDER BY key", (call_id,))
        metadata = {pair["key"]: pair["value"] for pair in pairs}
        calls = connection.execute(SIBLINGS, (trace,)).fetchall() if trace else []
        levels = connection.execute(LEVELS, (trace,)).fetchall() if trace else []
    attributes, events = json.loads(call.pop("attributes")), json.loads(call.pop("events"))
    shown = {**_with_money(call), "start_ms": call["start"] // 1_000_000, "metadata": metadata}
    return {
        **shown,
        "attributes": attributes,
        "events": events,
        "trace": [_with_money(each) for each in [*levels, *calls]],
    }


MAX_SIBLINGS: Final = 500

SIBLINGS: Final = f"""
SELECT id, span_id, parent_span_id, name, start / 1000000 AS start_ms, duration / 1000000.0 AS duration_ms,
failed, model, cost
FROM calls JOIN details ON call_id = id WHERE trace_id = ? ORDER BY start, id LIMIT {MAX_SIBLINGS}
"""

LEVELS: Final = f"""
SELECT NULL AS id, span_id, parent_span_id, name, start / 1000000 AS start_ms, duration / 1000000.0 AS duration_ms,
failed, NULL AS model, NULL AS cost FROM levels WHERE trace_id = ? ORDER BY start LIMIT {MAX_SIBLINGS}
"""


def _selected(columns: Mapping[str, str]) -> str:
    return ", ".join(f'{expression} AS "{name}"' for name, expression in columns.items())


def _as_object(cursor: Any, row: tuple[object, ...]) -> Json:
    return dict(zip((each[0] for each in cursor.description), row, strict=True))


def _with_money(row: Json) -> Json:
    return row | {name: money_text(row[name]) for name in MONEY & row.keys() if row[name] is not None}


def _exported(row: tuple[Any, ...], money: list[int]) -> list[object]:
    cells = [cell(value) for value in row]
    for position in money:
        if row[position] is not None:
            cells[position] = money_text(row[position])
    return cells


def _csv_lines(rows: Any) -> str:
    text = io.StringIO()
    csv.writer(text).writerows(rows)
    return text.getvalue()
