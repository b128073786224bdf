"""Responses over websockets: one record each, with what the server's events say it used, however it ends."""

import asyncio
import gc
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from decimal import Decimal
from inspect import signature
from operator import attrgetter
from typing import Any

import openai
import pytest

pytest.importorskip("websockets", reason="openai's websockets need openai[realtime]")

import ramp_tracing
from ramp_tracing._captured import Generations, capture_generations
from ramp_tracing._record import Generation, Usage
from ramp_tracing._state import state
from ramp_tracing.integrations._sockets import MAX_OPEN

from .colours import Colour
from .facts import seen_by_user
from .scenarios import skip_without
from .sockets import (
    BETA_SESSION,
    HANG_UP,
    SESSION,
    SOUND,
    Events,
    SocketProvider,
    realtime_begun,
    realtime_ended,
    realtime_id,
    response_id,
    responses_begun,
    responses_ended,
    transcribed,
)


@dataclass(frozen=True, kw_only=True)
class Api:
    """
    One of the two APIs.

    Attributes:
        name: Where the client has it.
        greeting: What the server says first.
        begun: The events of response *n* until some of it has been said.
        ended: The last event of response *n*.
        cut_short: The status of one that did not come to its natural end, and what else its last event says.
        went_wrong: What the last event of a failed one says.
        operation: What its records say they are.
        models: Asked for and answered.
        id_of: The id of response *n*.
        usage: Of every response that has ended.
    """

    name: str
    greeting: Events
    begun: Callable[[int], Events]
    ended: Callable[..., Events]
    cut_short: tuple[str, Mapping[str, Any]]
    went_wrong: Mapping[str, Any]
    operation: str
    models: tuple[str | None, str]
    id_of: Callable[[int], str]
    usage: Usage

    def connect(self, client: Any) -> Any:
        skip_without(f"{self.name}.connect", client)
        options = {} if self.name == "responses" else {"model": "gpt-realtime"}
        return attrgetter(self.name)(client).connect(**options)

    def ask(self, colour: Colour, connection: Any) -> None:
        """Ask for a response."""
        given = {"model": "gpt-5.4-mini", "input": "Hello?"} if self.name == "responses" else {}
        colour.wait(connection.send({"type": "response.create", **given}))


REALTIME = Api(
    name="realtime",
    greeting=[SESSION],
    begun=realtime_begun,
    ended=realtime_ended,
    cut_short=("cancelled", {"status_details": {"type": "cancelled", "reason": "turn_detected"}}),
    went_wrong={
        "status_details": {
            "type": "failed",
            "error": {"type": "server_error", "code": "inference_failed", "message": "No."},
        }
    },
    operation="realtime",
    models=("gpt-realtime", "gpt-realtime-2025-08-28"),
    id_of=realtime_id,
    usage=Usage(
        input_tokens=132,
        output_tokens=121,
        total_tokens=253,
        cache_read_tokens=64,
        cached_audio_tokens=0,
        cached_image_tokens=0,
        input_audio_tokens=13,
        input_image_tokens=0,
        output_audio_tokens=91,
    ),
)
APIS = [
    REALTIME,
    replace(REALTIME, name="beta.realtime", greeting=[BETA_SESSION]),
    Api(
        name="responses",
        greeting=[],
        begun=responses_begun,
        ended=responses_ended,
        cut_short=("incomplete", {"incomplete_details": {"reason": "max_output_tokens"}}),
        went_wrong={"error": {"code": "server_error", "message": "No."}},
        operation="chat",
        models=("gpt-5.4-mini", "gpt-5.4-mini-2026-03-05"),
        id_of=response_id,
        usage=Usage(input_tokens=132, output_tokens=121, total_tokens=253, cache_read_tokens=64, reasoning_tokens=20),
    ),
]


@pytest.fixture(params=APIS, ids=lambda api: api.name)
def api(request: pytest.FixtureRequest) -> Api:
    """Each API that this client may have."""
    api: Api = request.param
    return api


@contextmanager
def connected(colour: Colour, api: Api, *parts: Events) -> Iterator[Any]:
    """A connection that has been greeted."""
    with (
        SocketProvider(*parts, greeting=api.greeting) as provider,
        colour.entered(api.connect(colour.client(**provider.addresses))) as connection,
    ):
        read(colour, connection, len(api.greeting))
        yield connection


