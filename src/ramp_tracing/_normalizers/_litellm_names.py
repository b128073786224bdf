"""LiteLLM's names: of the kinds of calls, of providers, of models, and the ids that it makes of others'."""

import re
from base64 import b64decode
from binascii import Error
from collections.abc import Mapping
from datetime import datetime
from typing import Final, NamedTuple

from ._audio import SPEECH, TRANSCRIPTIONS
from ._chat import CHAT
from ._completions import COMPLETIONS
from ._embeddings import EMBEDDINGS
from ._formats import WireFormat
from ._images import IMAGES
from ._jobs import JOBS
from ._reading import as_fields, as_name
from ._responses import RESPONSES


class Kind(NamedTuple):
    """A kind of call."""

    operation: str
    format: WireFormat


KINDS: Final[Mapping[str, Kind]] = {
    "completion": Kind("chat", CHAT),
    "anthropic_messages": Kind("chat", CHAT),
    "generate_content": Kind("chat", CHAT),
    "generate_content_stream": Kind("chat", CHAT),
    "text_completion": Kind("text_completion", COMPLETIONS),
    "responses": Kind("chat", RESPONSES),
    "embedding": Kind("embeddings", EMBEDDINGS),
    "image_generation": Kind("image_generation", IMAGES),
    "image_edit": Kind("image_edit", IMAGES),
    "image_variation": Kind("image_variation", IMAGES),
    "transcription": Kind("transcription", TRANSCRIPTIONS),
    "speech": Kind("speech", SPEECH),
    "rerank": Kind("rerank", EMBEDDINGS),
    "moderation": Kind("moderation", EMBEDDINGS),
    "get_responses": Kind("chat", RESPONSES),
    "cancel_responses": Kind("chat", RESPONSES),
    "create_batch": Kind("batch", JOBS),
    "retrieve_batch": Kind("batch", JOBS),
    "pass_through_endpoint": Kind("chat", CHAT),
    "allm_passthrough_route": Kind("chat", CHAT),
    "llm_passthrough_route": Kind("chat", CHAT),
}
"""LiteLLM's call type, without the ``a`` of the async one → what it is."""

IF_PAID: Final[Mapping[str, Kind]] = {
    "_arealtime": Kind("chat", CHAT),
    "_aresponses_websocket": Kind("chat", CHAT),
    "compact_responses": Kind("compact", RESPONSES),
    "ocr": Kind("ocr", EMBEDDINGS),
    "search": Kind("search", EMBEDDINGS),
    "vector_store_search": Kind("search", EMBEDDINGS),
    "video_edit": Kind("video_generation", EMBEDDINGS),
    "video_extension": Kind("video_extension", EMBEDDINGS),
    "video_generation": Kind("video_generation", EMBEDDINGS),
    "video_remix": Kind("video_generation", EMBEDDINGS),
}
"""The same of those that are recorded only if LiteLLM knows what they used or cost."""

POLLS: Final = frozenset({"get_responses", "cancel_responses"})
"""Look at what an earlier call has asked for."""

STREAMED_CHAT: Final = frozenset({"completion", "text_completion"})
"""Calls whose stream LiteLLM puts together itself, counting where the provider has not."""

PROVIDERS: Final[Mapping[str, str]] = {
    "azure": "azure.ai.openai",
    "azure_ai": "azure.ai.openai",
    "azure_text": "azure.ai.openai",
    "bedrock": "aws.bedrock",
    "bedrock_converse": "aws.bedrock",
    "cohere_chat": "cohere",
    "custom_openai": "openai",
    "gemini": "gcp.gemini",
    "hosted_vllm": "vllm",
    "mistral": "mistral_ai",
    "moonshot": "moonshot_ai",
    "ollama_chat": "ollama",
    "text-completion-openai": "openai",
    "vertex_ai": "gcp.vertex_ai",
    "vertex_ai_beta": "gcp.vertex_ai",
    "watsonx": "ibm.watsonx.ai",
    "xai": "x_ai",
}
"""LiteLLM's word for a provider → ours; what is not here is the same word."""

REPORTS_STREAM_USAGE: Final = frozenset(
    {
        "anthropic",
        "aws.bedrock",
        "cohere",
        "gcp.gemini",
        "gcp.vertex_ai",
        "mistral_ai",
        "ollama",
        "openrouter",
        "together_ai",
    }
)
"""Providers whose streams tell their usage without being asked."""


class Told:
    """
    A call as LiteLLM tells of it, and what every reader of it asks for, looked up once.

    Args:
        call: The ``kwargs`` of a callback.

    Attributes:
        call: They.
        payload: The logging payload in them.
        name: LiteLLM's word for the kind of call, the same for sync and async.
        kind: What kind of call it is; one that nobody knows is read as a chat.
        word: LiteLLM's word for the provider.
        provider: Ours; at an address of one's own it may be anybody.
        is_streamed: Whether the answer came as a stream.
        is_cached: Whether LiteLLM's cache has answered.
    """

    __slots__ = ("call", "is_cached", "is_streamed", "kind", "name", "payload", "provider", "word")

    def __init__(self, call: Mapping[str, object]) -> None:
        said = call.get
        self.call = call
        self.payload = as_fields(said("standard_logging_object"))
        name = as_name(said("call_type")) or "completion"
        is_async = name[:1] == "a" and (name[1:] in KINDS or name[1:] in IF_PAID)
        self.name = name[1:] if is_async else name
        self.kind = KINDS.get(self.name) or IF_PAID.get(self.name) or Kind(self.name, CHAT)
        self.word = as_name(said("custom_llm_provider"))
        provider = self.word or as_name(self.payload.get("custom_llm_provider"))
        self.provider = None if provider is None else PROVIDERS.get(provider, provider)
        self.is_streamed = self.payload.get("stream") is True or said("stream") is True
        self.is_cached = said("cache_hit") is True

    @property
    def model(self) -> str | None:
        """The model that was asked for."""
        return self.without_prefix(as_name(self.payload.get("model")) or as_name(self.call.get("model")))

    def without_prefix(self, model: str | None) -> str | None:
        """``openai/gpt-4o`` is LiteLLM's way to name provider and model."""
        if model is None or self.word is None:
            return model
        return model.removeprefix(f"{self.word}/") or model


def attempt_of(call: Mapping[str, object], payload: Mapping[str, object]) -> object:
    """What tells the attempts of a call apart: when this one was handed to the provider."""
    at = call.get("api_call_start_time") or payload.get("startTime")
    return at if type(at) is datetime else str(at)  # it is compared and no more; a text takes nine thousand steps


def own_id(response_id: str | None) -> str | None:
    """The provider's id of a response: LiteLLM packs it together with names of its own."""
    if response_id is None or not response_id.startswith("resp_bGl0ZWxsbT"):
        return response_id
    try:
        text = b64decode(response_id.removeprefix("resp_") + "==", validate=False).decode()
    except (Error, UnicodeDecodeError):
        return response_id
    found = PACKED_ID.search(text)
    return response_id if found is None else found[1]


PACKED_ID: Final = re.compile(r"response_id:([^;]+)")
