"""Paid work that goes on after its call: one generation under one id, settled once, however often it is asked for."""

import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import openai
import pytest

import ramp_tracing
from ramp_tracing._captured import capture_generations
from ramp_tracing._loopback import Answer, Request, json_answer
from ramp_tracing._record import (
    UNKNOWN_JOB,
    Attribution,
    Generation,
    GenerationId,
    JobNote,
    Recorded,
    Timing,
    UnixNanos,
    whole,
)
from ramp_tracing._state import HeldBack, Hold, state

from .colours import Colour
from .endpoints import RESPONSE_ID, response, response_events
from .provider import Provider, completion, stream
from .scenarios import skip_without

INPUT: Mapping[str, Any] = {"model": "gpt-4o", "input": "Hello?", "background": True}
BATCH: Mapping[str, Any] = {
    "id": "batch_68af4030592c8193",
    "object": "batch",
    "endpoint": "/v1/chat/completions",
    "input_file_id": "file-abc123",
    "completion_window": "24h",
    "created_at": 1767225600,
}
BATCH_USAGE: Mapping[str, Any] = {
    "input_tokens": 1000,
    "input_tokens_details": {"cached_tokens": 0},
    "output_tokens": 500,
    "output_tokens_details": {"reasoning_tokens": 0},
    "total_tokens": 1500,
}
VIDEO: Mapping[str, Any] = {
    "id": "video_68af4030592c8193",
    "object": "video",
    "model": "sora-2",
    "progress": 0,
    "created_at": 1767225600,
    "seconds": "4",
    "size": "720x1280",
}


class Ledger:
    """A sink that keeps every record as it came, also several of one job."""

    keeps_content = True

    def __init__(self) -> None:
        self.records: list[Generation] = []
        self.notes: dict[str, JobNote] = {}

    def record(self, recorded: Recorded) -> None:
        self.records.append(whole(recorded))

    def hold(self, recorded: Recorded) -> Hold:
        return HeldBack(self.record, recorded)

    def job(self, job: str) -> JobNote:
        return self.notes.get(job, UNKNOWN_JOB)

    def stand_by(self) -> None:
        """Nothing to prepare."""

    def defer(self, finish: Callable[[], None]) -> None:
        finish()

    @property
    def story(self) -> list[tuple[str, bool, int | None, str | None]]:
        """(id, whether pending, input tokens, user) of each record."""
        return [(each.id, each.pending, each.usage.input_tokens, each.attribution.user) for each in self.records]


@contextmanager
def ledger() -> Iterator[Ledger]:
    with capture_generations():
        kept = Ledger()
        state.sink = kept
        yield kept


@dataclass
class Job:
    """A job on the server: what its creation answers, then what each look at it does; the last one for ever."""

    created: Mapping[str, Any]
    looks: list[Mapping[str, Any]]
    events: list[dict[str, Any]] = field(default_factory=list)

    def __call__(self, request: Request) -> Answer:
        """The answer; streamed if that is asked for."""
        if request.method == "POST" and not request.path.endswith("cancel"):
            wants_stream = b'"stream":true' in request.body.replace(b" ", b"")
            return stream(self.events, named=True, done=False) if wants_stream else json_answer(self.created)
        if "stream=true" in request.query:
            return stream(self.events, named=True, done=False)
        return json_answer(self.looks.pop(0) if len(self.looks) > 1 else self.looks[0])


def background(status: str = "completed", **fields: Any) -> Job:
    """A background response that is looked at while it runs, and then stays as it is."""
    return Job(
        created=response("queued", background=True),
        looks=[response("in_progress", background=True), response(status, background=True, **fields)],
        events=response_events(background=True),
    )


def retrieved(colour: Colour, client: Any) -> None:
    colour.wait(client.responses.retrieve(RESPONSE_ID))


def retrieved_raw(colour: Colour, client: Any) -> None:
    colour.wait(client.responses.with_raw_response.retrieve(RESPONSE_ID))


