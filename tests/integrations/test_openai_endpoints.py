"""Every endpoint that costs something is one record with what it reports; those that cost nothing are none."""

from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any

import pydantic
import pytest

from ramp_tracing._loopback import json_answer
from ramp_tracing._record import Usage
from ramp_tracing.integrations._routes import operation_in

from .colours import Colour
from .endpoints import MP3, RESPONSE_ID, response
from .facts import UNANSWERED, UNKNOWN
from .scenarios import Scenario, check

pytestmark = pytest.mark.filterwarnings("ignore:deprecated:DeprecationWarning")

Call = Callable[[Colour, Any], Any]

CLIP = ("clip.wav", b"RIFF....WAVE", "audio/wav")
PICTURE = ("a.png", b"\x89PNG....", "image/png")
INPUT: Mapping[str, Any] = {"model": "gpt-4o", "input": "Hello?"}


class Greeting(pydantic.BaseModel):
    text: str


def plain(path: str, **arguments: Any) -> Call:
    """``client.<path>(**arguments)``, and what it returns."""

    def call(colour: Colour, client: Any) -> Any:
        return colour.wait(method(client, path)(**arguments))

    return call


def streamed(path: str, **arguments: Any) -> Call:
    """The same, read to its end."""

    def call(colour: Colour, client: Any) -> Any:
        return colour.items(colour.wait(method(client, path)(**arguments, stream=True)))

    return call


def method(client: Any, path: str) -> Any:
    for name in path.split("."):
        client = getattr(client, name)
    return client


def responses_helper(colour: Colour, client: Any) -> Any:
    with colour.entered(client.responses.stream(**INPUT)) as stream:
        events = [event.type for event in colour.items(stream)]
        return [events, colour.wait(stream.get_final_response())]


def raw_responses(colour: Colour, client: Any) -> Any:
    raw = colour.wait(client.responses.with_raw_response.create(**INPUT))
    return [raw, raw.parse()]


def speech(colour: Colour, client: Any) -> Any:
    return colour.wait(client.audio.speech.create(model="tts-1", voice="alloy", input="Hello there.")).content


def lazy_speech(colour: Colour, client: Any) -> Any:
    manager = client.audio.speech.with_streaming_response.create(model="tts-1", voice="alloy", input="Hello there.")
    with colour.entered(manager) as response:
        return b"".join(colour.items(response.iter_bytes()))


def posted(path: str) -> Call:
    def call(colour: Colour, client: Any) -> Any:
        return colour.wait(client.post(path, cast_to=object, body={"model": "new-1"}))

    return call


def listed(colour: Colour, client: Any) -> Any:
    return [model.id for model in colour.items(client.models.list())]


def uploaded(colour: Colour, client: Any) -> Any:
    return colour.wait(client.files.create(file=("a.jsonl", b"{}"), purpose="batch"))


def parsed_response() -> Mapping[str, Any]:
    whole = response()
    whole["output"][0]["content"][0]["text"] = '{"text": "Hello there."}'
    return {"/responses": json_answer(whole)}


TEXT: Mapping[str, Any] = {
    **UNANSWERED,
    "operation": "text_completion",
    "asked": "gpt-3.5-turbo-instruct",
    "answered": "gpt-3.5-turbo-instruct",
    "response_id": "cmpl-C2kd83jQ0wP1xTq",
    "finish": ("stop",),
    "tokens": (10, 5, 15),
}
RESPONSE: Mapping[str, Any] = {
    **UNANSWERED,
    "answered": "gpt-4o-2024-08-06",
    "response_id": RESPONSE_ID,
    "finish": ("completed",),
    "tokens": (10, 5, 15),
}
IMAGE: Mapping[str, Any] = {**UNANSWERED, "asked": "gpt-image-1", "tokens": (10, 100, 110)}
SPOKEN: Mapping[str, Any] = {**UNANSWERED, "operation": "speech", "asked": "tts-1"}
HEARD: Mapping[str, Any] = {
    **UNANSWERED,
    "operation": "transcription",
    "asked": "gpt-4o-transcribe",
    "tokens": (10, 5, 15),
}
STREAMED: Mapping[str, Any] = {"streamed": True}

