"""
The Realtime API: responses over a websocket, https://platform.openai.com/docs/api-reference/realtime-server-events.

Its beta named some things otherwise: https://platform.openai.com/docs/guides/realtime#beta-to-ga-migration
"""

from collections.abc import Mapping
from dataclasses import replace
from typing import Final

from .._record import Failure, Outcome
from ._audio import read as read_transcription
from ._embeddings import read as read_plain
from ._failures import error_in
from ._formats import WireFormat
from ._openai_usage import read_usage
from ._plain import PlainAccumulator
from ._reading import Path, as_name, dig
from ._responses import completion_of

UNFINISHED: Final = "in_progress"

TRANSCRIBERS: Final[tuple[Path, ...]] = (
    ("audio", "input", "transcription", "model"),
    ("input_audio_transcription", "model"),
)
"""Where a session names the model that transcribes what it hears; the second is the beta's."""


def content(_body: Mapping[str, object]) -> object:
    """Nothing: what a response answers to is a conversation, most of it sound."""
    return None


def read(response: object) -> Outcome:
    """What a response says, at its beginning or at its end. Its model is that of the session."""
    status = as_name(dig(response, "status"))
    return Outcome(
        response_id=as_name(dig(response, "id")),
        response_model=as_name(dig(response, "model")),
        finish_reasons=_finish_reasons(response, status),
        usage=read_usage(dig(response, "usage")),
        failure=_failure(response, status),
        output=completion_of(dig(response, "output")),
    )


def read_transcript(event: object) -> Outcome:
    """
    What the end of a transcription says, which is billed apart from the responses: of what was heard, in tokens or
    seconds. It has no id but that of the part of the conversation that it transcribes.
    """
    item, part = as_name(dig(event, "item_id")), dig(event, "content_index")
    transcript = {"text": dig(event, "transcript"), "usage": dig(event, "usage"), "error": dig(event, "error")}
    return replace(read_transcription(transcript), response_id=f"{item}-{part or 0}" if item else None)


def read_decision(decision: object) -> Outcome:
    """The answers that a Live session was given to its questions, as `client.decisions` of openai 3.57 gives them."""
    return read_plain(decision)


def model_of_session(session: object) -> str | None:
    """The model that answers."""
    return as_name(dig(session, "model"))


def transcriber_of_session(session: object) -> str | None:
    """The model that transcribes what is heard, if one does."""
    return next(filter(None, (as_name(dig(session, *path)) for path in TRANSCRIBERS)), None)


def _finish_reasons(response: object, status: str | None) -> tuple[str, ...]:
    """The status, with the reason where it has one: ``cancelled:turn_detected``."""
    if status is None or status == UNFINISHED:
        return ()
    reason = as_name(dig(response, "status_details", "reason"))
    return (f"{status}:{reason}" if reason else status,)


def _failure(response: object, status: str | None) -> Failure | None:
    if status != "failed":
        return None
    return error_in({"error": dig(response, "status_details", "error")}) or Failure(type="error")


REALTIME: Final = WireFormat(content=content, read=read, accumulator=PlainAccumulator.folding(read))
