"""What a test of a normalizer is made of: a payload, and the whole record that comes out of it."""

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from pkgutil import resolve_name
from typing import Any, Final

import pytest

from ramp_tracing._loopback import Answer
from ramp_tracing._normalizers import WireFormat, parse, parse_event
from ramp_tracing._record import Outcome
from tests.integrations.provider import Provider

PAYLOADS: Final = Path(__file__).parent.parent / "payloads"
"""Answers written by hand after the documentation of those who send them: JSON, or the text of an event stream."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """
    One answer and what it says.

    Attributes:
        payload: A file below ``tests/payloads``; ``.sse`` is a stream.
        shows: What is special about it, in a sentence.
        outcome: Everything that is to be read from it.
        choices: How many choices were asked for.
        raises: The openai client raises at the last event instead of handing it on.
    """

    payload: str
    shows: str
    outcome: Outcome
    choices: int = 1
    raises: bool = False

    @property
    def is_stream(self) -> bool:
        """Whether the payload is a stream."""
        return self.payload.endswith(".sse")

    @property
    def body(self) -> bytes:
        """The payload."""
        return (PAYLOADS / self.payload).read_bytes()


def each(cases: tuple[Case, ...]) -> Any:
    """Runs a test with every one of *cases*."""
    return pytest.mark.parametrize("case", cases, ids=[f"{case.payload}: {case.shows}" for case in cases])


def from_json(case: Case, wire: WireFormat) -> Outcome:
    """What is read from the payload as JSON, which is what raw responses and journals have."""
    return fold(events_in(case.payload), case, wire) if case.is_stream else wire.read(parse(case.body))


def events_in(payload: str) -> list[object]:
    """The events of a stream, parsed."""
    lines = (PAYLOADS / payload).read_bytes().splitlines()
    return [event for line in lines if (event := parse_event(line)) is not None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Types:
    """
    What the openai client makes of the answers of one endpoint: ``module:name``.

    Attributes:
        whole: A whole answer.
        event: An event of a stream.
    """

    whole: str
    event: str = ""


def from_client(case: Case, wire: WireFormat, client: Any, types: Types) -> Outcome:
    """What is read from the objects that the openai client makes of the payload, served on loopback."""
    openai = pytest.importorskip("openai")
    kind = "text/event-stream" if case.is_stream else "application/json"
    with Provider(Answer(headers={"Content-Type": kind}, body=case.body)) as provider:
        here = client.with_options(base_url=provider.base_url)
        if not case.is_stream:
            return wire.read(here.post("/answers", cast_to=resolve_name(types.whole), body={}))
        event = resolve_name(types.event)
        with here.post("/answers", cast_to=event, body={}, stream=True, stream_cls=openai.Stream[event]) as stream:
            return fold(until_it_raises(stream, openai.APIError) if case.raises else stream, case, wire)


def fold(events: Iterable[object], case: Case, wire: WireFormat) -> Outcome:
    """The outcome of a stream of *events*."""
    accumulator = wire.accumulator(case.choices, True)
    for event in events:
        accumulator.add(event)
    return accumulator.outcome()


def until_it_raises(stream: Iterator[object], error: type[Exception]) -> Iterator[object]:
    """What comes before *error*, which has to come."""
    try:
        yield from stream
    except error:
        return
    pytest.fail(f"{error.__name__} was not raised")


def seen_by_client(case: Case) -> Outcome:
    """What is to be read from the client's objects: where the client raises, the failure is in its exception."""
    return replace(case.outcome, failure=None) if case.raises else case.outcome


def plain(outcome: Outcome) -> Outcome:
    """*outcome* with the client's objects in its content, which stay there by reference, as JSON."""
    return replace(outcome, output=_plain(outcome.output))


def _plain(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {key: _plain(each) for key, each in value.items()}
    if isinstance(value, list):
        return [_plain(each) for each in value]
    return json.loads(value.to_json()) if hasattr(value, "to_json") else value