def read(colour: Colour, connection: Any, count: int) -> list[Any]:
    return [colour.wait(connection.recv()) for _ in range(count)]


def converse(colour: Colour, api: Api, *parts: Sequence[Mapping[str, Any]]) -> list[Any]:
    """Ask once for each part, and read all of it."""
    events = []
    with connected(colour, api, *parts) as connection:
        for part in parts:
            api.ask(colour, connection)
            events += read(colour, connection, len(part))
    return events


def story(generations: Sequence[Generation]) -> list[tuple[str, tuple[str, ...], int | None, str | None]]:
    """(id, finish reasons, input tokens, kind of failure) of each record."""
    return [
        (each.id, each.finish_reasons, each.usage.input_tokens, each.failure and each.failure.type)
        for each in generations
    ]


def whole(api: Api, number: int) -> list[Mapping[str, Any]]:
    return [*api.begun(number), *api.ended(number)]


def test_two_responses_on_one_connection(api: Api, colour: Colour) -> None:
    """Are two records, with all that the server says of them."""
    with capture_generations() as generations:
        converse(colour, api, whole(api, 1), whole(api, 2))
    assert story(generations) == [(api.id_of(number), ("completed",), 132, None) for number in (1, 2)]
    for each in generations:
        assert each.usage == api.usage
        assert (each.operation, each.request_model, each.response_model) == (api.operation, *api.models)
        assert (each.library, each.server_address, each.streamed) == ("openai", "127.0.0.1", True)
        timing = each.timing
        assert timing.first_chunk is not None
        assert timing.started <= timing.first_chunk <= timing.ended
        assert each.content is not None
        assert each.content.output == {"completion": "Hello there.", "reasoning": None}


def test_the_application_sees_what_it_would_see(api: Api, colour: Colour) -> None:
    """The same events, of the same types."""
    parts = [whole(api, 1), [*api.begun(2), {"type": "error", "error": {"type": "x", "message": "y"}}]]
    bare = converse(colour, api, *parts)
    with capture_generations():
        watched = converse(colour, api, *parts)
    assert seen_by_user(watched) == seen_by_user(bare)


def test_a_response_that_fails_keeps_its_usage(api: Api, colour: Colour) -> None:
    """What was used until then is billed."""
    with capture_generations() as generations:
        converse(colour, api, [*api.begun(1), *api.ended(1, "failed", **api.went_wrong)])
    [each] = generations
    assert story([each])[0][:3] == (api.id_of(1), ("failed",), 132)
    assert each.failure is not None
    assert each.failure.code in ("server_error", "inference_failed")
    assert each.usage == api.usage


def test_a_response_that_is_cut_short_keeps_its_usage(api: Api, colour: Colour) -> None:
    """It is cancelled, or incomplete, which is no failure."""
    status, fields = api.cut_short
    reason = (fields.get("status_details") or fields.get("incomplete_details"))["reason"]
    with capture_generations() as generations:
        converse(colour, api, [*api.begun(1), *api.ended(1, status, **fields)], whole(api, 2))
    assert story(generations) == [
        (api.id_of(1), (f"{status}:{reason}",), 132, None),
        (api.id_of(2), ("completed",), 132, None),
    ]


def test_a_connection_that_is_closed_in_the_middle(api: Api, colour: Colour) -> None:
    """Leaves an abandoned record: nobody knows what it used."""
    with capture_generations() as generations:
        converse(colour, api, whole(api, 1), api.begun(2))
    assert story(generations) == [
        (api.id_of(1), ("completed",), 132, None),
        (api.id_of(2), (), None, "abandoned"),
    ]
    assert [each.response_model for each in generations] == [api.models[1]] * 2


def test_a_connection_that_breaks_in_the_middle(api: Api, colour: Colour) -> None:
    """Likewise, when the application lets go of it."""
    part = [*api.begun(1), HANG_UP]
    with capture_generations() as generations, connected(colour, api, part) as connection:
        api.ask(colour, connection)
        read(colour, connection, len(part) - 1)
        with pytest.raises(Exception, match="1011"):
            read(colour, connection, 1)
    assert story(generations) == [(api.id_of(1), (), None, "abandoned")]


