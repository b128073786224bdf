"""
Recorded calls of Anthropic's own API, made again with the anthropic client over real HTTP.

The recordings are not a part of this repository; where they are missing these tests are skipped, and those of
``tests/normalizers`` still read the format.
"""

from collections.abc import Mapping
from typing import Any, Final

import pytest

from ramp_tracing._identity import SeenIds
from ramp_tracing._record import Generation
from ramp_tracing._state import state
from ramp_tracing.testing import capture_generations
from tests.cassettes.anthropic_calls import async_client_for, client_for, finish, finish_async, make
from tests.cassettes.litellm_calls import COUNTS, counts_of
from tests.cassettes.shelf import INDEX, Row, rows

if not INDEX.exists():
    pytest.skip("no recorded calls: set RAMP_TRACING_SHARED to the folder above them", allow_module_level=True)
pytest.importorskip("yaml", reason="the recorded calls are YAML")

# Recorded models grow old: the client says so of each.
pytestmark = [
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
    pytest.mark.filterwarnings("ignore::UserWarning"),
]

MADE: Final = [row for row in rows() if row.endpoint == "anthropic.messages"]
each: Final = pytest.mark.parametrize("row", MADE, ids=[row.name for row in MADE])


@pytest.fixture(autouse=True)
def nothing_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    """To the ids of answers every test is a new process."""
    monkeypatch.setattr(state, "seen", SeenIds())


@each
def test_sync(row: Row) -> None:
    """One record, which says what the answer says and nothing else; the application sees the same as without us."""
    with row.replay() as server, client_for(server) as client:
        without = finish(make(client, server))
    with row.replay() as server, client_for(server) as client, capture_generations() as generations:
        state.providers = {server.url.removeprefix("http://"): "anthropic"}
        assert without == finish(make(client, server))
        assert [] == server.unmatched
        [generation] = generations
    assert said_by_index(row) == said_by(generation)


@each
async def test_async(row: Row) -> None:
    """The same, asynchronous."""
    with row.replay() as server:
        async with async_client_for(server) as client:
            without = await finish_async(await make(client, server))
    with row.replay() as server, capture_generations() as generations:
        async with async_client_for(server) as client:
            state.providers = {server.url.removeprefix("http://"): "anthropic"}
            assert without == await finish_async(await make(client, server))
        [generation] = generations
    assert said_by_index(row) == said_by(generation)


def said_by_index(row: Row) -> Mapping[str, Any]:
    return {
        "model": row["model"],
        "response id": row["response_id"],
        "finish reasons": tuple(row["finish_reasons"].split(";")),
        "tool calls": int(row["tool_calls"] or 0),
        "streamed": row.is_stream,
        "reported cost": row["cost"] or None,
        "failed": row.status >= 400,
        **dict.fromkeys(COUNTS),
        **counts_of(row),
    }


def said_by(generation: Generation) -> Mapping[str, Any]:
    usage, cost, content = generation.usage, generation.cost, generation.content
    output: Any = content.output if content is not None else {}
    return {
        "model": generation.response_model,
        "response id": generation.response_id,
        "finish reasons": generation.finish_reasons,
        "tool calls": len(output.get("toolCalls", ())),
        "streamed": generation.streamed,
        "reported cost": cost.total if cost is not None and cost.source == "provider" else None,
        "failed": generation.failure is not None,
        **{column: getattr(usage, name) or None for column, name in COUNTS.items()},
    }
