"""`ramp-tracing demo --open`."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

import ramp_tracing
from ramp_tracing.cli._demo._callers import NEEDED, available_libraries, call_company
from ramp_tracing.cli._demo._company import DAYS, JOBS, fortnight
from ramp_tracing.cli._demo._fortnight import keep
from ramp_tracing.cli._demo._local import KEY, options_for
from ramp_tracing.cli._demo._models import model_servers
from ramp_tracing.local._keys import Filter
from ramp_tracing.local._report import file_rows
from ramp_tracing.testing import FakeRamp

NOW = datetime(2026, 7, 21, 15, tzinfo=UTC)


def test_a_fortnight_is_two_weeks() -> None:
    """Every job is done, on most days, in order, and nothing happens after now; it is the same each time."""
    occasions = fortnight(NOW, available=NEEDED)
    assert {job.feature for job in JOBS} == {each.job.feature for each in occasions}
    times = [each.at for each in occasions]
    assert sorted(times) == times
    assert NOW - timedelta(days=DAYS) < times[0] < times[-1] < NOW
    assert len({at.date() for at in times}) >= DAYS - 4
    assert occasions == fortnight(NOW, available=NEEDED)
    assert {"openai"} == {each.job.library for each in fortnight(NOW, available={"openai": ()})}


def test_calls_are_real_and_moved(tmp_path: Path) -> None:
    """Each call of a job arrives once, with its price, at the time of the simulation, below the job's name."""
    pytest.importorskip("openai", reason="the demo calls models with the openai client")
    chosen = [each for each in fortnight(NOW, available=available_libraries()) if each.job.library == "openai"][:8]
    with model_servers() as servers, FakeRamp(api_key=KEY) as ramp:
        ramp_tracing.instrument(**options_for(servers, ramp), state_dir=str(tmp_path / "state"))
        try:
            done: list[None] = []
            made = call_company(chosen, servers.base_urls, report=lambda: done.append(None))
            assert ramp_tracing.flush(30)
        finally:
            ramp_tracing.uninstrument()
        spans = ramp.spans
    assert (made, len(chosen)) == (sum(each.is_generation for each in spans), len(done))
    database = tmp_path / "ledger.sqlite3"
    keep(spans, database)
    rows = file_rows(database, Filter(), by="meta.feature", per="day")
    assert made == sum(row["calls"] for row in rows)
    days = {datetime.fromtimestamp(row["began"] / 1e9, UTC).date() for row in rows}
    assert {each.at.date() for each in chosen} == days
    assert "meta.demo_at" not in {row["value"] for row in rows}