def test_an_error_in_the_middle_is_why_there_was_no_end(api: Api, colour: Colour) -> None:
    """Most errors are about something else; the response may still end by itself."""
    error = {"type": "error", "error": {"type": "server_error", "code": "gone", "message": "No."}}
    with capture_generations() as generations:
        converse(colour, api, [*api.begun(1), error, *api.ended(1)], [*api.begun(2), error])
    assert story(generations) == [
        (api.id_of(1), ("completed",), 132, None),
        (api.id_of(2), (), None, "server_error"),
    ]


def test_responses_that_are_under_way_at_once(api: Api, colour: Colour) -> None:
    """Each is its own record, whichever ends first."""
    part = [*api.begun(1), *api.begun(2), *api.ended(2), *api.ended(1)]
    with capture_generations() as generations:
        converse(colour, api, part)
    assert story(generations) == [(api.id_of(number), ("completed",), 132, None) for number in (2, 1)]


def test_what_is_parsed_twice_counts_once(api: Api, colour: Colour) -> None:
    """An application may read bytes, and parse them as often as it likes."""
    part = whole(api, 1)
    with capture_generations() as generations, connected(colour, api, part) as connection:
        api.ask(colour, connection)
        messages = [colour.wait(connection.recv_bytes()) for _ in part]
        assert [] == list(generations)
        for message in [*messages, *messages]:
            connection.parse_event(message)
    assert story(generations) == [(api.id_of(1), ("completed",), 132, None)]


def test_a_response_that_began_unseen(api: Api, colour: Colour) -> None:
    """Recording was switched on in the middle of it: its end says enough."""
    part = whole(api, 1)
    with connected(colour, api, part) as connection:
        api.ask(colour, connection)
        read(colour, connection, len(part) - 1)
        with capture_generations() as generations:
            read(colour, connection, 1)
    assert story(generations) == [(api.id_of(1), ("completed",), 132, None)]


def test_a_connection_that_nobody_closes(api: Api, colour: Colour) -> None:
    """Its response is recorded when the collector finds it."""
    part = api.begun(1)
    with capture_generations() as generations, connected(colour, api, part) as connection:
        api.ask(colour, connection)
        read(colour, connection, len(part))
        other = type(connection)(connection._connection)
        other.parse_event(b'{"type": "response.created", "response": {"id": "resp_of_a_lost_connection"}}')
        assert [] == list(generations)
        del other
        gc.collect()
        assert story(generations) == [("resp_of_a_lost_connection", (), None, "abandoned")]


def test_when_recording_ends_what_is_under_way_is_recorded(api: Api, colour: Colour) -> None:
    """As at the end of the process; what comes later adds nothing."""
    part = whole(api, 1)
    with connected(colour, api, part) as connection:
        api.ask(colour, connection)
        with capture_generations() as generations:
            read(colour, connection, 2)
        read(colour, connection, len(part) - 2)
    assert story(generations) == [(api.id_of(1), (), None, "abandoned")]
    assert not hasattr(type(connection).parse_event, "__wrapped__")


def test_responses_without_end_are_bounded(api: Api, colour: Colour) -> None:
    """A server that never ends any fills no memory; the oldest are given up."""
    part = [api.begun(number)[0] for number in range(MAX_OPEN + 2)]
    with capture_generations() as generations, connected(colour, api, part) as connection:
        api.ask(colour, connection)
        read(colour, connection, len(part))
        assert [each.id for each in generations] == [api.id_of(0), api.id_of(1)]


def for_whom(generations: Generations) -> list[tuple[str | None, Mapping[str, object]]]:
    return [(each.attribution.user, each.attribution.metadata) for each in generations]


