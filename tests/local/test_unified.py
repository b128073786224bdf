"""From the application's call to the local receiver's page, as a unified event."""

from pathlib import Path

import ramp_tracing
from ramp_tracing._sdk import Options

from .receivers import UNIFIED, Running


def test_a_call_arrives_by_the_unified_endpoint(receiver: Running, tmp_path: Path) -> None:
    """With what it cost, for whom, and under its own id; the connection test leaves nothing there."""
    options: Options = {
        "api_key": "any",
        "base_url": receiver.url + UNIFIED,
        "protocol": "ramp/unified",
        "state_dir": str(tmp_path / "state"),
    }
    report = ramp_tracing.test_connection(**options)
    assert (report.ok, report.status) == (True, 400)
    ramp_tracing.instrument("openai", **options)
    try:
        ramp_tracing.record_generation(
            provider="acme",
            model="acme-1",
            input_tokens=42,
            output_tokens=7,
            cost="0.0125",
            user="ada",
            metadata={"department": "finance"},
        )
        assert ramp_tracing.flush(30)
        assert ramp_tracing.stats().acknowledged == 1
    finally:
        ramp_tracing.uninstrument()
    totals = receiver.ask("overview")["totals"]
    assert (totals["calls"], totals["cost"], totals["unpriced"]) == (1, "0.0125000000", 0)
    assert [row["value"] for row in receiver.ask("report", by="user")["rows"]] == ["ada"]
    assert [row["value"] for row in receiver.ask("report", by="meta.department")["rows"]] == ["finance"]
    call = receiver.ask("calls/1")
    assert (call["provider"], call["model"], call["input_tokens"], call["output_tokens"]) == ("acme", "acme-1", 42, 7)
