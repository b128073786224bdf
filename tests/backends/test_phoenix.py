"""
A real Arize Phoenix, from its package: the calls of an application appear in it once, with tokens, money and tree.

What Phoenix makes of it by itself (its own cost, its sessions) is asked of Phoenix. docs/backends.md says the same.
"""

from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Final

import pytest

from ramp_tracing._loopback import Answer, LoopbackServer, Request
from ramp_tracing.cli._demo._models import ModelServers, model_servers
from ramp_tracing.testing import FakeRamp

from .running import Phoenix, opener, run_application, running_phoenix

if not all(map(find_spec, ("phoenix", "langchain_openai"))):
    pytest.skip("needs arize-phoenix and langchain-openai: nox -s backend installs them", allow_module_level=True)

pytestmark = [pytest.mark.timeout(900), pytest.mark.xdist_group("phoenix")]

CALLS: Final = {
    "chat gpt-4o": ("LLM", 6_310, 284),
    "chat gpt-4.1-mini": ("LLM", 738, 152),
    "embeddings text-embedding-3-small": ("EMBEDDING", 2_960, None),
    "chat gpt-4o-maxi": ("LLM", None, None),
    "chat anthropic/claude-sonnet-4.5": ("LLM", 3_120, 465),
    "chat house-model-7b": ("LLM", 220, 4),
    "chat gpt-4o-mini": ("LLM", 412, 96),
}
"""Name of a call's span → what Phoenix takes it for, and its tokens."""

PARENTS: Final = {
    "Invoice run": None,
    "read": "Invoice run",
    "chat gpt-4o": "read",
    "chat gpt-4.1-mini": "read",
    "embeddings text-embedding-3-small": "read",
    "chat gpt-4o-maxi": "read",
    "chat anthropic/claude-sonnet-4.5": None,
    "chat house-model-7b": None,
    "Policy desk": None,
    "ask": "Policy desk",
    "execute_tool look_up": "ask",
    "retrieval Shelf": "execute_tool look_up",
    "chat gpt-4o-mini": "Policy desk",
}
"""Every span, and the one above it."""

RECORDS: Final = len(CALLS) + 4
"""What is recorded: the calls, and the runs of LangChain; the two levels with names go with the calls."""

Spans = dict[str, dict[str, Any]]
"""By name."""


@pytest.fixture(scope="module")
def phoenix(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Phoenix]:
    with running_phoenix(tmp_path_factory.mktemp("phoenix")) as running:
        yield running


@pytest.fixture(scope="module")
def servers() -> Iterator[ModelServers]:
    with model_servers() as running:
        yield running


def elsewhere(url: str, project: str) -> dict[str, Any]:
    """What a user writes."""
    return {
        "base_url": url,
        "protocol": "http/protobuf",
        "dialect": "semconv",
        "headers": {"x-project-name": project},
    }


@pytest.fixture(scope="module")
def direct(phoenix: Phoenix, servers: ModelServers, tmp_path_factory: pytest.TempPathFactory) -> Spans:
    """The spans of an application that tells Phoenix and nobody else."""
    state = tmp_path_factory.mktemp("state")
    said = run_application(servers, state, elsewhere(phoenix.traces_url, "direct"))
    assert {"flushed": True, "acknowledged": RECORDS} == said
    return by_name(phoenix.spans("direct", len(PARENTS)))


def by_name(spans: list[dict[str, Any]]) -> Spans:
    """Each name is there once, so that nothing hides behind another."""
    assert sorted(PARENTS) == sorted(each["name"] for each in spans)
    return {each["name"]: each for each in spans}


def test_every_call_is_there_once_with_its_tokens(direct: Spans) -> None:
    """As Phoenix counts them: those of the prompt include what came from a cache."""
    keys = ("llm.token_count.prompt", "llm.token_count.completion")
    seen = {name: (direct[name]["span_kind"], *(direct[name]["attributes"].get(key) for key in keys)) for name in CALLS}
    assert CALLS == seen
    assert 5_632 == direct["chat gpt-4o"]["attributes"]["llm.token_count.prompt_details.cache_read"]


def test_the_tree_is_there(direct: Spans) -> None:
    """Levels with names above the calls of the client, and every run of LangChain's; one trace each."""
    names = {span["context"]["span_id"]: name for name, span in direct.items()}
    assert PARENTS == {name: names.get(span["parent_id"]) for name, span in direct.items()}
    for name, parent in PARENTS.items():
        if parent is not None:
            assert direct[parent]["context"]["trace_id"] == direct[name]["context"]["trace_id"]
    kinds = [direct[name]["span_kind"] for name in ("execute_tool look_up", "retrieval Shelf", "ask", "Invoice run")]
    assert ["TOOL", "RETRIEVER", "UNKNOWN", "UNKNOWN"] == kinds


def test_a_failure_says_so(direct: Spans) -> None:
    """With its status, its message and its exception; what went well has no status, as the conventions want it."""
    failed = direct["chat gpt-4o-maxi"]
    assert ("ERROR", "404", "error") == (
        failed["status_code"],
        failed["attributes"]["error.type"],
        failed["attributes"]["llm.finish_reason"],
    )
    assert "does not exist" in failed["status_message"]
    assert ["exception"] == [each["name"] for each in failed["events"]]
    assert {"UNSET"} == {span["status_code"] for name, span in direct.items() if span is not failed}