def test_it_is_for_whom_the_block_names_that_reads(api: Api) -> None:
    """Where nobody is named there, for whom the connection was opened."""
    parts = [whole(api, number) for number in (1, 2)]
    with capture_generations() as generations, SocketProvider(*parts, greeting=api.greeting) as provider:
        client = openai.OpenAI(api_key="sk-test", **provider.addresses)
        with ramp_tracing.trace(user="ada", team="search"), api.connect(client) as connection:
            for part, user in ((api.greeting, "ada"), (parts[0], "ada"), (parts[1], "grace")):
                with ramp_tracing.trace(user=user):
                    connection.send({"type": "response.create"}) if part is not api.greeting else None
                    [connection.recv() for _ in part]
        client.close()
    assert for_whom(generations) == [("ada", {"team": "search"}), ("grace", {"team": "search"})]


async def test_tasks_read_each_for_its_own(api: Api) -> None:
    """Whatever the others do meanwhile; a task that names nobody reads for whom the connection was opened."""
    parts = {user: whole(api, number) for number, user in enumerate(("grace", "edsger", None))}

    async def read_for(user: str | None) -> None:
        with SocketProvider(parts[user], greeting=api.greeting) as provider:
            client = openai.AsyncOpenAI(api_key="sk-test", **provider.addresses)
            async with client, api.connect(client) as connection:
                with ramp_tracing.trace(user=user):
                    await connection.send({"type": "response.create"})
                    for _ in [*api.greeting, *parts[user]]:
                        await connection.recv()

    with capture_generations() as generations, ramp_tracing.trace(user="ada"):
        await asyncio.gather(*map(read_for, parts))
    found = {each.id: each.attribution.user for each in generations}
    assert found == {api.id_of(0): "grace", api.id_of(1): "edsger", api.id_of(2): "ada"}


def test_a_thread_that_reads_for_another(api: Api) -> None:
    """It has no block around it; the connection was opened in one."""
    part = whole(api, 1)
    with capture_generations() as generations, SocketProvider(part, greeting=api.greeting) as provider:
        client = openai.OpenAI(api_key="sk-test", **provider.addresses)
        with ramp_tracing.trace(user="ada"), api.connect(client) as connection:
            thread = threading.Thread(target=lambda: [connection.recv() for _ in [*api.greeting, *part]])
            thread.start()
            connection.send({"type": "response.create"})
            thread.join(60)
        client.close()
    assert [each.attribution.user for each in generations] == ["ada"]


def test_privacy_mode(api: Api, colour: Colour) -> None:
    """Nothing of what was said is kept, and of an error not its text."""
    with capture_generations(privacy_mode=True) as generations:
        converse(colour, api, whole(api, 1), [*api.begun(2), *api.ended(2, "failed", **api.went_wrong)])
    assert [None, None] == [each.content for each in generations]
    assert [132, 132] == [each.usage.input_tokens for each in generations]
    assert [] == [text for text in ("No.", "Hello?") if text in repr(list(generations))]


TRANSCRIPT_USAGE: Mapping[str, Mapping[str, Any]] = {
    "tokens": {
        "type": "tokens",
        "input_tokens": 30,
        "input_token_details": {"text_tokens": 4, "audio_tokens": 26},
        "output_tokens": 7,
        "total_tokens": 37,
    },
    "seconds": {"type": "duration", "seconds": 3.5},
}


def test_what_is_heard_is_transcribed_by_another_model(colour: Colour) -> None:
    """It is billed apart, once each, at the price of that model."""
    heard = [transcribed(number, usage) for number, usage in enumerate(TRANSCRIPT_USAGE.values())]
    with capture_generations() as generations:
        converse(colour, REALTIME, [heard[0], *whole(REALTIME, 1), heard[1], heard[0]])
    expected = [
        Usage(input_tokens=30, output_tokens=7, total_tokens=37, input_audio_tokens=26),
        Usage(audio_seconds=Decimal("3.5")),
    ]
    transcripts = [each for each in generations if each.operation == "transcription"]
    assert [each.usage for each in transcripts] == expected
    assert {(each.request_model, each.response_model) for each in transcripts} == {("gpt-4o-transcribe", None)}
    assert len(generations) == 3


def test_a_transcription_that_fails(colour: Colour) -> None:
    """Is a call that failed."""
    failed = {
        "type": "conversation.item.input_audio_transcription.failed",
        "item_id": "item_CdQ2jC9dL3yArG0001",
        "content_index": 0,
        "error": {"type": "transcription_error", "code": "audio_unintelligible", "message": "What?"},
    }
    with capture_generations() as generations:
        converse(colour, REALTIME, [failed])
    assert [("transcription_error", None)] == [
        (each.failure and each.failure.type, each.usage.input_tokens) for each in generations
    ]


