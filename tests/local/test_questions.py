"""What the page asks, and that every way of asking gives the same."""

import csv
import io
import random
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from ramp_tracing.local._keys import Filter, QuestionError, read_filter, read_since
from ramp_tracing.local._report import file_rows

from .receivers import DAY, JULY, Running, running, span

NOW = datetime(2026, 7, 21, 12, tzinfo=UTC)


def invented(number: int, dice: random.Random) -> dict[str, object]:
    priced = dice.random() < 0.8
    failed = dice.random() < 0.1
    return span(
        number,
        start=JULY + dice.randrange(20 * DAY),
        gen_ai__response__model=dice.choice(["openai/gpt-4o", "openai/o4-mini", "anthropic/claude-haiku-4.5", None]),
        gen_ai__usage__total_cost=Decimal(dice.randrange(1, 10**13)).scaleb(-10) if priced else None,
        user__id=dice.choice(["ana", "ben", "chloé", None]),
        trace__metadata__cost_center=dice.choice(["CC-1", "CC-2", None]),
        status={"code": 2 if failed else 1},
    )


@pytest.fixture(scope="module")
def filled(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    dice = random.Random(11)
    with running(tmp_path_factory.mktemp("filled") / "ledger.sqlite3") as receiver:
        for portion in range(6):
            assert 200 == receiver.spans(*[invented(portion * 50 + number + 1, dice) for number in range(50)]).status
        yield receiver


FILTERS: list[dict[str, str]] = [
    {},
    {"since": "2026-07-03", "until": "2026-07-12"},
    {"user": "ana"},
    {"user": "", "meta.cost_center": "CC-1"},
    {"model": "openai/gpt-4o", "status": "ok", "since": "2026-07-05"},
]


@pytest.mark.parametrize("given", FILTERS)
@pytest.mark.parametrize("by", ["model", "user", "meta.cost_center", "status"])
def test_page_report_and_sql_agree_to_the_last_place(filled: Running, by: str, given: dict[str, str]) -> None:
    """The page, a report from the receiver, one from the file, an export and SQL by hand give the same money."""
    overview = filled.ask("overview", **{"by": by, **given})
    served = filled.ask("report", **{"by": by, "per": "day", **given})["rows"]
    chosen = read_filter(given.items(), now=datetime.now(UTC))
    assert served == file_rows(filled.ledger.path, chosen, by=by, per="day")
    exported = list(csv.DictReader(io.StringIO(filled.get(f"/api/export.csv?{_query(given)}").body.decode())))
    costs = {
        "page": overview["totals"]["cost"],
        "chart": _sum(cost for group in overview["series"]["groups"] for cost in group["cost"]),
        "report": _sum(row["cost"] for row in served),
        "export": _sum(row["cost"] for row in exported),
        "sql": _by_hand(filled, chosen),
    }
    assert {Decimal(overview["totals"]["cost"])} == {Decimal(cost) for cost in costs.values()}, costs
    calls = overview["totals"]["calls"]
    assert {calls} == {sum(row["calls"] for row in served), len(exported), filled.ask("calls", **given)["total"]}


def _query(given: dict[str, str]) -> str:
    return "&".join(f"{name}={value}" for name, value in given.items())


def _sum(costs: Any) -> Decimal:
    return sum((Decimal(cost) for cost in costs if cost), Decimal(0))


def _by_hand(filled: Running, chosen: Filter) -> Decimal:
    """Without any code of ours that adds up or filters."""
    with closing(filled.ledger.reading()) as connection:
        rows = connection.execute(
            """SELECT start, model, user_id, failed, cost, (SELECT value FROM metadata WHERE call_id = id
            AND key = 'cost_center') FROM calls"""
        ).fetchall()
    total = 0
    for start, model, user, failed, cost, center in rows:
        status = "failed" if failed else "no price" if cost is None else "ok"
        had = {"model": model or "", "user": user or "", "status": status, "meta.cost_center": center or ""}
        in_time = (chosen.since or 0) <= start and (chosen.until is None or start < chosen.until)
        if in_time and all(had[key] in values for key, values in chosen.values.items()):
            total += cost or 0
    return Decimal(total).scaleb(-10)


def test_unknown_is_never_nought(receiver: Running) -> None:
    """Calls without a price, tokens or an answer leave sums unknown; averages rest on what is known."""
    unknown = {
        "gen_ai__usage__total_cost": None,
        "gen_ai__usage__input_tokens": None,
        "gen_ai__usage__output_tokens": None,
    }
    receiver.spans(span(1, **unknown), span(2, status={"code": 2}, **unknown))
    overview = receiver.ask("overview")
    totals = overview["totals"]
    assert (2, 1, 1, 0) == tuple(totals[name] for name in ("calls", "failed", "unpriced", "priced"))
    sums = ("cost", "input_cost", "tokens", "input_tokens", "cached_tokens", "cost_per_call", "cost_per_1000_tokens")
    assert [None] * len(sums) == [totals[name] for name in sums]
    assert [[None]] == [group["cost"] for group in overview["series"]["groups"]]
    receiver.spans(span(3, gen_ai__usage__total_cost=Decimal("0.3"), gen_ai__usage__input_tokens=100))
    totals = receiver.ask("overview")["totals"]
    assert ("0.3000000000", "2.5000000000") == (totals["cost_per_call"], totals["cost_per_1000_tokens"])
    receiver.spans(span(4, gen_ai__usage__total_cost=Decimal(0)))
    assert "0.1500000000" == receiver.ask("overview")["totals"]["cost_per_call"]


def test_compares_with_the_time_before(receiver: Running) -> None:
    """A period is compared with the one before it that is as long, as a whole and by value."""
    receiver.spans(
        span(1, start=JULY + DAY, gen_ai__usage__total_cost=Decimal(3), user__id="ana"),
        span(2, start=JULY + 2 * DAY, gen_ai__usage__total_cost=Decimal(6), user__id="ana"),
        span(3, start=JULY + 2 * DAY, gen_ai__usage__total_cost=Decimal(1), user__id="ben"),
        span(4, start=JULY - 5 * DAY, gen_ai__usage__total_cost=Decimal(100)),
    )
    overview = receiver.ask("overview", since="2026-07-03", until="2026-07-03")
    assert ("7.0000000000", "3.0000000000") == (overview["totals"]["cost"], overview["before"]["cost"])
    users = next(top for top in overview["tops"] if top["key"] == "user")["rows"]
    assert [("ana", "3.0000000000"), ("ben", None)] == [(row["value"], row["cost_before"]) for row in users]


def test_puts_the_smallest_together(receiver: Running) -> None:
    """More values than can be told apart are one group, and nothing is lost in it."""
    receiver.spans(
        *[span(number, user__id=f"u{number}", gen_ai__usage__total_cost=Decimal(number)) for number in range(1, 13)]
    )
    groups = receiver.ask("overview", by="user", step="day")["series"]["groups"]
    assert [*[f"u{number}" for number in range(12, 5, -1)], None] == [group["value"] for group in groups]
    assert (True, "15.0000000000") == (groups[-1]["others"], groups[-1]["cost"][0])


@pytest.mark.parametrize("step", ["minute", "hour", "day", "week"])
def test_steps_begin_where_they_should(receiver: Running, step: str) -> None:
    """Each call is in the step that holds its start; weeks begin on Monday."""
    receiver.spans(span(1, start=JULY + 3 * 3_600_000_000_000 + 61_000_000_000))
    [at] = receiver.ask("overview", step=step)["series"]["buckets"]
    begins = {
        "minute": "2026-07-01T03:01",
        "hour": "2026-07-01T03:00",
        "day": "2026-07-01T00:00",
        "week": "2026-06-29T00:00",
    }
    assert begins[step] == datetime.fromtimestamp(at / 1000, UTC).isoformat()[:16]


def test_a_wrong_clock_hides_nothing(receiver: Running) -> None:
    """A call from 1970 among those of today: the steps in between are left out, no call is."""
    receiver.spans(span(1, start=1), span(2), span(3, start=JULY + DAY))
    series = receiver.ask("overview")["series"]
    assert 3 == sum(calls or 0 for group in series["groups"] for calls in group["calls"])
    assert 3 > len(series["buckets"])
    assert 3 == receiver.ask("overview", until="2300-01-01")["totals"]["calls"]


def test_times_are_quantiles(receiver: Running) -> None:
    """How long calls took, and how soon streams began; failed calls are left out."""
    receiver.spans(
        *[span(number, gen_ai__response__time_to_first_chunk=Decimal(number) / 10) for number in (1, 2, 3)],
        span(4, status={"code": 2}),
    )
    speed = receiver.ask("overview")["speed"]
    assert (3, 1500.0) == (speed["duration"]["calls"], speed["duration"]["p50"])
    assert (3, 200.0) == (speed["first_token"]["calls"], speed["first_token"]["p50"])


def test_pages_hold_every_call_once(filled: Running) -> None:
    """Page by page, in each order, every call is there once."""
    for order in ("newest", "oldest", "cost", "slowest"):
        pages = [filled.ask("calls", order=order, limit="120", offset=str(offset))["calls"] for offset in (0, 120, 240)]
        ids = [call["id"] for page in pages for call in page]
        assert (300, 300) == (len(ids), len(set(ids)))


def test_an_export_runs_nothing_in_a_spreadsheet(receiver: Running) -> None:
    """A text that a spreadsheet would run is made a text; money is exact and unknown is empty."""
    receiver.spans(
        span(1, user__id="=HYPERLINK(1)", trace__metadata__note='a "b", c\nd'),
        span(2, gen_ai__usage__total_cost=None),
    )
    first, second = csv.DictReader(io.StringIO(receiver.get("/api/export.csv").body.decode(), newline=""))
    assert ("'=HYPERLINK(1)", 'a "b", c\nd', "0.0000000001") == (first["user"], first["meta.note"], first["cost"])
    assert ("", "no price", "2026-07-01T00:00:00.000000Z") == (second["cost"], second["status"], second["started_at"])


@pytest.mark.parametrize(
    "question",
    [
        "overview?by=meta.nobody",
        "overview?by=nothing",
        "overview?step=year",
        "overview?since=yesterday",
        "overview?until=9999-12-31",
        "overview?step=minute&since=2020-01-01&until=2026-01-01",
        "calls?order=random",
        "calls?limit=100000",
        "calls?offset=-1",
        "calls?offset=x",
        "report?per=minute",
        "report?by=nothing",
        "values?key=nothing",
        "export.csv?since=x",
    ],
)
def test_says_what_cannot_be_asked(filled: Running, question: str) -> None:
    """A question that cannot be answered gets 400 and a sentence."""
    reply = filled.get(f"/api/{question}")
    assert 400 == reply.status
    assert reply.json["error_v2"]["message"]


def test_filters_by_what_no_call_has(filled: Running) -> None:
    """A filter by an unknown key finds nothing, or everything where its absence is asked for."""
    assert 0 == filled.ask("calls", meta__nobody="x")["total"]
    assert 300 == filled.ask("calls", meta__nobody="")["total"]


def test_offers_values(filled: Running) -> None:
    """The values of a key, and those with a part in them; calls without it are one of them."""
    assert {"ana", "ben", "chloé", ""} == {each["value"] for each in filled.ask("values", key="user")["values"]}
    assert ["chloé"] == [each["value"] for each in filled.ask("values", key="user", part="LOÉ")["values"]]


def test_there_is_no_such_call(filled: Running) -> None:
    """A call that is not there is 404."""
    assert 404 == filled.get("/api/calls/999999").status


@pytest.mark.parametrize(
    ("text", "hours"),
    [("90m", 1.5), ("12h", 12), ("7d", 168), ("2w", 336), ("2026-07-21", 12), ("2026-07-21T11:00Z", 1)],
)
def test_reads_times(text: str, hours: float) -> None:
    """Lengths count back from now, dates are their beginning in UTC."""
    assert NOW.timestamp() * 10**9 - hours * 3600 * 10**9 == read_since(text, now=NOW)


@pytest.mark.parametrize("text", ["7", "d", "-7d", "7y", "July", "999999999d"])
def test_refuses_other_times(text: str) -> None:
    """What is no time is refused with what to write instead."""
    with pytest.raises(QuestionError, match="write 7d"):
        read_since(text, now=NOW)


def test_reading_a_ledger_that_is_not_there(tmp_path: Path) -> None:
    """A report from a missing file says so and makes none."""
    from ramp_tracing.local._ledger import LedgerError

    with pytest.raises(LedgerError):
        file_rows(tmp_path / "none", Filter(), by="model", per=None)
    assert [] == list(tmp_path.iterdir())
