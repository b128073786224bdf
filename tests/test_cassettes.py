"""
Recorded calls of many providers, made again with the openai client over real HTTP, and what Ramp receives of them.

The recordings are not a part of this repository; where they are missing these tests are skipped, and those of
``tests/normalizers`` still read every wire format.
"""

import json
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import contextmanager
from typing import Any, Final

import pytest

pytest.importorskip("yaml", reason="recorded calls are YAML")
openai: Any = pytest.importorskip("openai")

import ramp_tracing  # noqa: E402 - after what may skip the module
from ramp_tracing._identity import SeenIds  # noqa: E402
from ramp_tracing._state import state  # noqa: E402
from ramp_tracing.testing import FakeRamp, ReceivedSpan  # noqa: E402
from tests.cassettes.calls import (  # noqa: E402
    FREE,
    METHODS,
    NOT_MADE,
    Call,
    async_client_for,
    call_of,
    client_for,
    finish,
    finish_async,
)
from tests.cassettes.expected import PROVIDERS, said_by_index, said_by_span  # noqa: E402
from tests.cassettes.shelf import INDEX, PROPERTY, Row, rows  # noqa: E402

if not INDEX.exists():
    pytest.skip("no recorded calls: set RAMP_TRACING_SHARED to the folder above them", allow_module_level=True)

pytest_plugins = ("tests.cassettes.table",)

MADE: Final = [row for row in rows() if row.endpoint not in NOT_MADE]
STREAMS: Final = [row for row in MADE if row.is_stream]

ERRORS: Final = {
    400: "BadRequestError",
    401: "AuthenticationError",
    404: "NotFoundError",
    429: "RateLimitError",
    500: "InternalServerError",
}
"""What the client raises for a status."""

Note = Callable[[str, object], None]
"""pytest's ``record_property``."""


def each(made: list[Row]) -> Any:
    """Runs a test with every one of the rows *made*."""
    return pytest.mark.parametrize("row", made, ids=[row.name for row in made])


@pytest.fixture(autouse=True)
def nothing_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every test is a new process to the ids of answers: otherwise a cassette that is played again is a cache hit."""
    monkeypatch.setattr(state, "seen", SeenIds())


def test_index() -> None:
    """Every row of the index is made again, or there is a reason why not."""
    assert set(METHODS) | set(NOT_MADE) | {FREE} == {row.endpoint for row in rows()}


@each(MADE)
def test_sync(row: Row, record_property: Note) -> None:
    """One call is one span, which says what the answer says and nothing else."""
    record_property(PROPERTY, [row.endpoint, row.provider, "sync"])
    with row.replay() as server, receiving(row, server) as ramp, client_for(row, server) as client:
        with raising(row):
            finish(call_in(row, server).on(client))
        check(row, server, received(ramp))


@each(MADE)
async def test_async(row: Row, record_property: Note) -> None:
    """The same, asynchronous."""
    record_property(PROPERTY, [row.endpoint, row.provider, "async"])
    with row.replay() as server, receiving(row, server) as ramp:
        async with async_client_for(row, server) as client:
            with raising(row):
                await finish_async(await call_in(row, server).on(client))
        check(row, server, received(ramp))


@each(STREAMS)
def test_chunks(row: Row) -> None:
    """The application sees the same chunks with and without us."""
    without = chunks_of(row)
    with capture_generations() as generations:
        assert without == chunks_of(row)
    assert 1 == len(generations)


@each(STREAMS)
async def test_async_chunks(row: Row) -> None:
    """The same, asynchronous."""
    without = await async_chunks_of(row)
    with capture_generations() as generations:
        assert without == await async_chunks_of(row)
    assert 1 == len(generations)
