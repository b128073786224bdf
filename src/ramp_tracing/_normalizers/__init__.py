"""
From a library's or a provider's objects to the record. Pure: nothing here knows a client library or does I/O.

One file per wire format. Each reads a request's content, reads an answer, and folds a stream into the shape of
that format's whole answer, so that there is one reader for both. A format that one integration alone reads has no
name here: that one imports it from its file, and nobody else loads it.
"""

from collections.abc import Mapping
from typing import Final

from ._audio import SPEECH, TRANSCRIPTIONS
from ._chat import CHAT
from ._completions import COMPLETIONS
from ._embeddings import EMBEDDINGS, MODERATIONS
from ._failures import error_in, failure_of
from ._formats import Accumulator, WireFormat
from ._images import IMAGES
from ._jobs import JOBS, PAGES, read_output
from ._json import parse, parse_event
from ._langchain_attribution import langchain_attribution
from ._openai_usage import has_usage
from ._parameters import numbers_in
from ._reading import as_amount, as_count, as_fields, as_items, as_name, dig
from ._realtime import REALTIME, model_of_session, read_transcript, transcriber_of_session
from ._reported_cost import cost_in_headers
from ._responses import RESPONSES

FORMATS: Final[Mapping[str, WireFormat]] = {each.name: each for each in (CHAT, COMPLETIONS, EMBEDDINGS, RESPONSES)}
"""By the name that a journal has for it: those of which an answer may wait to be read."""

__all__ = [
    "CHAT",
    "COMPLETIONS",
    "EMBEDDINGS",
    "FORMATS",
    "IMAGES",
    "JOBS",
    "MODERATIONS",
    "PAGES",
    "REALTIME",
    "RESPONSES",
    "SPEECH",
    "TRANSCRIPTIONS",
    "Accumulator",
    "WireFormat",
    "as_amount",
    "as_count",
    "as_fields",
    "as_items",
    "as_name",
    "cost_in_headers",
    "dig",
    "error_in",
    "failure_of",
    "has_usage",
    "langchain_attribution",
    "model_of_session",
    "numbers_in",
    "parse",
    "parse_event",
    "read_output",
    "read_transcript",
    "transcriber_of_session",
]
