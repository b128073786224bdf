"""Anthropic's messages, whole and streamed, and its batches."""

from dataclasses import replace
from pkgutil import resolve_name
from typing import Any, Final

import pytest

from ramp_tracing._normalizers import parse
from ramp_tracing._normalizers._anthropic import MESSAGE_BATCHES, MESSAGES
from ramp_tracing._record import Failure, Outcome, Usage

from .cases import Case, each, events_in, fold, from_json

ID: Final = "msg_01XFDUDYJgAACzvnptvVoYEL"
MODEL: Final = "claude-opus-4-8"
OSLO: Final = {"completion": "Oslo.", "reasoning": None}


def call(index: int, identity: str, name: str, arguments: str) -> dict[str, Any]:
    return {"id": identity, "index": index, "type": "function", "function": {"name": name, "arguments": arguments}}


def message(**fields: Any) -> Outcome:
    """The message that most payloads are about."""
    whole = Outcome(
        response_id=ID,
        response_model=MODEL,
        finish_reasons=("tool_use",),
        service_tier="standard",
        usage=usage(1400, 90, 24, 1000, reasoning_tokens=64),
        output={
            "completion": "Let me look.",
            "reasoning": "A capital is asked for.",
            "toolCalls": [
                call(0, "toolu_01A09q90qw90lq917835lq9", "weather", '{"city": "Oslo"}'),
                call(1, "toolu_01B19q90qw90lq917835lq0", "time", "{}"),
            ],
        },
    )
    return replace(whole, **fields)


def usage(asked: int | None, said: int | None, read: int | None = 0, written: int | None = 0, **more: Any) -> Usage:
    return Usage(input_tokens=asked, output_tokens=said, cache_read_tokens=read, cache_write_tokens=written, **more)


SEARCHED: Final = {"type": "server_tool_use", "id": "srvtoolu_01", "name": "web_search"}
FOUND: Final = {
    "type": "web_search_tool_result",
    "tool_use_id": "srvtoolu_01",
    "content": [{"type": "web_search_result", "url": "https://example.com/oslo", "title": "Oslo"}],
}

WHOLE: Final = (
    Case(
        payload="anthropic/message.json",
        shows="the input includes cache reads and writes",
        outcome=message(
            inference_geo="global",
            usage=usage(1400, 90, 24, 1000, reasoning_tokens=64, cache_write_5m_tokens=1000, cache_write_1h_tokens=0),
        ),
    ),
    Case(
        payload="anthropic/bare.json",
        shows="older answers say nothing of caches and tiers",
        outcome=Outcome(
            response_id="msg_bdrk_01QwErTyUiOpAsDfGhJkLzXb",
            response_model="claude-3-haiku-20240307",
            finish_reasons=("end_turn",),
            usage=usage(16, 5, None, None),
            output=OSLO,
        ),
    ),
    Case(
        payload="anthropic/search.json",
        shows="searches are billed one by one, speed and place change the price",
        outcome=Outcome(
            response_id="msg_01Search",
            response_model=MODEL,
            finish_reasons=("end_turn",),
            service_tier="fast",
            inference_geo="us",
            usage=usage(2679, 80, hosted_tool_calls={"web_search_call": 2, "web_fetch_call": 1}),
            output={**OSLO, "content": [{**SEARCHED, "input": {"query": "capital of Norway"}}, FOUND]},
        ),
    ),
    Case(
        payload="anthropic/compaction.json",
        shows="a compaction is billed beside the totals, an adviser by another model's price",
        outcome=Outcome(
            response_id="msg_01Compaction",
            response_model=MODEL,
            finish_reasons=("end_turn",),
            service_tier="standard",
            usage=usage(229 + 10 + 300 + 55000, 705, 10, 55000, hosted_tool_calls={"advisor_message": 1}),
            output={**OSLO, "content": [{"type": "compaction", "content": "They spoke of Oslo."}]},
        ),
    ),
    Case(
        payload="anthropic/error.json",
        shows="an error in place of an answer",
        outcome=Outcome(
            failure=Failure(type="overloaded_error", message="Overloaded"),
            output={"completion": "", "reasoning": None},
        ),
    ),
)

