"""Paid work that ends later: batches and videos."""

from decimal import Decimal
from typing import Any, Final

import pytest

from ramp_tracing._normalizers import JOBS, PAGES, read_output
from ramp_tracing._record import Failure, Outcome, UnixNanos, Usage

from .cases import Case, Types, each, from_client, from_json, plain

BATCH: Final = "batch_68f1a2b3c4d5e6f708192a3b"
VIDEO: Final = "video_68f1a2b3c4d5e6f708192a3c"

CREATED: Final = UnixNanos(1767312000 * 10**9)
READ_NOTHING: Final = Outcome(complete=False)
OF_A_BATCH: Final[Any] = {"job": True, "service_tier": "batch", "created": CREATED}
OF_A_VIDEO: Final[Any] = {"job": True, "created": CREATED}

BATCHES: Final = (
    Case(
        payload="jobs/batch-validating.json",
        shows="a batch that has begun",
        outcome=Outcome(response_id=BATCH, pending=True, **OF_A_BATCH),
    ),
    Case(
        payload="jobs/batch-completed.json",
        shows="the usage of all its requests",
        outcome=Outcome(
            response_id=BATCH,
            response_model="gpt-5-mini-2025-08-07",
            finish_reasons=("completed",),
            usage=Usage(
                input_tokens=20000,
                output_tokens=3000,
                total_tokens=23000,
                cache_read_tokens=4096,
                reasoning_tokens=1200,
            ),
            ended=UnixNanos(1767315600 * 10**9),
            **OF_A_BATCH,
        ),
    ),
    Case(
        payload="jobs/batch-expired.json",
        shows="what was done before it expired is paid for",
        outcome=Outcome(
            response_id=BATCH,
            response_model="gpt-5-mini-2025-08-07",
            finish_reasons=("expired",),
            usage=Usage(input_tokens=500, output_tokens=40, total_tokens=540, cache_read_tokens=0, reasoning_tokens=0),
            ended=UnixNanos(1767398400 * 10**9),
            **OF_A_BATCH,
        ),
    ),
    Case(
        payload="jobs/batch-failed.json",
        shows="the first of the errors in its file",
        outcome=Outcome(
            response_id=BATCH,
            finish_reasons=("failed",),
            failure=Failure(type="error", message="Line 3 is no JSON.", code="invalid_json_line"),
            ended=UnixNanos(1767312060 * 10**9),
            **OF_A_BATCH,
        ),
    ),
    Case(
        payload="jobs/batch-failed-silently.json",
        shows="a batch that does not say why it failed",
        outcome=Outcome(response_id=BATCH, finish_reasons=("failed",), failure=Failure(type="error"), **OF_A_BATCH),
    ),
)

VIDEOS: Final = (
    Case(
        payload="jobs/video-queued.json",
        shows="a video that has begun",
        outcome=Outcome(response_id=VIDEO, response_model="sora-2", pending=True, **OF_A_VIDEO),
    ),
    Case(
        payload="jobs/video-completed.json",
        shows="a video that is done, by its length",
        outcome=Outcome(
            response_id=VIDEO,
            response_model="sora-2",
            finish_reasons=("completed",),
            ended=UnixNanos(1767312090 * 10**9),
            usage=Usage(video_seconds=Decimal(4)),
            **OF_A_VIDEO,
        ),
    ),
    Case(
        payload="jobs/video-failed.json",
        shows="a video that was not made",
        outcome=Outcome(
            response_id=VIDEO,
            response_model="sora-2",
            finish_reasons=("failed",),
            failure=Failure(type="error", message="The prompt was blocked.", code="moderation_blocked"),
            **OF_A_VIDEO,
        ),
    ),
)


@each((*BATCHES, *VIDEOS))
def test_json(case: Case) -> None:
    """The record says what the bytes say, and nothing else."""
    assert case.outcome == from_json(case, JOBS)


@each(BATCHES)
def test_client_batches(case: Case, client: Any) -> None:
    """What the openai client makes of a batch says the same."""
    assert case.outcome == plain(from_client(case, JOBS, client, Types(whole="openai.types:Batch")))


def test_a_page_says_it_of_each() -> None:
    """A list has the jobs one by one."""
    page = PAGES.read(
        {"object": "list", "data": [{"id": BATCH, "status": "failed"}, {"id": VIDEO, "status": "queued"}]}
    )
    assert [(BATCH, False), (VIDEO, True)] == [(job.response_id, job.pending) for job in page.page]
    assert () == PAGES.read(None).page


LINE = b'{"response": {"status_code": 200, "body": {"model": "%b", "usage": {"prompt_tokens": 3%b}}}}'


def test_an_output_file_says_what_its_answers_used() -> None:
    """A count that one of them lacks is unknown, not too low; and so is a model that is not the same."""
    whole, half = LINE % (b"gpt-4o", b', "completion_tokens": 2'), LINE % (b"gpt-5", b"")
    assert READ_NOTHING == read_output(b"") == read_output(b"no JSON\n{}\n")
    assert Usage(input_tokens=6, output_tokens=4) == read_output(whole + b"\n" + whole).usage
    assert Usage(input_tokens=6) == read_output(whole + b"\n" + half + b"\n").usage
    models = [read_output(whole).response_model, read_output(whole + b"\n" + half).response_model]
    assert ["gpt-4o", None] == models


@each(VIDEOS)
def test_client_videos(case: Case, client: Any) -> None:
    """What the openai client makes of a video says the same, where it knows videos."""
    openai = pytest.importorskip("openai")
    if not hasattr(openai.types, "Video"):
        pytest.skip("this client knows no videos")
    assert case.outcome == plain(from_client(case, JOBS, client, Types(whole="openai.types:Video")))