def retrieved_lazily(colour: Colour, client: Any) -> None:
    with colour.entered(client.responses.with_streaming_response.retrieve(RESPONSE_ID)) as lazy:
        colour.wait(lazy.parse())


def resumed(colour: Colour, client: Any) -> None:
    colour.items(colour.wait(client.responses.retrieve(RESPONSE_ID, stream=True)))


def cancelled(colour: Colour, client: Any) -> None:
    colour.wait(client.responses.cancel(RESPONSE_ID))


def created(colour: Colour, client: Any) -> None:
    colour.wait(client.responses.create(**INPUT))


def created_lazily(colour: Colour, client: Any) -> None:
    with colour.entered(client.responses.with_streaming_response.create(**INPUT)) as lazy:
        colour.wait(lazy.parse())


def streamed_and_left(colour: Colour, client: Any) -> None:
    with colour.entered(colour.wait(client.responses.create(**INPUT, stream=True))) as events:
        colour.take(events, 4)


def streamed(colour: Colour, client: Any) -> None:
    colour.items(colour.wait(client.responses.create(**INPUT, stream=True)))


PENDING = (RESPONSE_ID, True, None, "ada")
SETTLED = (RESPONSE_ID, False, 10, "ada")
Step = Callable[[Colour, Any], None]

STORIES: Mapping[str, tuple[Step, list[Step], list[Any]]] = {
    "polled": (created, [retrieved] * 4, [PENDING, SETTLED]),
    "polled raw": (created, [retrieved_raw] * 3, [PENDING, SETTLED]),
    "polled lazily": (created, [retrieved_lazily] * 3, [PENDING, SETTLED]),
    "polled in every way": (created, [retrieved, retrieved_raw, retrieved_lazily, resumed], [PENDING, SETTLED]),
    "created lazily": (created_lazily, [retrieved] * 3, [PENDING, SETTLED]),
    "streamed to its end": (streamed, [retrieved] * 3, [SETTLED]),
    "streamed, left, polled": (streamed_and_left, [retrieved] * 3, [PENDING, SETTLED]),
    "streamed, left, resumed": (streamed_and_left, [resumed] * 2, [PENDING, SETTLED]),
    "cancelled": (created, [cancelled, cancelled, retrieved], [PENDING, SETTLED]),
    "never looked at": (created, [], [PENDING]),
}


@pytest.mark.parametrize("name", STORIES)
def test_a_background_response_is_bought_once(name: str, colour: Colour) -> None:
    """It is pending when it is made; whoever first sees its end settles it for the one who made it."""
    create, looks, expected = STORIES[name]
    with Provider(background()) as provider, ledger() as records:
        client = colour.client(provider.base_url)
        with ramp_tracing.trace(user="ada"):
            create(colour, client)
        with ramp_tracing.trace(user="poller"):
            for look in looks:
                look(colour, client)
    assert expected == records.story


@pytest.mark.parametrize("look", [retrieved, retrieved_raw, retrieved_lazily, resumed])
def test_a_response_that_another_process_made_is_settled_here(look: Step, colour: Colour) -> None:
    """Only this process sees its usage: it is recorded once, for whoever asks."""
    job = background()
    job.looks.pop(0)
    with Provider(job) as provider, ledger() as records:
        client = colour.client(provider.base_url)
        with ramp_tracing.trace(user="poller"):
            for _ in range(2):
                look(colour, client)
    assert [(RESPONSE_ID, False, 10, "poller")] == records.story


@pytest.mark.parametrize("look", [retrieved, retrieved_raw, retrieved_lazily])
def test_an_ordinary_response_that_is_fetched_again_costs_nothing(look: Step, colour: Colour) -> None:
    """It was recorded when it was made, here or elsewhere."""
    job = Job(created=response(), looks=[response()])
    with Provider(job) as provider, ledger() as records:
        client = colour.client(provider.base_url)
        look(colour, client)
        created(colour, client)
        look(colour, client)
    assert [(RESPONSE_ID, False, 10, None)] == records.story