PROMPT: Mapping[str, Any] = {"model": "gpt-3.5-turbo-instruct", "prompt": "Hello?"}
DRAW: Mapping[str, Any] = {"model": "gpt-image-1", "prompt": "A cat."}
HEAR: Mapping[str, Any] = {"model": "gpt-4o-transcribe", "file": CLIP}
QUESTION: Mapping[str, Any] = {"type": "predicate", "name": "is_spam", "question": "Is it spam?"}

SCENARIOS: Mapping[str, Scenario] = {
    "completions": Scenario(call=plain("completions.create", **PROMPT), records=(TEXT,)),
    "completions, streamed, usage asked for by us": Scenario(
        call=streamed("completions.create", **PROMPT), records=({**TEXT, **STREAMED},), stream_usage="always"
    ),
    "completions, streamed, usage asked for by the application": Scenario(
        call=streamed("completions.create", **PROMPT, stream_options={"include_usage": True}),
        records=({**TEXT, **STREAMED},),
    ),
    "responses": Scenario(call=plain("responses.create", **INPUT), records=(RESPONSE,)),
    "responses, streamed": Scenario(call=streamed("responses.create", **INPUT), records=({**RESPONSE, **STREAMED},)),
    "responses, parsed": Scenario(
        call=plain("responses.parse", **INPUT, text_format=Greeting), answers=parsed_response, records=(RESPONSE,)
    ),
    "responses, stream helper": Scenario(call=responses_helper, records=({**RESPONSE, **STREAMED},)),
    "responses, raw": Scenario(call=raw_responses, records=(RESPONSE,)),
    "responses, compact": Scenario(
        call=plain("responses.compact", **INPUT),
        records=({**RESPONSE, "operation": "compact", "answered": None, "finish": ()},),
        needs="responses.compact",
    ),
    "embeddings": Scenario(
        call=plain("embeddings.create", model="text-embedding-3-small", input="Hello?", encoding_format="float"),
        records=(
            {
                **UNANSWERED,
                "operation": "embeddings",
                "asked": "text-embedding-3-small",
                "answered": "text-embedding-3-small",
                "tokens": (10, None, 10),
            },
        ),
    ),
    "images, generated": Scenario(
        call=plain("images.generate", **DRAW), records=({**IMAGE, "operation": "image_generation"},)
    ),
    "images, generated, streamed": Scenario(
        call=streamed("images.generate", **DRAW),
        records=({**IMAGE, **STREAMED, "operation": "image_generation"},),
    ),
    "images, edited": Scenario(
        call=plain("images.edit", **DRAW, image=PICTURE), records=({**IMAGE, "operation": "image_edit"},)
    ),
    "images, edited, streamed": Scenario(
        call=streamed("images.edit", **DRAW, image=PICTURE),
        records=({**IMAGE, **STREAMED, "operation": "image_edit"},),
    ),
    "images, varied": Scenario(
        call=plain("images.create_variation", model="dall-e-2", image=PICTURE),
        records=({**UNANSWERED, "operation": "image_variation", "asked": "dall-e-2"},),
    ),
    "speech": Scenario(call=speech, records=(SPOKEN,)),
    "speech, read as it comes": Scenario(call=lazy_speech, records=(SPOKEN,)),
    "transcription": Scenario(call=plain("audio.transcriptions.create", **HEAR), records=(HEARD,)),
    "transcription, text": Scenario(
        call=plain("audio.transcriptions.create", **HEAR, response_format="text"),
        records=({**HEARD, "tokens": UNKNOWN},),
    ),
    "transcription, verbose": Scenario(
        call=plain("audio.transcriptions.create", **HEAR, response_format="verbose_json"),
        records=({**HEARD, "tokens": UNKNOWN},),
    ),
    "transcription, streamed": Scenario(
        call=streamed("audio.transcriptions.create", **HEAR), records=({**HEARD, **STREAMED},)
    ),
    "translation": Scenario(
        call=plain("audio.translations.create", model="whisper-1", file=CLIP, response_format="verbose_json"),
        records=({**UNANSWERED, "operation": "translation", "asked": "whisper-1"},),
    ),
    "moderation": Scenario(
        call=plain("moderations.create", model="omni-moderation-latest", input="Hello?"),
        records=(
            {
                **UNANSWERED,
                "operation": "moderation",
                "asked": "omni-moderation-latest",
                "answered": "omni-moderation-2024-09-26",
                "response_id": "modr-AB8CjOTu2jiq12hp1AQPfeqF",
            },
        ),
    ),
    "decision": Scenario(
        call=plain("decisions.create", model="gpt-6-luna", input="Hello?", questions=[QUESTION]),
        records=(
            {
                **UNANSWERED,
                "operation": "decisions",
                "asked": "gpt-6-luna",
                "answered": "gpt-6-luna",
                "response_id": "dec_68af4030592c81938ec0a5fb",
                "tokens": (10, 5, 15),
            },
        ),
        needs="decisions",
    ),
    "unknown, with usage": Scenario(
        call=posted("/novelties"),
        records=(
            {
                **UNANSWERED,
                "operation": "novelties",
                "asked": "new-1",
                "response_id": "nov_68af4030592c",
                "tokens": (10, 5, None),
            },
        ),
    ),
    "unknown, below an id": Scenario(
        call=posted("/threads/thread_68af4030592c/novelties"),
        records=(
            {
                **UNANSWERED,
                "operation": "threads.novelties",
                "asked": "new-1",
                "response_id": "nov_68af4030592c",
                "tokens": (10, 5, None),
            },
        ),
    ),
    "unknown, without usage": Scenario(call=posted("/settings"), records=()),
    "models": Scenario(call=listed, records=()),
    "files": Scenario(call=uploaded, records=()),
}


