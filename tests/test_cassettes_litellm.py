"""
Recorded calls of providers that are not OpenAI, made again through LiteLLM over real HTTP.

The recordings are not a part of this repository; where they are missing these tests are skipped.
"""

import importlib
import time
from collections.abc import Mapping
from contextlib import nullcontext
from typing import Any, Final
from unittest.mock import ANY

import pytest

from ramp_tracing import _layers
from ramp_tracing._identity import SeenIds
from ramp_tracing._providers import AT_HOME
from ramp_tracing._record import Generation
from ramp_tracing._state import state
from ramp_tracing.testing import capture_generations
from tests.cassettes.litellm_calls import COUNTS, PREFIXES, PROVIDERS, arguments_of, cost_of, counts_of
from tests.cassettes.shelf import INDEX, Row, rows
from tests.integrations.litellm_calls import litellm

if not INDEX.exists():
    pytest.skip("no recorded calls: set RAMP_TRACING_SHARED to the folder above them", allow_module_level=True)
pytest.importorskip("yaml", reason="the recorded calls are YAML")

pytestmark = [pytest.mark.filterwarnings("ignore")]

MADE: Final = [row for row in rows() if (row.provider, row.endpoint) in PREFIXES]

DIFFERENCES: Final[Mapping[str, Mapping[str, Any]]] = {
    # LiteLLM (1.108, 1.110) cannot read the `event:` lines of Cohere's second API and raises: a failure, and no counts.
    "openllmetry/cohere/test_chat/test_cohere_v2_chat_legacy_with_streaming.yaml[0]": {
        "failed": True,
        "prompt_tokens": None,
        "completion_tokens": None,
    },
    # Recorded from a client that asks for one JSON array. LiteLLM asks for events, finds none, and says nothing at all.
    "openinference/langchain/test_instrumentor/test_gemini_token_counts_streaming.yaml[0]": {
        "failed": True,
        "prompt_tokens": None,
        "completion_tokens": None,
        "reasoning_tokens": None,
        "raises": False,
    },
    # The server reported no usage. LiteLLM 1.110 has counted itself, and the record says so; 1.108 has not.
    "openllmetry/langchain/test_llms/test_trace_propagation_stream[ChatOpenAI].yaml[0]": {
        "prompt_tokens": ANY,
        "completion_tokens": ANY,
        "estimated": ANY,
    },
    # Cloudflare answers with an object where a text belongs; LiteLLM cannot read it and raises. It was billed.
    **{
        f"chatlas/test_provider_cloudflare/test_cloudflare_data_extraction.yaml[{n}]": {"failed": True}
        for n in range(3)
    },
}
"""Where a record rightly says something else than the index."""


@pytest.fixture(autouse=True)
def nothing_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(state, "seen", SeenIds())
    # Google's own library would ask Google for a token.
    google = importlib.import_module("litellm.llms.vertex_ai.vertex_llm_base").VertexBase
    monkeypatch.setattr(google, "_ensure_access_token", lambda *args, **kwargs: ("test", "test-project"))


@pytest.mark.parametrize("row", MADE, ids=[row.name for row in MADE])
def test_recorded(row: Row) -> None:
    """One record, with the tokens and the cost that the answer reports."""
    if row.provider == "bedrock":
        pytest.importorskip("boto3")
    with row.replay() as server, capture_generations() as generations:
        function, arguments = arguments_of(row, server)
        expected = {**said_by_index(row), **DIFFERENCES.get(row.name, {})}
        make(function, arguments, fails=expected.pop("raises", expected["failed"]))
        found = waited(generations)
    assert 1 == len(found), found
    [generation] = found
    assert expected == {key: value for key, value in said_by(generation).items() if key in expected}


def make(function: str, arguments: Mapping[str, Any], *, fails: bool) -> None:
    with pytest.raises(Exception, match=r".") if fails else nullcontext():
        answer = getattr(litellm, function)(**arguments)
        if arguments.get("stream"):
            list(answer)


def waited(generations: Any) -> list[Generation]:
    until = time.monotonic() + 60
    while time.monotonic() < until and not generations:
        time.sleep(0.02)
    time.sleep(0.2)
    _layers.release()
    return list(generations)


def said_by_index(row: Row) -> dict[str, Any]:
    said: dict[str, Any] = {"failed": row.status >= 400, **counts_of(row)}
    if cost_of(row) is not None:
        said["cost"] = cost_of(row)
    named = PROVIDERS.get(row.provider, row.provider)
    is_anybody = PREFIXES[row.provider, row.endpoint] == "openai/" or named in AT_HOME  # at an address on loopback
    return {**said, "provider": None if is_anybody else named, "estimated": False}


def said_by(generation: Generation) -> dict[str, Any]:
    usage, cost = generation.usage, generation.cost
    return {
        "failed": generation.failure is not None,
        **{column: getattr(usage, name) for column, name in COUNTS.items()},
        "cost": None if cost is None else cost.total,
        "provider": generation.provider,
        "estimated": usage.estimated,
    }
