"""LiteLLM's names: of the kinds of calls, of providers, of models, and the ids that it makes of others'."""

import re
from base64 import b64decode
from binascii import Error
from collections.abc import Mapping
from typing import Final, NamedTuple

from ._audio import SPEECH, TRANSCRIPTIONS
from ._chat import CHAT
from ._completions import COMPLETIONS
from ._embeddings import EMBEDDINGS
from ._formats import WireFormat
from ._images import IMAGES
from ._jobs import JOBS
from ._reading import as_name, dig
from ._responses import RESPONSES


class Kind(NamedTuple):
    """A kind of call."""

    operation: str
    format: WireFormat


KINDS: Final[Mapping[str, Kind]] = {
    "completion": Kind("chat", CHAT),
    "anthropic_messages": Kind("chat", CHAT),
    "generate_content": Kind("chat", CHAT),
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
    "create_batch": Kind("batch", JOBS),
    "retrieve_batch": Kind("batch", JOBS),
    "pass_through_endpoint": Kind("chat", CHAT),
    "allm_passthrough_route": Kind("chat", CHAT),
    "llm_passthrough_route": Kind("chat", CHAT),
}
"""LiteLLM's call type, without the ``a`` of the async one → what it is."""

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


def call_type_of(call: Mapping[str, object]) -> str:
    """LiteLLM's word for the kind of call, the same for sync and async."""
    name = as_name(call.get("call_type")) or "completion"
    return name[1:] if name[:1] == "a" and name[1:] in KINDS else name


def kind_of(call: Mapping[str, object]) -> Kind:
    """What kind of call it is; one that nobody knows is read as a chat."""
    name = call_type_of(call)
    return KINDS.get(name) or Kind(name, CHAT)


def is_streamed(call: Mapping[str, object]) -> bool:
    """Whether the answer came as a stream."""
    return dig(call, "standard_logging_object", "stream") is True or call.get("stream") is True


def provider_in(call: Mapping[str, object]) -> str | None:
    """Who was called; at an address of one's own it may be anybody."""
    key = "custom_llm_provider"
    name = as_name(call.get(key)) or as_name(dig(call, "standard_logging_object", key))
    return None if name is None else PROVIDERS.get(name, name)


def model_in(call: Mapping[str, object]) -> str | None:
    """The model that was asked for."""
    return without_prefix(as_name(dig(call, "standard_logging_object", "model")) or as_name(call.get("model")), call)


def without_prefix(model: str | None, call: Mapping[str, object]) -> str | None:
    """``openai/gpt-4o`` is LiteLLM's way to name provider and model."""
    provider = as_name(call.get("custom_llm_provider"))
    if model is None or provider is None:
        return model
    return model.removeprefix(f"{provider}/") or model


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