@pytest.mark.parametrize("name", SCENARIOS)
def test_an_endpoint_is_recorded_as_what_it_is(name: str, colour: Colour) -> None:
    """One record with the reported tokens, or explicitly without; no record where nothing is bought."""
    check(SCENARIOS[name], colour)


@pytest.mark.parametrize(("url", "operation"), [
    ("/novelties", "novelties"),
    ("novelties/", "novelties"),
    ("https://llm.example.com/v1/novelties/drafts?version=2", "novelties.drafts"),
    ("/threads/thread_68af4030592c/runs", "threads.runs"),
    ("/v1/42", "unknown"),
])  # fmt: skip
def test_an_endpoint_that_nobody_knows_is_called_by_its_words(url: str, operation: str) -> None:
    """Not by what is different in each of its requests: there would be as many operations as calls."""
    assert operation == operation_in(url)


MEASURED: Mapping[str, Usage] = {
    "responses": Usage(input_tokens=10, output_tokens=5, total_tokens=15, cache_read_tokens=4, reasoning_tokens=2),
    "images, generated": Usage(input_tokens=10, output_tokens=100, total_tokens=110, input_image_tokens=0, images=1),
    "images, varied": Usage(images=1),
    "speech": Usage(input_characters=12),
    "speech, read as it comes": Usage(input_characters=12),
    "transcription": Usage(input_tokens=10, output_tokens=5, total_tokens=15, input_audio_tokens=10),
    "transcription, verbose": Usage(audio_seconds=Decimal(4)),
    "translation": Usage(audio_seconds=Decimal(4)),
}


@pytest.mark.parametrize("name", MEASURED)
def test_what_is_not_counted_in_tokens_is_kept(name: str, colour: Colour) -> None:
    """Characters, seconds, pictures and parts of the totals are kept beside them."""
    generations = check(SCENARIOS[name], colour)
    assert MEASURED[name] == generations[0].usage


def test_spoken_sound_is_handed_on_as_it_is(colour: Colour) -> None:
    """The bytes of speech are those of the server, read at once or piece by piece."""
    given: list[bytes] = []

    def call(colour: Colour, client: Any) -> Any:
        given.extend([speech(colour, client), lazy_speech(colour, client)])

    check(Scenario(call=call, records=(SPOKEN, SPOKEN)), colour)
    assert [MP3.body] * 4 == given
