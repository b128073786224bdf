"""Images: made, edited, varied, and streamed."""

from typing import Any, Final

import pytest

from ramp_tracing._normalizers import IMAGES
from ramp_tracing._record import Failure, Outcome, Usage

from .cases import Case, Types, each, from_client, from_json, plain

TYPES: Final = Types(whole="openai.types:ImagesResponse", event="openai.types:ImageGenStreamEvent")

CASES: Final = (
    Case(
        payload="images/dall-e.json",
        shows="images are counted where there is no usage",
        outcome=Outcome(
            usage=Usage(images=2),
            output={
                "completion": None,
                "images": [
                    {"image": "[image/png]", "revised_prompt": "A sea otter"},
                    {"image": "[image/png]", "revised_prompt": None},
                ],
            },
        ),
    ),
    Case(
        payload="images/gpt-image.json",
        shows="texts and images are counted apart on both sides",
        outcome=Outcome(
            usage=Usage(
                input_tokens=431,
                output_tokens=1364,
                total_tokens=1795,
                input_image_tokens=388,
                output_image_tokens=1056,
                images=1,
            ),
            output={"completion": None, "images": [{"image": "[image/webp, 12 bytes]", "revised_prompt": None}]},
        ),
    ),
    Case(
        payload="images/error.json",
        shows="an error with status 200",
        outcome=Outcome(
            failure=Failure(
                type="image_generation_user_error", message="Your request was rejected.", code="moderation_blocked"
            ),
            output={"completion": None, "images": []},
        ),
    ),
)

STREAMS: Final = (
    Case(
        payload="images/gpt-image.sse",
        shows="the last event has the image and the usage",
        outcome=Outcome(
            usage=Usage(input_tokens=50, output_tokens=272, total_tokens=322, input_image_tokens=0, images=1),
            output={"completion": None, "images": [{"image": "[image/png, 18 bytes]", "revised_prompt": None}]},
        ),
    ),
    Case(payload="images/cut.sse", shows="before that nothing is known", outcome=Outcome(complete=False)),
)

ERROR_EVENT: Final = Case(
    payload="images/error.sse",
    shows="an error ends it",
    outcome=Outcome(
        failure=Failure(type="server_error", message="Something broke.", code="server_error"),
        output={"completion": None, "images": []},
    ),
)
"""The client raises at that event."""


@each((*CASES, *STREAMS, ERROR_EVENT))
def test_json(case: Case) -> None:
    """The record says what the bytes say, and nothing else."""
    assert case.outcome == from_json(case, IMAGES)


@each(CASES)
def test_client_objects(case: Case, client: Any) -> None:
    """What the openai client makes of the bytes says the same."""
    assert case.outcome == plain(from_client(case, IMAGES, client, TYPES))


@each(STREAMS)
def test_client_events(case: Case, client: Any) -> None:
    """What the openai client makes of a stream says the same, where it knows streamed images."""
    openai = pytest.importorskip("openai")
    if not hasattr(openai.types, "ImageGenStreamEvent"):
        pytest.skip("this client knows no streamed images")
    assert case.outcome == plain(from_client(case, IMAGES, client, TYPES))
