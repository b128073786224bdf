"""
Audio: https://platform.openai.com/docs/api-reference/audio.

Speech answers with sound and no usage; it is billed by the characters of its input. Transcriptions report tokens or
seconds; in the formats ``text``, ``srt`` and ``vtt`` they report nothing.
"""

from collections.abc import Mapping
from dataclasses import replace
from typing import Final

from .._record import Outcome, Usage
from ._embeddings import read as read_plain
from ._formats import WireFormat
from ._plain import PlainAccumulator
from ._reading import as_amount, as_name, dig


def speech_content(body: Mapping[str, object]) -> object:
    """The text to be spoken."""
    return {"input": body.get("input")}


def transcription_content(body: Mapping[str, object]) -> object:
    """The hint that was given; the recording is a file and never leaves."""
    return {"prompt": body.get("prompt")}


def read(answer: object) -> Outcome:
    """What a transcription says. ``verbose_json`` of older models gives the length as ``duration`` alone."""
    plain = read_plain(answer)
    usage: Usage = plain.usage
    if not usage.known:
        usage = replace(usage, audio_seconds=as_amount(dig(answer, "duration")))
    text = as_name(answer) or as_name(dig(answer, "text"))
    return replace(plain, usage=usage, output={"completion": text})


SPEECH: Final = WireFormat(content=speech_content, read=read_plain, accumulator=PlainAccumulator.folding(read_plain))
TRANSCRIPTIONS: Final = WireFormat(content=transcription_content, read=read, accumulator=PlainAccumulator.folding(read))
