"""No money is added up twice: the receiver keeps one row for each id, and a later one replaces the earlier."""

import json
import subprocess
import sys
import textwrap
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from decimal import Decimal
from pathlib import Path
from typing import Any, Final

import pytest

import ramp_tracing
from ramp_tracing._identity import SeenIds
from ramp_tracing._loopback import Answer, Request, json_answer
from ramp_tracing._state import state
from ramp_tracing.testing import FakeRamp, ReceivedSpan
from tests.integrations.provider import Provider, completion

openai = pytest.importorskip("openai")

HELLO: Final[Mapping[str, Any]] = {"model": "gpt-4o", "messages": [{"role": "user", "content": "Hello?"}]}
COST: Final = Decimal("0.25")
PAID: Final = completion(usage={"prompt_tokens": 10, "completion_tokens": 5, "total_tokens": 15, "cost": 0.25})

BATCH: Final[Mapping[str, Any]] = {
    "id": "batch_68af4030592c8193",
    "object": "batch",
    "endpoint": "/v1/chat/completions",
    "input_file_id": "file-abc123",
    "completion_window": "24h",
    "created_at": int(time.time()) - 60,  # the bundled list does not say what a batch cost on earlier days
    "status": "completed",
    "model": "gpt-4o-2024-08-06",
    "usage": {
        "input_tokens": 1000, "input_tokens_details": {"cached_tokens": 0},
        "output_tokens": 500, "output_tokens_details": {"reasoning_tokens": 0}, "total_tokens": 1500,
    },
}  # fmt: skip


@pytest.fixture(autouse=True)
def a_new_process(monkeypatch: pytest.MonkeyPatch) -> None:
    """No id was seen before."""
    monkeypatch.setattr(state, "seen", SeenIds())
    monkeypatch.setattr(state, "jobs", {})


@contextmanager
def reporting(ramp: FakeRamp, state_dir: Path, **options: Any) -> Iterator[None]:
    """Report to *ramp*."""
    ramp_tracing.instrument("openai", api_key="test", base_url=ramp.url, state_dir=str(state_dir), **options)
    try:
        yield
    finally:
        ramp_tracing.uninstrument()


def spent(spans: list[ReceivedSpan]) -> dict[str, Decimal]:
    """What the receiver has booked, by id; it keeps the last record of each, as Ramp does."""
    assert len(spans) == len({span.attributes["gen_ai.response.id"] for span in spans})
    amounts = {str(span.attributes["gen_ai.response.id"]): span.attributes.get(TOTAL) for span in spans}
    return {key: Decimal(str(amount)) for key, amount in amounts.items() if amount is not None}


TOTAL: Final = "gen_ai.usage.total_cost"


def ask(provider: Provider, **options: Any) -> None:
    """One call."""
    with openai.OpenAI(base_url=provider.base_url, api_key="test", **options) as client:
        client.chat.completions.create(**HELLO)


def test_own_prices_reach_the_receiver(tmp_path: Path) -> None:
    """A table given at set-up prices a model that nobody lists, at a host that nobody knows."""
    prices = {"prices": [{"model": "gpt-4o*", "input": 1, "output": 2}]}
    with FakeRamp(api_key="test") as ramp, Provider() as provider:
        with reporting(ramp, tmp_path, prices=prices):
            ask(provider)
            assert ramp_tracing.flush(30)
        [span] = ramp.generations
    # ten at 1 and five at 2 USD a million
    assert Decimal("0.00002") == span.attributes[TOTAL]
    assert ("custom", "own prices") == tuple(span.attributes[f"ramp.cost.{name}"] for name in ("source", "price_list"))


def test_a_retry_of_ours(tmp_path: Path) -> None:
    """A receiver that keeps a record and then fails gets it again under the same id, with the same amount."""
    kept: list[Request] = []

    def keep_and_fail(request: Request) -> Answer:
        kept.append(request)
        return Answer(status=503, headers={"Retry-After": "0"})

    with FakeRamp(api_key="test") as ramp, Provider(json_answer(PAID)) as provider:
        ramp.answer_with(keep_and_fail, times=1)
        with reporting(ramp, tmp_path):
            ask(provider)
            assert ramp_tracing.flush(30)
        assert 1 == len(kept)
        assert kept[0].body == ramp.requests[-1].body
        assert {PAID["id"]: COST} == spent(ramp.generations)