def test_sound_is_not_content(colour: Colour) -> None:
    """Of what was said there is the transcript."""
    said = {"type": "message", "content": [{"type": "output_audio", "audio": SOUND, "transcript": "Hello there."}]}
    with capture_generations() as generations:
        converse(colour, REALTIME, [*realtime_begun(1), *realtime_ended(1, output=[said])])
    [each] = generations
    assert each.content is not None
    assert SOUND not in repr(each.content.output)
    assert {"completion": "Hello there.", "reasoning": None} == each.content.output


def test_lanes_of_one_connection(colour: Colour) -> None:
    """A piece of a response that does not name it belongs to the one on its lane."""
    one, two = {"stream_id": "one"}, {"stream_id": "two"}
    begun = [responses_begun(1, **one)[0], responses_begun(2, **two)[0]]
    error = {"type": "error", "error": {"code": "gone", "message": "No."}, **one}
    part = [*begun, responses_begun(1, **one)[2], error, *responses_ended(2, lane=two)]
    with capture_generations() as generations:
        converse(colour, APIS[2], part)
    assert story(generations) == [(response_id(2), ("completed",), 132, None), (response_id(1), (), None, "error")]
    assert [each.timing.first_chunk is None for each in generations] == [True, False]


def asking(lane: str | None, text: str) -> dict[str, Any]:
    lanes = {} if lane is None else {"stream_id": lane}
    return {"type": "response.create", "model": "gpt-5.4-mini", "input": text, "temperature": 0.5, **lanes}


def test_what_was_asked(colour: Colour) -> None:
    """By the client's own method or by hand; a request that was refused belongs to no response."""
    refused = {"type": "error", "status": 400, "error": {"type": "invalid_request_error", "message": "No."}}
    parts = [[refused], whole(APIS[2], 1), whole(APIS[2], 2)]
    with capture_generations() as generations, connected(colour, APIS[2], *parts) as connection:
        colour.wait(connection.send(asking(None, "Refused?")))
        read(colour, connection, 1)
        colour.wait(connection.response.create(model="gpt-5.4", input="Hello?", instructions="Be brief."))
        read(colour, connection, len(parts[1]))
        colour.wait(connection.send(asking(None, "And now?")))
        read(colour, connection, len(parts[2]))
    assert [each.content and each.content.input for each in generations] == [
        {"messages": [{"role": "system", "content": "Be brief."}, {"role": "user", "content": "Hello?"}]},
        {"messages": [{"role": "user", "content": "And now?"}]},
    ]
    assert [each.request_model for each in generations] == ["gpt-5.4", "gpt-5.4-mini"]
    assert [each.parameters for each in generations] == [{}, {"temperature": 0.5}]


def test_it_is_for_whom_it_was_asked() -> None:
    """Where responses are answers in turn, whoever reads them; each lane has its own turn."""
    api = APIS[2]
    lanes = [{"stream_id": "one"}, {"stream_id": "two"}]
    part = [event for number in (1, 0) for event in responses_begun(number, **lanes[number])]
    part += [event for number in (0, 1) for event in responses_ended(number, lane=lanes[number])]
    with capture_generations() as generations, SocketProvider([], part) as provider:
        client = openai.OpenAI(api_key="sk-test", **provider.addresses)
        skip_without("responses.connect", client)
        with ramp_tracing.trace(user="reader"), api.connect(client) as connection:
            for lane, user in zip(("one", "two"), ("ada", "grace"), strict=True):
                with ramp_tracing.trace(user=user):
                    connection.send({**asking(lane, "Hello?"), "session_id": f"session of {user}"})
            [connection.recv() for _ in part]
        client.close()
    assert [(each.id, each.attribution.user, each.attribution.session_id) for each in generations] == [
        (response_id(0), "ada", "session of ada"),
        (response_id(1), "grace", "session of grace"),
    ]


