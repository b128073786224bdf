"""The rows of a report, from the file or from a running receiver: the same numbers to the last place."""

from collections.abc import Callable, Iterable, Iterator
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from ._entry import money_text
from ._keys import KEYS, META, Filter, QuestionError, bucket, condition
from ._ledger import open_for_reading

if TYPE_CHECKING:
    from ._mirror import Mirror

Row = dict[str, Any]
"""What calls with the same value, in the same step, add up to; money is text."""

NAMES: Final = ("began", "value", "calls", "failed", "unpriced", "input_tokens", "output_tokens", "cost")

PER: Final = ("hour", "day", "week")

UNGROUPED: Final = "NULL"

QUERY: Final = """
SELECT * FROM (SELECT {at} AS began, {value} AS value, count(*) AS calls, sum(failed) AS failed,
    sum(CASE WHEN failed = 0 AND cost IS NULL THEN 1 ELSE 0 END) AS unpriced,
    sum(input_tokens) AS input_tokens, sum(output_tokens) AS output_tokens, sum(cost) AS cost
FROM calls WHERE {where} GROUP BY 1, 2) AS report
ORDER BY began, cost IS NULL, cost DESC, calls DESC, value IS NULL, value
"""
"""Both engines understand it."""


def mirror_rows(mirror: "Mirror", chosen: Filter, *, by: str, per: str | None) -> list[Row]:
    """
    A report from a running receiver.

    Args:
        mirror: Its calls.
        chosen: Which of them.
        by: The key to group by.
        per: ``hour``, ``day``, ``week``, or `None` for the whole time.

    Raises:
        QuestionError: The key or the step is not known.
    """
    with mirror.snapshot() as cursor:
        query, parameters = _query(chosen, by=by, per=per, expression=mirror.expression)
        return list(_rows(cursor.execute(query, parameters).fetchall()))


def file_rows(path: Path, chosen: Filter, *, by: str, per: str | None) -> list[Row]:
    """
    A report from a ledger, whether or not a receiver is running on it. Takes what `mirror_rows` takes.

    Raises:
        LedgerError: There is no ledger.
        QuestionError: The key or the step is not known.
    """
    with closing(open_for_reading(path)) as connection:
        query = "SELECT DISTINCT key FROM metadata"
        keys = {key for [key] in connection.execute(query)}
        query, parameters = _query(chosen, by=by, per=per, expression=lambda key: _expression(key, keys))
        return list(_rows(connection.execute(query, parameters).fetchall()))


def _expression(key: str, keys: set[str]) -> str | None:
    if not key.startswith(META):
        return KEYS.get(key)
    name = key.removeprefix(META)
    quoted = name.replace("'", "''")
    return f"(SELECT metadata.value FROM metadata WHERE call_id = id AND key = '{quoted}')" if name in keys else None


def _query(
    chosen: Filter, *, by: str, per: str | None, expression: Callable[[str], str | None]
) -> tuple[str, list[object]]:
    if per is not None and per not in PER:
        raise QuestionError(f"steps are {', '.join(PER)}")
    value = expression(by)
    if value is None:
        raise QuestionError(f"no call has the key {by}")
    where, parameters = condition(chosen, expression)
    return QUERY.format(at=UNGROUPED if per is None else bucket(per), value=value, where=where), parameters


def _rows(found: Iterable[tuple[Any, ...]]) -> Iterator[Row]:
    for values in found:
        row = dict(zip(NAMES, values, strict=True))
        counts = {name: None if row[name] is None else int(row[name]) for name in NAMES if name != "value"}
        yield {**row, **counts, "cost": None if row["cost"] is None else money_text(int(row["cost"]))}