STREAMED: Final = (
    Case(payload="anthropic/message.sse", shows="input at the start, output at the end", outcome=message()),
    Case(
        payload="anthropic/cut.sse",
        shows="how much was answered is unknown where the end is missing",
        outcome=message(
            finish_reasons=(),
            usage=usage(1400, None, 24, 1000),
            output={"completion": "Let me look.", "reasoning": "A capital is asked for."},
            complete=False,
        ),
    ),
    Case(
        payload="anthropic/error.sse",
        shows="an error in the middle",
        outcome=message(
            finish_reasons=(),
            usage=usage(1400, None, 24, 1000),
            output={"completion": "", "reasoning": None},
            failure=Failure(type="overloaded_error", message="Overloaded"),
            complete=False,
        ),
    ),
    Case(
        payload="anthropic/search.sse",
        shows="what a search found comes on top of the first count",
        outcome=message(
            finish_reasons=("end_turn",),
            usage=usage(10682, 510, hosted_tool_calls={"web_search_call": 1}),
            output={**OSLO, "content": [{**SEARCHED, "input": '{"query": "capital"}'}, FOUND]},
        ),
    ),
)

BATCHES: Final = (
    Case(
        payload="anthropic/batch.json",
        shows="a batch goes on",
        outcome=Outcome(response_id="msgbatch_01HkcTjaV5uDC8jWR4ZsDV8d", service_tier="batch", pending=True, job=True),
    ),
    Case(
        payload="anthropic/batch-ended.json",
        shows="and ends, whatever became of its requests",
        outcome=Outcome(
            response_id="msgbatch_01HkcTjaV5uDC8jWR4ZsDV8d",
            service_tier="batch",
            finish_reasons=("ended",),
            job=True,
        ),
    ),
)


@each((*WHOLE, *STREAMED))
def test_json(case: Case) -> None:
    """As JSON, which is what raw responses have."""
    assert case.outcome == from_json(case, MESSAGES)


@each(BATCHES)
def test_batch(case: Case) -> None:
    """A batch says where it stands, and nothing of what it used."""
    assert case.outcome == from_json(case, MESSAGE_BATCHES)


@each(tuple(case for case in (*WHOLE, *STREAMED) if "error" not in case.payload))
def test_client(case: Case) -> None:
    """As the anthropic client's objects; what it leaves as it came apart, they say the same."""
    pytest.importorskip("anthropic")
    if case.is_stream:
        kind = resolve_name("anthropic.types.beta:BetaRawMessageStreamEvent")
        made = resolve_name("anthropic._models:construct_type")
        read = fold([made(type_=kind, value=event) for event in events_in(case.payload)], case, MESSAGES)
    else:
        body: Any = parse(case.body)
        read = MESSAGES.read(resolve_name("anthropic.types.beta:BetaMessage").construct(**body))
    expected = replace(case.outcome, output=None)
    assert (expected, said(case.outcome)) == (replace(read, output=None), said(read))


def said(outcome: Outcome) -> dict[str, Any]:
    output: Any = outcome.output
    return {name: value for name, value in output.items() if name != "content"}


def test_privacy() -> None:
    """Where content is not kept, nothing of it is gathered."""
    accumulator = MESSAGES.accumulator(1, False)
    carried = [accumulator.add(event) for event in events_in("anthropic/message.sse")]
    assert carried.index(True) == 3  # after the start, a ping, and the start of a thought
    assert message(output={"completion": "", "reasoning": None}) == accumulator.outcome()


ASKED: Final[tuple[tuple[dict[str, Any], Any], ...]] = (
    ({"messages": [{"role": "user", "content": "Hello?"}]}, [{"role": "user", "content": "Hello?"}]),
    ({"messages": ({"role": "user", "content": "a"},)}, [{"role": "user", "content": "a"}]),
    ({"messages": iter([{"role": "user", "content": "a"}])}, []),
    ({"messages": [], "system": "Be brief."}, [{"role": "system", "content": "Be brief."}]),
    ({"messages": [], "system": object()}, []),
    ({}, []),
)


@pytest.mark.parametrize(("body", "turns"), ASKED)
def test_content(body: dict[str, Any], turns: Any) -> None:
    """System prompt and messages; what can be read only once is left to the client."""
    assert {"messages": turns} == MESSAGES.content(body)


@pytest.mark.parametrize(
    "answer", [None, "x", 5, [], {"usage": "10"}, {"usage": {"input_tokens": "many"}}, {"content": 5}]
)
def test_hostile(answer: object) -> None:
    """What is no message has no counts, and raises nothing."""
    assert not MESSAGES.read(answer).usage.known
    accumulator = MESSAGES.accumulator(1, True)
    for event in (
        answer,
        {"type": "message_start", "message": answer},
        {"type": "content_block_delta", "delta": answer},
    ):
        accumulator.add(event)
    assert not accumulator.outcome().usage.known
