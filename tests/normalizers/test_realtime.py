"""The Realtime API: responses over a websocket, and transcriptions of what was heard."""

from decimal import Decimal

import pytest

from ramp_tracing._normalizers import REALTIME, model_of_session, read_transcript, transcriber_of_session
from ramp_tracing._record import Failure, Outcome, Usage

ITEM = "item_CdQ2jC9dL3yArG0001"
SAID = {
    "type": "message",
    "content": [{"type": "audio", "audio": "UklGRg==", "transcript": "Hello"}, {"text": " you."}],
}
CALL = {"type": "function_call", "call_id": "call_1", "name": "look", "arguments": "{}"}


def test_a_response_that_begins() -> None:
    """Nothing is known but its id."""
    begun = REALTIME.read({"id": "resp_1", "status": "in_progress", "usage": None, "output": []})
    assert Outcome(response_id="resp_1", output={"completion": "", "reasoning": None}) == begun


def test_what_was_said_and_called() -> None:
    """The transcript stands for the sound."""
    ended = REALTIME.read({"id": "resp_1", "status": "completed", "output": [SAID, CALL]})
    function = {"name": "look", "arguments": "{}"}
    assert ended.output == {
        "completion": "Hello you.",
        "reasoning": None,
        "toolCalls": [{"id": "call_1", "index": 0, "type": "function", "function": function}],
    }


@pytest.mark.parametrize(
    ("status", "details", "expected"),
    [
        ("cancelled", {"reason": "client_cancelled"}, (("cancelled:client_cancelled",), None)),
        ("incomplete", {"reason": "content_filter"}, (("incomplete:content_filter",), None)),
        ("failed", None, (("failed",), Failure(type="error"))),
        (
            "failed",
            {"error": {"type": "x", "code": "y", "message": "z"}},
            (("failed",), Failure(type="x", message="z", code="y")),
        ),
        (None, None, ((), None)),
    ],
)
def test_how_it_ended(status: str | None, details: object, expected: tuple[object, object]) -> None:
    """With the reason where there is one; only a failure is a failure."""
    ended = REALTIME.read({"id": "resp_1", "status": status, "status_details": details})
    assert expected == (ended.finish_reasons, ended.failure)


def test_a_transcription() -> None:
    """Billed in tokens or in seconds; its id is that of what was transcribed."""
    tokens = {"type": "tokens", "input_tokens": 30, "input_token_details": {"audio_tokens": 26}, "output_tokens": 7}
    read = read_transcript({"item_id": ITEM, "content_index": 1, "transcript": "Hi.", "usage": tokens})
    assert (f"{ITEM}-1", {"completion": "Hi."}) == (read.response_id, read.output)
    assert Usage(input_tokens=30, output_tokens=7, input_audio_tokens=26) == read.usage
    seconds = read_transcript({"item_id": ITEM, "usage": {"type": "duration", "seconds": 3.5}})
    assert (f"{ITEM}-0", Usage(audio_seconds=Decimal("3.5"))) == (seconds.response_id, seconds.usage)


@pytest.mark.parametrize("nonsense", [None, 7, [], {}, {"status": [], "usage": "many", "output": {"type": "message"}}])
def test_nonsense_says_nothing(nonsense: object) -> None:
    """Neither does it break anything."""
    assert Usage() == REALTIME.read(nonsense).usage
    assert (None, Usage()) == (read_transcript(nonsense).response_id, read_transcript(nonsense).usage)
    assert (None, None) == (model_of_session(nonsense), transcriber_of_session(nonsense))


def test_who_transcribes() -> None:
    """As sessions say it today, and as the beta's said it."""
    today = {"model": "gpt-realtime", "audio": {"input": {"transcription": {"model": "gpt-4o-transcribe"}}}}
    assert ("gpt-realtime", "gpt-4o-transcribe") == (model_of_session(today), transcriber_of_session(today))
    assert "whisper-1" == transcriber_of_session({"input_audio_transcription": {"model": "whisper-1"}})
