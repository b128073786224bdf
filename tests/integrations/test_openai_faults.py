"""Faults of our own: the application does not notice, and the call is in the books all the same."""

import logging
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import pytest
from openai.types.chat import ChatCompletion, ChatCompletionChunk

from ramp_tracing import _guard
from ramp_tracing._captured import capture_generations
from ramp_tracing._normalizers import _chat
from ramp_tracing._recorder import _unread
from ramp_tracing._state import state
from ramp_tracing.integrations import _asking, _bodies, _calls, _stainless, _streams

from .colours import Colour
from .endpoints import ENDPOINTS
from .facts import seen_by_user

ASK: Mapping[str, Any] = {"model": "gpt-4o", "messages": [{"role": "user", "content": "Hello?"}]}


@pytest.fixture(autouse=True)
def as_in_production(monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture) -> Iterator[None]:
    """Faults are swallowed, and logged each time."""
    monkeypatch.setattr(state, "strict", False)
    monkeypatch.setattr(_guard, "log", _guard.RateLimitedLog())
    yield
    assert "of ours" not in caplog.text


def broken(*args: Any, **kwargs: Any) -> Any:
    raise LookupError("of ours")


def created(colour: Colour, client: Any) -> Any:
    return colour.wait(client.chat.completions.create(**ASK))


def named(colour: Colour, client: Any) -> Any:
    return colour.wait(client.chat.completions.create(**ASK, user="u-1"))


def transcribed(colour: Colour, client: Any) -> Any:
    return colour.wait(client.audio.transcriptions.create(model="whisper-1", file=("a.wav", b"RIFF")))


def streamed(colour: Colour, client: Any) -> Any:
    return colour.items(colour.wait(client.chat.completions.create(**ASK, stream=True)))


def raw(colour: Colour, client: Any) -> Any:
    return colour.wait(client.chat.completions.with_raw_response.create(**ASK)).parse()


def lazy(colour: Colour, client: Any) -> Any:
    with colour.entered(client.chat.completions.with_streaming_response.create(**ASK, stream=True)) as response:
        return b"".join(colour.items(response.iter_bytes()))


Call = Callable[[Colour, Any], Any]

FAULTS: Mapping[str, tuple[Call, Any, str, int]] = {
    "the body is not read": (created, _chat, "with_members", 1),
    "the body is not read, raw": (raw, _chat, "with_members", 1),
    "the body is not read at once": (transcribed, _calls, "parse", 1),
    "the content is not read": (created, _unread, "as_fields", 1),
    "the content is not kept": (transcribed, _calls, "snapshot", 1),
    "the attribution is not read": (named, _asking, "attribution_in", 1),
    "the response is not noted": (streamed, _calls, "is_event_stream", 1),
    "usage cannot be asked for": (streamed, _stainless, "asking_for_usage", 1),
    "the stream is not watched": (streamed, _stainless, "StreamWatch", 1),
    "the chunks are not folded": (streamed, _chat.ChatAccumulator, "add", 1),
    "the chunks are not summed up": (streamed, _chat.ChatAccumulator, "outcome", 1),
    "the chunks are not hidden": (streamed, _streams, "_would_be_sent_unasked", 1),
    "the bytes are not cut": (lazy, _bodies, "parse_event", 1),
    "the response is not watched": (lazy, _stainless, "watch_body", 1),
    "the record is not made": (created, _unread, "GENERATIONS", 0),
    "the record is not handed over": (created, _calls, "hand_over", 0),
    "the request is not read": (created, _stainless, "address_of", 0),
}
"""What the application does, what breaks, and how many records there can still be."""


@pytest.mark.parametrize("name", FAULTS)
def test_a_fault_of_ours_changes_nothing(
    name: str, colour: Colour, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """The answer is the same, one line says where we failed, and what can be recorded is."""
    call, owner, attribute, records = FAULTS[name]
    colour.provider.answer_with(ENDPOINTS)
    client = colour.client(colour.provider.base_url)
    bare = seen_by_user(call(colour, client))
    with capture_generations() as generations, caplog.at_level(logging.WARNING, "ramp_tracing"):
        state.stream_usage = "always"
        monkeypatch.setattr(owner, attribute, broken)
        watched = seen_by_user(call(colour, client))
        monkeypatch.undo()
        state.stream_usage = "auto"
        assert records == len(generations)
    assert (type(bare), 1) == (type(watched), len({each.getMessage() for each in caplog.records}))


@pytest.mark.parametrize("kind", [ChatCompletion, ChatCompletionChunk])
def test_the_types_of_the_application_are_its_own(kind: type[Any], colour: Colour) -> None:
    """What is handed on is of the client's own classes."""
    colour.provider.answer_with(ENDPOINTS)
    client = colour.client(colour.provider.base_url)
    with capture_generations():
        answer = created(colour, client) if kind is ChatCompletion else streamed(colour, client)[0]
    assert kind is type(answer)
