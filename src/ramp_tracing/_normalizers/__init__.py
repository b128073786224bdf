"""
From a library's or a provider's objects to the record. Pure: nothing here knows a client library or does I/O.

One file per wire format. Each reads a request's content, reads an answer, and folds a stream into the shape of
that format's whole answer, so that there is one reader for both. A format that one integration alone reads has no
name here: that one names its file. All of them are loaded with the first call that is in one.
"""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Final

from .._lazy import names_of
from ._late import late

if TYPE_CHECKING:
    from ._failures import error_in, failure_of
    from ._formats import Accumulator, Build, WireFormat
    from ._jobs import read_output
    from ._json import parse, parse_event, parse_plain
    from ._langchain_attribution import configured_attribution, langchain_attribution
    from ._openai_usage import has_usage
    from ._parameters import PARAMETERS, numbers_in
    from ._reading import as_amount, as_count, as_fields, as_items, as_name, dig
    from ._realtime import model_of_session, read_decision, read_transcript, transcriber_of_session
    from ._reported_cost import cost_in_headers
    from ._texts import PIECES

__all__ = [
    "CHAT",
    "COMPLETIONS",
    "EMBEDDINGS",
    "FORMATS",
    "IMAGES",
    "JOBS",
    "LANGCHAIN",
    "MODERATIONS",
    "PAGES",
    "PARAMETERS",
    "PIECES",
    "REALTIME",
    "RESPONSES",
    "SPEECH",
    "TRANSCRIPTIONS",
    "Accumulator",
    "Build",
    "WireFormat",
    "as_amount",
    "as_count",
    "as_fields",
    "as_items",
    "as_name",
    "configured_attribution",
    "cost_in_headers",
    "dig",
    "error_in",
    "failure_of",
    "has_usage",
    "langchain_attribution",
    "late",
    "model_of_session",
    "numbers_in",
    "parse",
    "parse_event",
    "parse_plain",
    "read_decision",
    "read_output",
    "read_transcript",
    "transcriber_of_session",
]

CHAT: Final = late("_chat", "CHAT")
COMPLETIONS: Final = late("_completions", "COMPLETIONS")
EMBEDDINGS: Final = late("_embeddings", "EMBEDDINGS")
IMAGES: Final = late("_images", "IMAGES")
JOBS: Final = late("_jobs", "JOBS")
LANGCHAIN: Final = late("_langchain_lean", "LANGCHAIN")
MODERATIONS: Final = late("_embeddings", "MODERATIONS")
PAGES: Final = late("_jobs", "PAGES")
REALTIME: Final = late("_realtime", "REALTIME")
RESPONSES: Final = late("_responses", "RESPONSES")
SPEECH: Final = late("_audio", "SPEECH")
TRANSCRIPTIONS: Final = late("_audio", "TRANSCRIPTIONS")

FORMATS: Final[Mapping[str, "WireFormat"]] = {
    "chat": CHAT,
    "completions": COMPLETIONS,
    "embeddings": EMBEDDINGS,
    "langchain": LANGCHAIN,
    "responses": RESPONSES,
}
"""By the name that a journal has for it: those of which an answer may wait to be read."""

__getattr__ = names_of(
    __name__,
    {
        "PARAMETERS": "_parameters",
        "PIECES": "_texts",
        "Accumulator": "_formats",
        "Build": "_formats",
        "WireFormat": "_formats",
        "as_amount": "_reading",
        "as_count": "_reading",
        "as_fields": "_reading",
        "as_items": "_reading",
        "as_name": "_reading",
        "cost_in_headers": "_reported_cost",
        "dig": "_reading",
        "error_in": "_failures",
        "failure_of": "_failures",
        "has_usage": "_openai_usage",
        **dict.fromkeys(("configured_attribution", "langchain_attribution"), "_langchain_attribution"),
        "model_of_session": "_realtime",
        "numbers_in": "_parameters",
        "parse": "_json",
        "parse_event": "_json",
        "parse_plain": "_json",
        "read_decision": "_realtime",
        "read_output": "_jobs",
        "read_transcript": "_realtime",
        "transcriber_of_session": "_realtime",
    },
)