def test_a_retry_of_the_client(tmp_path: Path) -> None:
    """A call that the client tried three times was answered, and billed, once."""
    answers = [Answer(status=500), Answer(status=429, headers={"Retry-After": "0"}), json_answer(PAID)]
    with FakeRamp(api_key="test") as ramp, Provider(lambda _: answers.pop(0)) as provider:
        with reporting(ramp, tmp_path):
            ask(provider, max_retries=3)
            assert ramp_tracing.flush(30)
        assert {PAID["id"]: COST} == spent(ramp.generations)
        assert 1 == len(ramp.generations)


def test_an_answer_out_of_a_cache(tmp_path: Path) -> None:
    """Two calls with the same answer are two generations with ids of their own: neither replaces the other."""
    with FakeRamp(api_key="test") as ramp, Provider(json_answer(PAID)) as provider:
        with reporting(ramp, tmp_path):
            ask(provider)
            ask(provider)
            assert ramp_tracing.flush(30)
        first, second = ramp.generations
        assert [COST, COST] == list(spent(ramp.generations).values())
        assert PAID["id"] == second.attributes["trace.metadata.provider_response_id"]
        assert first.span_id != second.span_id


def test_after_a_restart(tmp_path: Path) -> None:
    """What a receiver took without saying so is sent again by the next start, under the same id."""
    with FakeRamp(api_key="test") as ramp, Provider(json_answer(PAID)) as provider:
        ramp.answer_with(lambda _: Answer(status=503, headers={"Retry-After": "120"}))
        with reporting(ramp, tmp_path, exit_timeout_seconds=0.1):
            ask(provider)
            ramp_tracing.flush(0.5)
        before = list(ramp.requests)
        ramp.answer_normally()
        with reporting(ramp, tmp_path):
            ramp.wait_for(1, 60)
            assert ramp_tracing.flush(30)
        assert {PAID["id"]: COST} == spent(ramp.generations)
        assert {id_in(request) for request in before} <= {PAID["id"]}


def id_in(request: Request) -> object:
    """The id in a request of one record."""
    [span] = json.loads(request.body)["resourceSpans"][0]["scopeSpans"][0]["spans"]
    return next(each["value"]["stringValue"] for each in span["attributes"] if each["key"] == "gen_ai.response.id")


LOOK: Final = """
    import sys
    import openai, ramp_tracing
    ramp_url, provider_url, state_dir = sys.argv[1:]
    ramp_tracing.instrument(
        "openai", api_key="test", base_url=ramp_url, state_dir=state_dir, providers={"127.0.0.1": "openai"}
    )
    client = openai.OpenAI(base_url=provider_url, api_key="test", max_retries=0)
    for _ in range(3):
        client.batches.retrieve("batch_68af4030592c8193")
    assert ramp_tracing.flush(30)
"""


def test_two_processes_that_look_at_one_job(tmp_path: Path) -> None:
    """Each reports the batch at its end, under the job's own id and at the batch price: it is booked once."""
    source = str(Path(ramp_tracing.__file__).parents[1])
    program = f"import sys; sys.path.insert(0, {source!r})\n{textwrap.dedent(LOOK)}"
    with FakeRamp(api_key="test") as ramp, Provider(json_answer(BATCH)) as provider:
        looking = [
            subprocess.Popen([
                sys.executable, "-c", program, ramp.url, provider.base_url,
                str(tmp_path / f"machine-{number}"),
            ])
            for number in range(2)
        ]  # fmt: skip
        try:
            assert [0, 0] == [process.wait(120) for process in looking]
        finally:
            for process in looking:
                process.kill()
                process.wait()
        assert {BATCH["id"]} == {id_in(request) for request in ramp.requests}
        assert 2 == len(ramp.requests)
        # a thousand at 1.25 and five hundred at 5 USD a million
        assert {BATCH["id"]: Decimal("0.00375")} == spent(ramp.generations)


def test_a_job_that_is_settled(tmp_path: Path) -> None:
    """While it is pending a job has no cost; its end replaces that record."""
    pending = {**BATCH, "status": "in_progress", "usage": None, "model": None}
    answers = [json_answer(pending), json_answer(pending), json_answer(BATCH), json_answer(BATCH)]
    with FakeRamp(api_key="test") as ramp, Provider(lambda _: answers.pop(0)) as provider:
        with reporting(ramp, tmp_path, providers={"127.0.0.1": "openai"}):
            with openai.OpenAI(base_url=provider.base_url, api_key="test") as client:
                client.batches.create(
                    input_file_id="file-abc123", endpoint="/v1/chat/completions", completion_window="24h"
                )
                for _ in range(3):
                    client.batches.retrieve(BATCH["id"])
            assert ramp_tracing.flush(30)
        assert {BATCH["id"]: Decimal("0.00375")} == spent(ramp.generations)
