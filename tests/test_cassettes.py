"""
Recorded calls of many providers, made again with the openai client over real HTTP, and what Ramp receives of them.

The recordings are not a part of this repository; where they are missing these tests are skipped, and those of
``tests/normalizers`` still read every wire format. A table at the end of the output says how many were received.
"""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from decimal import Decimal
from typing import Any, Final

import pytest

import ramp_tracing
from ramp_tracing._identity import SeenIds
from ramp_tracing._state import state
from ramp_tracing.testing import FakeRamp, ReceivedSpan, capture_generations
from tests.cassettes.calls import (
    FREE,
    METHODS,
    NOT_MADE,
    Call,
    async_client_for,
    call_of,
    client_for,
    finish,
    finish_async,
    openai,
)
from tests.cassettes.expected import (
    PROVIDERS,
    failure_said_by_index,
    failure_said_by_span,
    said_by_index,
    said_by_span,
)
from tests.cassettes.shelf import COST, INDEX, PROPERTY, Row, rows

if not INDEX.exists():
    pytest.skip("no recorded calls: set RAMP_TRACING_SHARED to the folder above them", allow_module_level=True)
pytest.importorskip("yaml", reason="the recorded calls are YAML")

pytest_plugins = ("tests.cassettes.table",)

MADE: Final = [row for row in rows() if row.endpoint not in NOT_MADE]
STREAMS: Final = [row for row in MADE if row.is_stream]


def each(made: list[Row]) -> Any:
    """Runs a test with every one of the rows *made*."""
    return pytest.mark.parametrize("row", made, ids=[row.name for row in made])


@pytest.fixture(autouse=True)
def nothing_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    """To the ids of answers every test is a new process: a cassette that is played again would be a cache hit."""
    monkeypatch.setattr(state, "seen", SeenIds())


@pytest.fixture(scope="module")
def receiver() -> Iterator[FakeRamp]:
    """One receiver for all tests."""
    with FakeRamp(api_key="test") as ramp:
        yield ramp


@pytest.fixture
def ramp(receiver: FakeRamp) -> FakeRamp:
    """The receiver, which has seen nothing yet."""
    receiver.clear()
    return receiver


def test_index() -> None:
    """Every row of the index is made again, or there is a reason why not."""
    assert {row.endpoint for row in rows()} <= {*METHODS, *NOT_MADE, FREE}


@each(MADE)
def test_sync(row: Row, ramp: FakeRamp, record_property: Any) -> None:
    """One call is one span, which says what the answer says and nothing else."""
    record_property(PROPERTY, (row.endpoint, row.provider, "sync"))
    with row.replay() as server, sending(ramp, row, server), client_for(row, server) as client:
        with raising(row):
            finish(call_in(row, server).on(client))
        check(row, server, received(ramp))


@each(MADE)
async def test_async(row: Row, ramp: FakeRamp, record_property: Any) -> None:
    """The same, asynchronous."""
    record_property(PROPERTY, (row.endpoint, row.provider, "async"))
    with row.replay() as server, sending(ramp, row, server):
        async with async_client_for(row, server) as client:
            with raising(row):
                await finish_async(await call_in(row, server).on(client))
        check(row, server, received(ramp))


@each(STREAMS)
def test_chunks(row: Row) -> None:
    """The application sees the same chunks with and without us."""
    with row.replay() as server, client_for(row, server) as client:
        without = finish(call_in(row, server).on(client))
    with row.replay() as server, client_for(row, server) as client, capture_generations() as generations:
        assert without == finish(call_in(row, server).on(client))
    assert 1 == len(generations)


@each(STREAMS)
async def test_chunks_async(row: Row) -> None:
    """The same, asynchronous."""
    with row.replay() as server:
        async with async_client_for(row, server) as client:
            without = await finish_async(await call_in(row, server).on(client))
    with row.replay() as server, capture_generations() as generations:
        async with async_client_for(row, server) as client:
            assert without == await finish_async(await call_in(row, server).on(client))
    assert 1 == len(generations)


@each([row for row in STREAMS if row.endpoint == "chat.completions" and row["prompt_tokens"]])
def test_hidden_usage(row: Row, ramp: FakeRamp) -> None:
    """Where we ask for the usage the application sees what would have come without it, and Ramp sees the usage."""
    with row.replay() as server, client_for(row, server) as client:
        without = unasked(finish(call_in(row, server).on(client)))
    with row.replay() as server, sending(ramp, row, server, stream_usage="always"):
        with client_for(row, server) as client:
            seen = finish(call_in(row, server, leave_out="stream_options").on(client))
        assert without == [json.loads(chunk) for chunk in seen]
        assert {"include_usage": True} == server.requests[0]["json"]["stream_options"]
        check(row, server, received(ramp))


