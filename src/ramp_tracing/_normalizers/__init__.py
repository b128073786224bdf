"""
From a library's or a provider's objects to the record. Pure: nothing here knows a client library or does I/O.

One file per wire format. Each reads a request's content, reads an answer, and folds a stream into the shape of
that format's whole answer, so that there is one reader for both.
"""

from typing import TYPE_CHECKING, Final

from .._lazy import names_of
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

if TYPE_CHECKING:
    from ._anthropic import MESSAGE_BATCHES, MESSAGES
    from ._langchain import as_cached, is_cached, langchain_messages, read_langchain
    from ._langchain_models import LangChainModel, read_model
    from ._litellm import LiteLLMCall, read_litellm
    from ._litellm_attribution import litellm_attribution

__all__ = [
    "CHAT",
    "COMPLETIONS",
    "EMBEDDINGS",
    "IMAGES",
    "JOBS",
    "MESSAGES",
    "MESSAGE_BATCHES",
    "MODERATIONS",
    "PAGES",
    "REALTIME",
    "RESPONSES",
    "SPEECH",
    "TRANSCRIPTIONS",
    "Accumulator",
    "LangChainModel",
    "LiteLLMCall",
    "WireFormat",
    "as_amount",
    "as_cached",
    "as_count",
    "as_fields",
    "as_items",
    "as_name",
    "cost_in_headers",
    "dig",
    "error_in",
    "failure_of",
    "has_usage",
    "is_cached",
    "langchain_attribution",
    "langchain_messages",
    "litellm_attribution",
    "model_of_session",
    "numbers_in",
    "parse",
    "parse_event",
    "read_langchain",
    "read_litellm",
    "read_model",
    "read_output",
    "read_transcript",
    "transcriber_of_session",
]

OF_ONE_LIBRARY: Final = {
    "LangChainModel": "_langchain_models",
    "LiteLLMCall": "_litellm",
    "MESSAGES": "_anthropic",
    "MESSAGE_BATCHES": "_anthropic",
    "as_cached": "_langchain",
    "is_cached": "_langchain",
    "langchain_messages": "_langchain",
    "litellm_attribution": "_litellm_attribution",
    "read_langchain": "_langchain",
    "read_litellm": "_litellm",
    "read_model": "_langchain_models",
}
"""What the integration of one library needs, which is imported with that library."""

__getattr__ = names_of(__name__, OF_ONE_LIBRARY)
