"""Audio: transcriptions, translations, speech."""

from decimal import Decimal
from typing import Any, Final

from ramp_tracing._normalizers import SPEECH, TRANSCRIPTIONS
from ramp_tracing._record import NOTHING_READ, Failure, Outcome, Usage

from .cases import Case, Types, each, from_client, from_json, plain

TYPES: Final = Types(whole="openai.types.audio:Transcription", event="openai.types.audio:TranscriptionStreamEvent")
VERBOSE: Final = Types(whole="openai.types.audio:TranscriptionVerbose")

SAID: Final = {"completion": "Oslo is the capital."}
BY_TOKENS: Final = Usage(input_tokens=31, output_tokens=9, total_tokens=40, input_audio_tokens=27)

CASES: Final = (
    Case(
        payload="audio/tokens.json",
        shows="newer models count tokens",
        outcome=Outcome(usage=BY_TOKENS, output=SAID),
    ),
    Case(
        payload="audio/seconds.json",
        shows="older ones count seconds",
        outcome=Outcome(usage=Usage(audio_seconds=Decimal(3)), output=SAID),
    ),
    Case(
        payload="audio/mistral.json",
        shows="Mistral counts both",
        outcome=Outcome(
            response_model="voxtral-mini-2507",
            usage=Usage(input_tokens=4, output_tokens=635, total_tokens=3264, audio_seconds=Decimal(203)),
            output=SAID,
        ),
    ),
    Case(
        payload="audio/error.json",
        shows="an error with status 200",
        outcome=Outcome(
            failure=Failure(
                type="invalid_request_error", message="Audio file might be corrupted.", code="invalid_value"
            ),
            output={"completion": None},
        ),
    ),
    Case(
        payload="audio/tokens.sse",
        shows="the last event of a stream has the whole text and the usage",
        outcome=Outcome(usage=BY_TOKENS, output=SAID),
    ),
    Case(
        payload="audio/no-usage.sse",
        shows="or the text alone",
        outcome=Outcome(output=SAID),
    ),
)

VERBOSE_CASES: Final = (
    Case(
        payload="audio/verbose.json",
        shows="the length of the recording is what is billed",
        outcome=Outcome(usage=Usage(audio_seconds=Decimal("8.470000267028809")), output=SAID),
    ),
    Case(
        payload="audio/verbose-with-usage.json",
        shows="where the bill is rounded up, the bill counts",
        outcome=Outcome(usage=Usage(audio_seconds=Decimal(9)), output=SAID),
    ),
)


@each((*CASES, *VERBOSE_CASES))
def test_json(case: Case) -> None:
    """The record says what the bytes say, and nothing else."""
    assert case.outcome == from_json(case, TRANSCRIPTIONS)


@each(CASES)
def test_client_objects(case: Case, client: Any) -> None:
    """What the openai client makes of the bytes says the same."""
    assert case.outcome == plain(from_client(case, TRANSCRIPTIONS, client, TYPES))


@each(VERBOSE_CASES)
def test_verbose_client_objects(case: Case, client: Any) -> None:
    """So it does where the segments were asked for."""
    assert case.outcome == plain(from_client(case, TRANSCRIPTIONS, client, VERBOSE))


def test_text() -> None:
    """The formats ``text``, ``srt`` and ``vtt`` are the answer itself, and tell no usage."""
    assert Outcome(output=SAID) == TRANSCRIPTIONS.read("Oslo is the capital.")


def test_speech() -> None:
    """Sound says nothing; a stream of events tells its usage at its end."""
    streamed = Case(
        payload="audio/speech.sse",
        shows="",
        outcome=Outcome(usage=Usage(input_tokens=14, output_tokens=101, total_tokens=115)),
    )
    assert [Outcome(), NOTHING_READ, streamed.outcome] == [
        SPEECH.read(None),
        SPEECH.accumulator(1, True).outcome(),
        from_json(streamed, SPEECH),
    ]