def test_a_background_response_that_fails_is_a_failure(colour: Colour) -> None:
    """Its error is in the settled record, with what it used until then."""
    job = background("failed", error={"code": "server_error", "message": "No."})
    with Provider(job) as provider, ledger() as records:
        client = colour.client(provider.base_url)
        for step in (created, retrieved, retrieved, retrieved):
            step(colour, client)
    assert [None, "server_error"] == [each.failure and each.failure.code for each in records.records]
    assert [True, False] == [each.pending for each in records.records]


def test_looking_for_what_does_not_exist_is_no_record(colour: Colour) -> None:
    """A failed look at a job is not a generation that failed."""
    missing = json_answer({"error": {"message": "No."}}, status=404)
    with Provider(missing) as provider, ledger() as records, pytest.raises(openai.NotFoundError):
        retrieved(colour, colour.client(provider.base_url))
    assert [] == records.story


def test_a_batch_is_bought_once(colour: Colour) -> None:
    """Its usage comes when it has ended, and counts once."""
    done = {**BATCH, "status": "completed", "usage": dict(BATCH_USAGE)}
    job = Job(created={**BATCH, "status": "validating"}, looks=[{**BATCH, "status": "in_progress"}, done])
    with Provider(job) as provider, ledger() as records:
        batches = colour.client(provider.base_url).batches
        with ramp_tracing.trace(user="ada"):
            colour.wait(
                batches.create(input_file_id="file-abc123", endpoint="/v1/chat/completions", completion_window="24h")
            )
        for _ in range(3):
            colour.wait(batches.retrieve(BATCH["id"]))
    assert [(BATCH["id"], True, None, "ada"), (BATCH["id"], False, 1000, "ada")] == records.story
    assert [("batch", "completed")] == [(each.operation, *each.finish_reasons) for each in records.records[1:]]


@pytest.mark.filterwarnings("ignore:The Sora API:DeprecationWarning")
@pytest.mark.parametrize("name", ["create", "remix"])
def test_a_video_is_bought_once(name: str, colour: Colour) -> None:
    """It reports no tokens; that there is one, and which model made it, is known."""
    arguments: Mapping[str, Mapping[str, Any]] = {
        "create": {"model": "sora-2", "prompt": "A cat."},
        "remix": {"video_id": "video_of_before", "prompt": "A dog."},
    }
    job = Job(
        created={**VIDEO, "status": "queued"},
        looks=[{**VIDEO, "status": "in_progress"}, {**VIDEO, "status": "completed", "progress": 100}],
    )
    with Provider(job) as provider, ledger() as records:
        client = colour.client(provider.base_url)
        skip_without("videos", client)
        with ramp_tracing.trace(user="ada"):
            colour.wait(getattr(client.videos, name)(**arguments[name]))
        for _ in range(3):
            colour.wait(client.videos.retrieve(VIDEO["id"]))
    assert [(VIDEO["id"], True, None, "ada"), (VIDEO["id"], False, None, "ada")] == records.story
    assert {("video_generation", "sora-2")} == {(each.operation, each.response_model) for each in records.records}


OTHERS: Mapping[str, Any] = {**BATCH, "id": "batch_of_somebody_else", "status": "completed", "usage": dict(BATCH_USAGE)}
DONE: Mapping[str, Any] = {**BATCH, "status": "completed", "usage": dict(BATCH_USAGE)}


def page(*jobs: Mapping[str, Any]) -> Mapping[str, Any]:
    return {"object": "list", "data": list(jobs), "has_more": False, "first_id": None, "last_id": None}


def listed(colour: Colour, client: Any) -> None:
    colour.wait(client.batches.list(limit=20))


def listed_raw(colour: Colour, client: Any) -> None:
    colour.wait(client.batches.with_raw_response.list())


def listed_lazily(colour: Colour, client: Any) -> None:
    with colour.entered(client.batches.with_streaming_response.list()) as lazy:
        colour.wait(lazy.json())


