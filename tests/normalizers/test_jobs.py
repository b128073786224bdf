"""Paid work that ends later: batches and videos."""

from decimal import Decimal
from typing import Any, Final

import pytest

from ramp_tracing._normalizers import JOBS
from ramp_tracing._record import Failure, Outcome, Usage

from .cases import Case, Types, each, from_client, from_json, plain

BATCH: Final = "batch_68f1a2b3c4d5e6f708192a3b"
VIDEO: Final = "video_68f1a2b3c4d5e6f708192a3c"

BATCHES: Final = (
    Case(
        payload="jobs/batch-validating.json",
        shows="a batch that has begun",
        outcome=Outcome(response_id=BATCH, pending=True, job=True),
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
            job=True,
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
            job=True,
        ),
    ),
    Case(
        payload="jobs/batch-failed.json",
        shows="the first of the errors in its file",
        outcome=Outcome(
            response_id=BATCH,
            finish_reasons=("failed",),
            failure=Failure(type="error", message="Line 3 is no JSON.", code="invalid_json_line"),
            job=True,
        ),
    ),
    Case(
        payload="jobs/batch-failed-silently.json",
        shows="a batch that does not say why it failed",
        outcome=Outcome(response_id=BATCH, finish_reasons=("failed",), failure=Failure(type="error"), job=True),
    ),
)

VIDEOS: Final = (
    Case(
        payload="jobs/video-queued.json",
        shows="a video that has begun",
        outcome=Outcome(response_id=VIDEO, response_model="sora-2", pending=True, job=True),
    ),
    Case(
        payload="jobs/video-completed.json",
        shows="a video that is done, by its length",
        outcome=Outcome(
            response_id=VIDEO,
            response_model="sora-2",
            finish_reasons=("completed",),
            usage=Usage(video_seconds=Decimal(4)),
            job=True,
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
            job=True,
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


@each(VIDEOS)
def test_client_videos(case: Case, client: Any) -> None:
    """What the openai client makes of a video says the same, where it knows videos."""
    openai = pytest.importorskip("openai")
    if not hasattr(openai.types, "Video"):
        pytest.skip("this client knows no videos")
    assert case.outcome == plain(from_client(case, JOBS, client, Types(whole="openai.types:Video")))