def test_every_reported_cost_is_made_again() -> None:
    """Of the rows with a reported cost none is left out, and those of the user's own key say what that cost."""
    reported = [row for row in rows() if row["cost"]]
    assert set(PRICED) == {row.name for row in reported}
    assert all(row["upstream_cost"] for row in reported if row["is_byok"] == "y")


PRICED: Final = {row.name: row for row in MADE if row["cost"]}


@pytest.mark.parametrize("name", PRICED)
def test_reported_cost(name: str, ramp: FakeRamp, record_property: Any) -> None:
    """The total of the span is the amount that the answer reports, to the last digit; with an own key, both amounts."""
    row = PRICED[name]
    own = row["is_byok"] == "y"
    expected = Decimal(row["cost"]) + (Decimal(row["upstream_cost"]) if own else 0)
    with row.replay() as server, sending(ramp, row, server), client_for(row, server) as client:
        finish(call_in(row, server).on(client))
        [span] = received(ramp)
    assert expected == span.attributes["gen_ai.usage.total_cost"] == span.attributes["gen_ai.usage.cost.amount"]
    assert "provider" == span.attributes["gen_ai.usage.cost.source"]
    shares = [span.attributes.get(f"gen_ai.usage.{side}_cost") for side in ("input", "output")]
    assert shares == [None, None] or sum(map(Decimal, map(str, shares))) == expected
    record_property(COST, (row.provider, str(expected), own))


def test_one_process(ramp: FakeRamp) -> None:
    """All of them in one process, one after the other: as many spans as calls, and no two with the same id."""
    with MADE[0].replay() as first, sending(ramp, MADE[0], first):
        for row in MADE:
            with row.replay() as server, client_for(row, server) as client, raising(row):
                finish(call_in(row, server).on(client))
        spans = received(ramp)
    calls = len([row for row in MADE if row.endpoint != FREE])
    assert (calls, calls, calls) == (
        len(spans),
        len({span.span_id for span in spans}),
        len({span.attributes["gen_ai.response.id"] for span in spans}),
    )


def test_replayed_answer(ramp: FakeRamp) -> None:
    """An answer that comes a second time, from a cache, is a second generation; it names the id that it repeats."""
    row = next(row for row in MADE if row["response_id"])
    with row.replay() as server, sending(ramp, row, server):
        for _ in range(2):
            with row.replay() as again, client_for(row, again) as client:
                finish(call_in(row, again).on(client))
        first, second = (span.attributes for span in received(ramp))
    repeated = "trace.metadata.provider_response_id"
    assert (row["response_id"], None) == (first["gen_ai.response.id"], first.get(repeated))
    assert row["response_id"] == second[repeated] != second["gen_ai.response.id"]


@contextmanager
def sending(ramp: FakeRamp, row: Row, server: Any, **options: Any) -> Iterator[None]:
    """Report the calls of this process to *ramp*; *server* stands where the provider of *row* was."""
    named = {server.url.removeprefix("http://"): PROVIDERS[row.provider]} if row.provider in PROVIDERS else {}
    ramp_tracing.instrument(api_key="test", base_url=ramp.url, providers=named, **options)
    try:
        yield
    finally:
        ramp_tracing.uninstrument()


def received(ramp: FakeRamp) -> list[ReceivedSpan]:
    """What Ramp has when everything was sent."""
    assert ramp_tracing.flush(30)
    return ramp.generations


def check(row: Row, server: Any, spans: list[ReceivedSpan]) -> None:
    """Compare what Ramp has with the index."""
    assert [] == server.unmatched
    assert (0 if row.endpoint == FREE else 1) == len(spans)
    for span in spans:
        assert said_by_index(row) == said_by_span(row, span)
        assert failure_said_by_index(row) == failure_said_by_span(span)


def call_in(row: Row, server: Any, leave_out: str = "") -> Call:
    """The call that *server* has the answer to."""
    call = call_of(row, server.interactions[0])
    return Call(method=call.method, arguments={k: v for k, v in call.arguments.items() if k != leave_out})


@contextmanager
def raising(row: Row) -> Iterator[None]:
    """The application gets the error that the provider sent."""
    if row.status < 400:
        yield
        return
    with pytest.raises(openai.APIStatusError) as raised:
        yield
    assert row.status == raised.value.status_code


def unasked(chunks: list[str]) -> list[Any]:
    """
    *chunks* as OpenAI sends them when nobody asks for usage.

    Without ``include_usage`` the last chunk, which has no choices, does not come, nor do the nulls in the others.
    """
    parsed = [json.loads(chunk) for chunk in chunks]
    kept = [chunk for chunk in parsed if chunk["choices"] or chunk.get("usage") is None]
    return [{name: value for name, value in chunk.items() if (name, value) != ("usage", None)} for chunk in kept]