@pytest.mark.parametrize("look", [listed, listed_raw, listed_lazily])
def test_a_list_settles_what_was_created_here(look: Step, colour: Colour) -> None:
    """It shows the jobs of a whole project; those of others are not for whoever lists them."""
    job = Job(
        created={**BATCH, "status": "validating"},
        looks=[page(OTHERS, {**BATCH, "status": "in_progress"}), page(OTHERS, DONE)],
    )
    with Provider(job) as provider, ledger() as records:
        client = colour.client(provider.base_url)
        with ramp_tracing.trace(user="ada"):
            colour.wait(
                client.batches.create(
                    input_file_id="file-abc123", endpoint="/v1/chat/completions", completion_window="24h"
                )
            )
        for _ in range(3):
            look(colour, client)
    assert [(BATCH["id"], True, None, "ada"), (BATCH["id"], False, 1000, "ada")] == records.story


def test_a_list_settles_what_another_process_created(colour: Colour) -> None:
    """It is for the one who created it, as the note says."""
    job = Job(created={}, looks=[page(OTHERS, DONE)])
    begun = Generation(
        id=GenerationId(BATCH["id"]),
        operation="batch",
        library="litellm",
        timing=Timing(started=UnixNanos(10**18), ended=UnixNanos(10**18)),
        attribution=Attribution(user="ada"),
        pending=True,
        job=True,
    )
    with Provider(job) as provider, ledger() as records, ramp_tracing.trace(user="poller"):
        records.notes[BATCH["id"]] = JobNote(created=begun)
        client = colour.client(provider.base_url)
        for _ in range(3):
            listed(colour, client)
        records.notes[BATCH["id"]] = JobNote(settled=True)
    assert [(BATCH["id"], False, 1000, "ada")] == records.story
    assert [("litellm", 10**18)] == [(each.library, each.timing.started) for each in records.records]


def test_what_another_process_has_settled_is_settled(colour: Colour) -> None:
    """Nobody reports it a second time."""
    with Provider(background()) as provider, ledger() as records:
        client = colour.client(provider.base_url)
        created(colour, client)
        records.notes[RESPONSE_ID] = JobNote(settled=True)
        for _ in range(3):
            retrieved(colour, client)
    assert [(RESPONSE_ID, True, None, None)] == records.story
    assert {} == state.jobs


@pytest.mark.parametrize("create", [created, streamed])
def test_a_job_is_marked_as_one(create: Step, colour: Colour) -> None:
    """Also if its end comes with the answer: others who ask for it later must know that it is settled."""
    job = Job(created=response(background=True), looks=[], events=response_events(background=True))
    with Provider(job) as provider, ledger() as records:
        create(colour, colour.client(provider.base_url))
    assert [(RESPONSE_ID, False, True)] == [(each.id, each.pending, each.job) for each in records.records]


@pytest.mark.filterwarnings("ignore:The Sora API:DeprecationWarning")
def test_a_video_that_is_created_and_polled(colour: Colour) -> None:
    """By the client's own loop."""
    job = Job(
        created={**VIDEO, "status": "queued"},
        looks=[{**VIDEO, "status": "in_progress"}, {**VIDEO, "status": "completed", "progress": 100}],
    )
    with Provider(job) as provider, ledger() as records:
        client = colour.client(provider.base_url)
        skip_without("videos", client)
        colour.wait(client.videos.create_and_poll(model="sora-2", prompt="A cat.", poll_interval_ms=1))
    assert [(VIDEO["id"], True), (VIDEO["id"], False)] == [(each.id, each.pending) for each in records.records]


