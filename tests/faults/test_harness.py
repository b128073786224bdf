"""The counting itself: it finds what is wrong when something is."""

import json
from collections.abc import Mapping
from typing import Any

import pytest

from .ledger import marker
from .reading import read_calls
from .stage import stage
from .tally import Tally
from .verdict import outcome_of

SPAN_ID = "00f067aa0ba902b7"


def attribute(key: str, value: Mapping[str, Any]) -> dict[str, Any]:
    """One attribute as it is on the wire."""
    return {"key": key, "value": dict(value)}


def body(*names: str, span_id: str = SPAN_ID, **changes: Mapping[str, Any]) -> bytes:
    """A request with a span for each of these markers."""
    spans = [
        {
            "traceId": "4bf92f3577b34da6a3ce929d0e0e4736",
            "spanId": f"{int(span_id, 16) + position:016x}",
            "attributes": [
                attribute("span.type", {"stringValue": "generation"}),
                attribute("session.id", {"stringValue": name}),
                attribute("gen_ai.usage.input_tokens", changes.get("tokens", {"intValue": 1})),
                attribute("gen_ai.usage.total_cost", {"doubleValue": 0.000001}),
            ],
        }
        for position, name in enumerate(names)
    ]
    return json.dumps({"resourceSpans": [{"scopeSpans": [{"spans": spans}]}]}).encode()


def send(tally: Tally, sent: bytes, *, key: str = "key") -> None:
    """Let a receiver take a request."""
    calls, same = tally.arrived({"idempotency-key": key}, sent)
    tally.take(calls, same=same)


NAME = marker("main", 0)


def test_the_same_request_twice_is_counted_as_such() -> None:
    """Same bytes and key: the records are there twice, under their one id, and nothing is wrong with that."""
    tally = Tally()
    send(tally, body(NAME))
    send(tally, body(NAME))
    assert (tally.repeats, tally.regrouped, tally.shared_ids, tally.new_ids) == (1, 0, 0, [])
    assert (tally.complaints, tally.wrong_money) == ([], [])


def test_a_record_in_another_request_is_regrouped() -> None:
    """It came again, but not in the request in which it came before."""
    tally = Tally()
    send(tally, body(NAME))
    send(tally, body(NAME, marker("other", 0)), key="another")
    assert (tally.repeats, tally.regrouped) == (1, 1)


def test_a_second_id_is_found() -> None:
    """A record that comes again under a new id would be counted twice."""
    tally = Tally()
    send(tally, body(NAME))
    send(tally, body(NAME, span_id="00f067aa0ba90fff"), key="another")
    assert tally.new_ids == [NAME]


def test_a_shared_id_is_found() -> None:
    """Of two records with one id a receiver keeps one."""
    tally = Tally()
    send(tally, body(NAME))
    send(tally, body(marker("other", 0)), key="another")
    assert tally.shared_ids == 1


def test_a_key_that_is_used_for_other_bytes_is_found() -> None:
    """Whoever trusts keys would drop the second request."""
    tally = Tally()
    send(tally, body(NAME))
    send(tally, body(marker("other", 0)))
    assert tally.complaints == ["an Idempotency-Key was used for other bytes"]


def test_wrong_numbers_are_found() -> None:
    """The tokens follow from the marker."""
    tally = Tally()
    send(tally, body(NAME, tokens={"intValue": 2}))
    assert tally.wrong_money == [NAME]


@pytest.mark.parametrize(
    "wrong",
    [
        b"",
        b"[]",
        body("\ud800"),
        body(NAME, tokens={"intValue": 2**63}),
        body(NAME, tokens={"doubleValue": float("nan")}),
        body(NAME).replace(SPAN_ID.encode(), b"0" * 16),
    ],
)
def test_what_a_strict_receiver_refuses_is_refused(wrong: bytes) -> None:
    """Half a surrogate pair, NaN, integers over 64 bits and empty ids are no OTLP."""
    with pytest.raises(ValueError, match=r".+"):
        read_calls(wrong)


def test_a_lost_record_a_dead_one_and_a_leak_are_found() -> None:
    """The verdict is the ledger less what the receiver has and what lies among the dead letters."""
    taken, dead, lost = (marker("main", number) for number in range(3))
    with stage() as scene:
        scene.ledger.write_text(f"{taken}\n{dead}\n{lost}\n")
        (scene.state / "place" / "dead").mkdir(parents=True)
        (scene.state / "place" / "dead" / "letter").write_text(f'{{"session":"{dead}"}} ramp-canary-key-8842')
        send(scene.receiver.tally, body(taken))
        scene.said.touch()
        outcome = outcome_of(scene, exit_seconds=None)
    assert (outcome.sent, outcome.received, outcome.dead, outcome.lost) == (3, 1, 1, 1)
    assert list(outcome.reasons) == ["1 lost", "the key is in letter"]
