"""
From a library's or a provider's objects to the record. Pure: nothing here knows a client library or does I/O.

One file per wire format. Each reads a request's content, reads an answer, and folds a stream into the shape of
that format's whole answer, so that there is one reader for both.
"""

from ._audio import SPEECH, TRANSCRIPTIONS
from ._chat import CHAT
from ._completions import COMPLETIONS
from ._embeddings import EMBEDDINGS, MODERATIONS
from ._failures import error_in, failure_of
from ._formats import Accumulator, WireFormat
from ._images import IMAGES
from ._jobs import JOBS
from ._json import parse, parse_event
from ._litellm import LiteLLMCall, call_type_of, read_litellm
from ._openai_usage import has_usage
from ._reading import as_amount, as_count, as_fields, as_name, dig
from ._reported_cost import cost_in_headers
from ._responses import RESPONSES

__all__ = [
    "CHAT",
    "COMPLETIONS",
    "EMBEDDINGS",
    "IMAGES",
    "JOBS",
    "MODERATIONS",
    "RESPONSES",
    "SPEECH",
    "TRANSCRIPTIONS",
    "Accumulator",
    "LiteLLMCall",
    "WireFormat",
    "as_amount",
    "as_count",
    "as_fields",
    "as_name",
    "call_type_of",
    "cost_in_headers",
    "dig",
    "error_in",
    "failure_of",
    "has_usage",
    "parse",
    "parse_event",
    "read_litellm",
]