@pytest.mark.parametrize("status", ["failed", "expired", "cancelled"])
def test_a_batch_that_comes_to_another_end(status: str, colour: Colour) -> None:
    """What was done until then is paid for; it ended when the provider says that it did."""
    end = {**BATCH, "status": status, f"{status}_at": 1767225660, "usage": dict(BATCH_USAGE)}
    with Provider(Job(created={}, looks=[end])) as provider, ledger() as records:
        for _ in range(2):
            colour.wait(colour.client(provider.base_url).batches.retrieve(BATCH["id"]))
    [each] = records.records
    assert (each.id, each.finish_reasons, each.usage.input_tokens) == (BATCH["id"], (status,), 1000)
    assert (each.service_tier, each.operation, each.failure is not None) == ("batch", "batch", status == "failed")
    assert (each.timing.started, each.timing.ended) == (1767225600 * 10**9, 1767225660 * 10**9)


def answered(body: Mapping[str, Any], *, status: int = 200) -> str:
    return json.dumps({"id": "batch_req_1", "custom_id": "1", "response": {"status_code": status, "body": body}})


LINES = "\n".join(
    [
        answered(completion()),
        answered(completion()),
        answered({"error": {"message": "No.", "code": "x"}}, status=400),
        answered(response(model="gpt-4o-2024-08-06")),
        "",
    ]
)


def fetched(colour: Colour, client: Any) -> bytes:
    content: bytes = colour.wait(client.files.content("file-out")).content
    return content


def fetched_raw(colour: Colour, client: Any) -> bytes:
    content: bytes = colour.wait(client.files.with_raw_response.content("file-out")).content
    return content


@pytest.mark.parametrize("fetch", [fetched, fetched_raw])
def test_a_batch_that_does_not_say_what_it_used(fetch: Callable[[Colour, Any], bytes], colour: Colour) -> None:
    """The file of its answers does, when the application fetches it; other files are none of our business."""
    end = {**BATCH, "status": "completed", "output_file_id": "file-out"}
    files = Answer(headers={"Content-Type": "application/octet-stream"}, body=LINES.encode())
    job = Job(created={**BATCH, "status": "validating"}, looks=[end])
    with Provider(job, scripts={"/content": files}) as provider, ledger() as records:
        client = colour.client(provider.base_url)
        with ramp_tracing.trace(user="ada"):
            colour.wait(
                client.batches.create(
                    input_file_id="file-abc123", endpoint="/v1/chat/completions", completion_window="24h"
                )
            )
        fetch(colour, client)
        colour.wait(client.batches.retrieve(BATCH["id"]))
        assert [LINES.encode()] * 2 == [fetch(colour, client) for _ in range(2)]
    assert records.story == [
        (BATCH["id"], True, None, "ada"),
        (BATCH["id"], False, None, "ada"),
        (BATCH["id"], False, 30, "ada"),
    ]
    last = records.records[-1]
    assert ("gpt-4o-2024-08-06", 15, 45) == (last.response_model, last.usage.output_tokens, last.usage.total_tokens)


def test_what_jobs_were_asked_for_is_bounded(provider: Provider, monkeypatch: pytest.MonkeyPatch) -> None:
    """They may end in another process: a webhook's, say. The prompts of the oldest go, and nothing else of them."""
    monkeypatch.setattr("ramp_tracing.integrations._endings.MAX_ASKED_BYTES", 2_500)
    ids = [f"resp_{number:032x}" for number in range(3)]
    begun = [json_answer({**response("queued", background=True), "id": each}) for each in ids]
    ended = [json_answer({**response("completed", background=True), "id": each}) for each in ids]
    looks = {f"/responses/{each}": (lambda _, answer=answer: answer) for each, answer in zip(ids, ended, strict=True)}
    provider.answer_with({"/responses": lambda _: begun.pop(0), **looks})
    with openai.OpenAI(base_url=provider.base_url, api_key="none", max_retries=0) as client, ledger() as kept:
        for _ in ids:
            client.responses.create(**{**INPUT, "input": "x" * 1_000}, user="ada")
        for each in ids:
            client.responses.retrieve(each)
    contents = [(each.pending, each.content is not None and each.content.input is not None) for each in kept.records]
    assert contents == [*[(True, True)] * 3, (False, False), (False, True), (False, True)]
    assert {"ada"} == {each.attribution.user for each in kept.records}