def test_content_is_shown_as_messages(direct: Spans) -> None:
    """Phoenix unpacks both sides of a conversation."""
    shown = direct["chat gpt-4o"]["attributes"]
    assert ("system", "Be brief.") == tuple(shown[f"llm.input_messages.0.message.{key}"] for key in ("role", "content"))
    assert "second approval" in shown["llm.output_messages.0.message.content"]
    assert {"temperature": 0.5, "max_tokens": 300}.items() <= {
        "temperature": shown["gen_ai.request.temperature"],
        "max_tokens": shown["gen_ai.request.max_tokens"],
    }.items()


def test_who_and_what_for(direct: Spans, phoenix: Phoenix) -> None:
    """User and metadata are attributes; sessions are Phoenix's own, also those that LangChain was told of."""
    users = {name: span["attributes"].get("user.id") for name, span in direct.items()}
    assert {"ada", "grace"} == set(users.values())
    assert "finance" == direct["embeddings text-embedding-3-small"]["attributes"]["trace.metadata.team"]
    sessions = phoenix.sessions("direct")
    assert {"s-1": 1, "s-2": 2, "s-3": 1} == {name: len(each["traces"]) for name, each in sessions.items()}
    assert 3_120 + 465 + 220 + 4 == sessions["s-2"]["token_count_total"]


def test_what_it_cost(direct: Spans, phoenix: Phoenix) -> None:
    """
    Our amounts stand among the attributes, and nothing stands there where nobody knows.

    Phoenix shows as cost what its own list of prices gives: nothing for what a router charged, nor for embeddings.
    """
    ours = {name: direct[name]["attributes"].get("gen_ai.usage.total_cost") for name in CALLS}
    assert 0.016335 == ours["chat anthropic/claude-sonnet-4.5"]
    assert "provider" == direct["chat anthropic/claude-sonnet-4.5"]["attributes"]["gen_ai.usage.cost.source"]
    assert {"chat house-model-7b", "chat gpt-4o-maxi"} == {name for name, amount in ours.items() if amount is None}
    theirs = phoenix.costs("direct")
    assert pytest.approx(ours["chat gpt-4o"], rel=0.5) == theirs["chat gpt-4o"]
    assert not theirs["embeddings text-embedding-3-small"]
    assert not theirs["chat house-model-7b"]
    levels = set(PARENTS) - set(CALLS)
    assert [] == [name for name in levels if any("usage" in key for key in direct[name]["attributes"])]


def test_beside_ramp(phoenix: Phoenix, servers: ModelServers, tmp_path: Path) -> None:
    """An exporter of OpenTelemetry's gives Phoenix the same spans under the same ids, while Ramp gets its dialect."""
    with FakeRamp(api_key="ramp-key") as ramp:
        said = run_application(
            servers,
            tmp_path,
            {"api_key": "ramp-key", "base_url": ramp.url},
            environment={
                "BACKEND_EXPORTER": phoenix.traces_url,
                "BACKEND_EXPORTER_HEADERS": '{"x-project-name": "beside"}',
            },
        )
        assert {"flushed": True, "acknowledged": RECORDS} == said
        told, calls = ramp.spans, ramp.generations
    beside = by_name(phoenix.spans("beside", len(PARENTS)))
    assert {each.span_id for each in told} == {span["context"]["span_id"] for span in beside.values()}
    assert len(CALLS) == len(calls)
    assert 5 == len([each for each in calls if "gen_ai.completion" in each.attributes])
    by_id = {span["context"]["span_id"]: span["attributes"] for span in beside.values()}
    for call in calls:
        cost = call.attributes.get("gen_ai.usage.total_cost")
        shown = by_id[call.span_id].get("gen_ai.usage.total_cost")
        assert (None if cost is None else pytest.approx(float(str(cost)))) == shown


def test_a_lost_answer_makes_no_second_call(phoenix: Phoenix, servers: ModelServers, tmp_path: Path) -> None:
    """What is sent again has the same ids, by which Phoenix knows it."""
    relay = Relay(phoenix.traces_url)
    with LoopbackServer(relay.answer) as between:
        options = elsewhere(f"{between.url}/v1/traces", "again")
        said = run_application(servers, tmp_path, options, calls="openai openrouter")
        first, second, *_ = between.requests
    assert {"flushed": True, "acknowledged": 6} == said
    assert (first.body, first.headers["idempotency-key"]) == (second.body, second.headers["idempotency-key"])
    spans = phoenix.spans("again", 8)
    assert 8 == len(spans) == len({each["context"]["span_id"] for each in spans})


class Relay:
    """Stands before Phoenix, and loses its first answer."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._asked = 0

    def answer(self, request: Request) -> Answer:
        self._asked += 1
        headers = {"x-project-name": request.headers["x-project-name"]}
        with opener(self._url, request.body, request.headers["content-type"], **headers) as answer:
            body = answer.read()
        if self._asked == 1:
            return Answer(status=503, headers={}, body=b"")
        return Answer(status=200, headers={"Content-Type": "application/x-protobuf"}, body=body)
