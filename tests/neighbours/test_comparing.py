"""That a difference is found where there is one; with the others themselves, `nox -s neighbours` runs."""

from collections.abc import Mapping
from typing import Any

import pytest

from .arrangements import ALONE, TOGETHER
from .comparing import Report, arrangements_of, changed_by_them, changed_by_us, differences
from .known import known
from .steady import steady

HEADERS = ["authorization", "host"]


def report(*, seen: str = "answer", ours: bool = False, theirs: bool = False, **more: Any) -> dict[str, Any]:
    """Of one call, as `program` gives it."""
    call = {"seen": seen, "ours": ["record"] if ours else [], "theirs": ["span"] if theirs else []}
    return {"calls": {"chat (sync)": call}, "headers": HEADERS if ours else [], "traced": [], "warned": [], **more}


def reports(together: Mapping[str, Any], arrangement: str) -> dict[str, Report]:
    alone = {name: report(ours=each.ours, theirs=each.without_us == "theirs") for name, each in ALONE.items()}
    return {**alone, arrangement: together}


@pytest.mark.parametrize("arrangement", TOGETHER)
def test_nothing_is_found_where_all_is_as_it_should_be(arrangement: str) -> None:
    """Whoever is still there saw the call; whoever has gone did not."""
    how = TOGETHER[arrangement]
    well = report(ours=how.ours, theirs=how.without_us == "theirs")
    assert [] == list(differences(arrangement, reports(well, arrangement)))


@pytest.mark.parametrize(
    ("arrangement", "found", "side"),
    [
        ("theirs, ours", report(theirs=True, headers=HEADERS), "ours"),
        ("ours, theirs", report(ours=True), "theirs"),
        ("ours, theirs", report(ours=True, theirs=True, seen="another answer"), "seen"),
        ("ours, theirs", report(ours=True, theirs=True, headers=[*HEADERS, "baggage"]), "headers"),
        ("ours, theirs", report(ours=True, theirs=True, traced=["chat (sync)"]), "traced"),
        ("theirs, ours", report(ours=True, theirs=True, warned=["reading a request failed"]), "warned"),
        ("theirs, ours, ours off", report(ours=True, theirs=True), "ours"),
        ("theirs, ours, ours off", report(), "theirs"),
        ("theirs, ours, theirs off", report(headers=HEADERS), "ours"),
        ("theirs, ours, theirs off", report(ours=True, theirs=True), "theirs"),
    ],
)
def test_a_difference_is_found(arrangement: str, found: Mapping[str, Any], side: str) -> None:
    """On whichever side it is, and by nobody taken for one that is known."""
    [difference] = differences(arrangement, reports(found, arrangement))
    assert side == difference.side
    assert known("openinference", difference) is None


def test_what_the_application_gets_from_one_alone() -> None:
    """Says who changed it."""
    alone = reports(report(), "ours, theirs")
    assert ([], []) == (changed_by_them(alone), changed_by_us(alone))
    alone["theirs"] = report(theirs=True, seen="a proxy")
    alone["ours, asking"] = report(ours=True, seen="one chunk more")
    assert (["chat (sync)"], ["chat (sync)"]) == (changed_by_them(alone), changed_by_us(alone))


def test_who_cannot_leave_is_not_asked_to() -> None:
    """All other orders are tried."""
    assert {"theirs, ours, theirs off", "ours, theirs, theirs off"} == {*TOGETHER} - {*arrangements_of(False, TOGETHER)}
    assert [*TOGETHER] == arrangements_of(True, TOGETHER)
    assert "theirs, off" not in arrangements_of(False, ALONE)


def test_what_is_left_out_of_a_comparison() -> None:
    """Times, ids and ports, and nothing that counts."""
    span = {
        "llm.token_count.prompt": 10,
        "gen_ai.usage.output_tokens": 5,
        "operation.cost": 0.5,
        "start_time": 1,
        "trace_id": "0af7651916cd43dd8448eb211c80319c",
        "logfire.msg": "at 127.0.0.1:40001",
        "duration_ms": 3,
    }
    kept = {"gen_ai.usage.output_tokens": 5, "llm.token_count.prompt": 10, "operation.cost": 0.5}
    assert {**kept, "logfire.msg": "at HOST"} == steady(span)
