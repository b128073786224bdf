"""Live sessions, whose sound is billed by time: what they have other models answer is billed by tokens."""

from collections.abc import Mapping
from contextlib import ExitStack
from typing import Any

import pytest

pytest.importorskip("websockets", reason="openai's websockets need openai[realtime]")

from ramp_tracing._captured import capture_generations

from .colours import Colour
from .facts import seen_by_user
from .scenarios import skip_without
from .sockets import Events, SocketProvider, response_id, responses_begun, responses_ended

SESSION: Mapping[str, Any] = {"id": "live_1", "model": "gpt-live-1", "expires_at": 1767229200, "status": "active"}
DECISION: Mapping[str, Any] = {
    "id": "dec_68af4030",
    "object": "decision",
    "model": "gpt-6-luna-2026-09-01",
    "created_at": 1767225600,
    "answers": [],
    "usage": {
        "input_tokens": 40,
        "input_tokens_details": {"cached_tokens": 8, "cache_write_tokens": 0},
        "output_tokens": 3,
        "output_tokens_details": {"reasoning_tokens": 0},
        "total_tokens": 43,
    },
}


def within(event: Mapping[str, Any]) -> Mapping[str, Any]:
    return {"type": "response.event", "delegation_id": "del_1", "event": event}


EVENTS = [
    {"type": "session.started", "session": SESSION},
    *map(within, responses_begun(1)),
    {"type": "session.updated", "session": SESSION},
    *map(within, responses_begun(2)),
    *map(within, responses_ended(1)),
    {"type": "decision.event", "delegation_id": "del_2", "event": {"type": "decision.completed", "decision": DECISION}},
    within({"type": "response.event", "event": responses_ended(3)[0]}),
    within({"type": "error"}),
    {"type": "response.event", "event": None},
    {"type": "session.usage.updated", "usage": {"seconds": 12}},
    {"type": "session.closed", "reason": "close_requested", "session": SESSION, "usage": {"seconds": 12}},
]

PLACES: Mapping[str, Mapping[str, Any]] = {
    "live": {},
    "live.sideband": {"session_id": "live_1"},
    "live.forks": {"session_id": "live_1"},
}


def listened(colour: Colour, place: str, events: Events = EVENTS) -> list[Any]:
    """All events of a session, which is then closed."""
    with SocketProvider(greeting=events) as provider, ExitStack() as stack:
        client = colour.client(**provider.addresses)
        skip_without(f"{place}.connect", client)
        part = client
        for name in place.split("."):
            part = getattr(part, name)
        connection = stack.enter_context(colour.entered(part.connect(**PLACES[place])))
        return [colour.wait(connection.recv()) for _ in events]


@pytest.mark.parametrize("place", PLACES)
def test_what_a_live_session_has_others_answer_is_recorded(place: str, colour: Colour) -> None:
    """Each response and each decision is one record, of the model that made it; one that is left has no usage."""
    bare = seen_by_user(listened(colour, place))
    with capture_generations() as generations:
        assert bare == seen_by_user(listened(colour, place))
        found = [
            (each.id, each.operation, each.response_model, each.usage.input_tokens, each.failure and each.failure.type)
            for each in generations
        ]
    assert [
        (response_id(1), "chat", "gpt-5.4-mini-2026-03-05", 132, None),
        ("dec_68af4030", "decisions", "gpt-6-luna-2026-09-01", 40, None),
        (response_id(2), "chat", "gpt-5.4-mini-2026-03-05", None, "abandoned"),
    ] == found


def test_two_connections_that_follow_one_session_record_once(colour: Colour) -> None:
    """The one that speaks, and one beside it."""
    with capture_generations() as generations:
        ended = [*map(within, [*responses_begun(1), *responses_ended(1)])]
        listened(colour, "live", ended)
        listened(colour, "live.sideband", ended)
        assert [response_id(1)] == [each.id for each in generations]
