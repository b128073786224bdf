"""Which model a run of LangChain's asks, and of whom: what it tells when the run begins."""

from collections.abc import Mapping
from typing import Final, NamedTuple

from ._litellm_names import PROVIDERS as LITELLM_PROVIDERS
from ._parameters import numbers_in
from ._reading import as_fields, as_name

PROVIDERS: Final[Mapping[str, str]] = {
    "amazon_bedrock": "aws.bedrock",
    "anthropic-bedrock": "aws.bedrock",
    "azure": "azure.ai.openai",
    "fireworks": "fireworks_ai",
    "google_anthropic_vertex": "gcp.vertex_ai",
    "google_genai": "gcp.gemini",
    "google_vertexai": "gcp.vertex_ai",
    "ibm": "ibm.watsonx.ai",
    "mistral": "mistral_ai",
    "mistralai": "mistral_ai",
    "moonshot": "moonshot_ai",
    "together": "together_ai",
    "xai": "x_ai",
}
"""LangChain's word for a provider (``ls_provider``) → ours; what is not here is the same word."""

BASES: Final = (
    "openai_api_base", "azure_endpoint", "anthropic_api_url", "openrouter_api_base", "groq_api_base",
    "mistral_api_base", "xai_api_base", "api_base", "base_url", "endpoint_url", "endpoint",
)  # fmt: skip
"""What classes call the address that they were given."""

MODELS: Final = ("model", "model_name", "model_id")
"""What classes call the model among the parameters of a request."""


class LangChainModel(NamedTuple):
    """What a run is about to ask."""

    word: str | None
    """LangChain's word for the provider; a gateway's for one that asks somebody else."""
    provider: str | None
    base_url: str | None
    """The address that the model was given; `None` where it has its own."""
    model: str | None
    parameters: Mapping[str, float]


def read_model(
    serialized: Mapping[str, object], params: Mapping[str, object], metadata: Mapping[str, object]
) -> LangChainModel:
    """
    What a run is about to ask.

    Args:
        serialized: The model, as LangChain describes it.
        params: ``invocation_params``.
        metadata: Of the run.
    """
    kwargs = as_fields(serialized.get("kwargs"))
    word = as_name(metadata.get("ls_provider"))
    model = model_in(params, metadata)
    provider = PROVIDERS.get(word, word) if word else None
    if word == "litellm":
        provider, model = _behind_litellm(model)
    return LangChainModel(word, provider, _first(kwargs, BASES) if kwargs else None, model, numbers_in(params))


def model_in(params: Mapping[str, object], metadata: Mapping[str, object]) -> str | None:
    """The name of the model that is asked, as for `read_model`; a gateway's name for one includes the provider's."""
    return _first(params, MODELS) or as_name(metadata.get("ls_model_name"))


def _first(fields: Mapping[str, object], keys: tuple[str, ...]) -> str | None:
    for key in keys:
        name = as_name(fields[key]) if key in fields else None
        if name is not None:
            return name
    return None


def _behind_litellm(model: str | None) -> tuple[str | None, str | None]:
    """``openai/gpt-4o`` is LiteLLM's way to name provider and model."""
    prefix, slash, rest = (model or "").partition("/")
    return (LITELLM_PROVIDERS.get(prefix, prefix), rest) if slash and rest else (None, model)