@pytest.mark.parametrize("said", [0, 3], ids=["before it is answered", "in the middle"])
def test_a_connection_that_is_lost_and_made_again(said: int) -> None:
    """What was asked over the one that was lost is not what is answered over the other."""
    api, greeting = APIS[2], [{"type": "response.hello"}]
    lost, found = [*api.begun(1)[:said], HANG_UP], whole(api, 2)
    with capture_generations() as generations, SocketProvider(lost, found, greeting=greeting) as provider:
        client = openai.OpenAI(api_key="sk-test", **provider.addresses)
        skip_without("responses.connect", client)
        if "on_reconnecting" not in signature(client.responses.connect).parameters:
            pytest.skip("older clients do not connect again")
        opened = client.responses.connect(on_reconnecting=lambda _event: None, initial_delay=0.001)
        with client, opened as connection:
            events = iter(connection)
            assert "response.hello" == next(events).type
            with ramp_tracing.trace(user="ada"):
                connection.send(asking(None, "I am Ada."))
            assert "response.hello" == [next(events).type for _ in lost][-1]
            before = [(each.attribution.user, each.failure and each.failure.type) for each in generations]
            assert [("ada", "abandoned")] * bool(said) == before
            with ramp_tracing.trace(user="edith"):
                connection.send(asking(None, "I am Edith."))
            assert [each["type"] for each in found] == [next(events).type for _ in found]
        assert ("edith", 132) == (generations[-1].attribution.user, generations[-1].usage.input_tokens)


@pytest.mark.parametrize("name", [None, "one"], ids=["the default lane", "a lane of its own"])
def test_what_is_asked_on_a_lane_of_a_session(name: str | None, colour: Colour) -> None:
    """The client's own session sends past its connection, and reads on a thread or a task of its own."""
    lanes = pytest.importorskip("openai.lib.responses_websocket", reason="older clients have no such sessions")
    kind = lanes.ResponsesWebSocketSession if colour.name == "sync" else lanes.AsyncResponsesWebSocketSession
    limits = lanes.ResponsesWebSocketLimits(2, 64, 64, 1 << 20, 1 << 20)
    lane_of = {} if name is None else {"stream_id": name}
    part = [*responses_begun(1, **lane_of), *responses_ended(1, lane=lane_of)]
    with (
        capture_generations() as generations,
        connected(colour, APIS[2], part) as connection,
        colour.entered(kind(connection, limits=limits)) as session,
    ):
        lane = session.default if name is None else session.lane(name)
        asked = {**asking(None, "Hello?"), "user": "ada"}
        colour.wait(lane.send(asked))
        assert response_id(1) == colour.wait(lane.get_final_response()).id
        [generation] = generations
    assert ("gpt-5.4-mini", "ada", {"temperature": 0.5}) == (
        generation.request_model,
        generation.attribution.user,
        generation.parameters,
    )
    assert generation.content is not None
    assert {"messages": [{"role": "user", "content": "Hello?"}]} == generation.content.input


def test_a_lane_is_for_whom_it_is_asked() -> None:
    """The thread that reads knows of no block."""
    lanes = pytest.importorskip("openai.lib.responses_websocket", reason="older clients have no such sessions")
    part = [*responses_begun(1), *responses_ended(1)]
    limits = lanes.ResponsesWebSocketLimits(2, 64, 64, 1 << 20, 1 << 20)
    with (
        capture_generations() as generations,
        SocketProvider(part) as provider,
        openai.OpenAI(api_key="sk-test", **provider.addresses) as client,
        client.responses.connect() as connection,
        lanes.ResponsesWebSocketSession(connection, limits=limits) as session,
    ):
        with ramp_tracing.trace(user="grace"):
            session.default.send(asking(None, "Hello?"))
        session.default.get_final_response(timeout=60)
        assert ["grace"] == [each.attribution.user for each in generations]


def test_nothing_is_kept_of_a_connection_that_is_gone(api: Api, colour: Colour) -> None:
    """Neither of the connection nor of its responses."""
    before = {id(each) for each in state.sockets}
    with capture_generations() as generations:
        converse(colour, api, whole(api, 1))
        assert isinstance(generations, Generations)
    colour.tidy()
    gc.collect()
    assert before >= {id(each) for each in state.sockets}
