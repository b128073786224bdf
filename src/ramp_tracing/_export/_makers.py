"""
Who made a model. OpenRouter names models ``author/model`` and the author as the system; most providers name neither.

A host that serves models of others (Groq, Bedrock…) says nothing about the author, so there the model stays as it is.
"""

import re
from collections.abc import Mapping
from functools import lru_cache
from typing import Final

from .._record import Generation

AUTHORS: Final[Mapping[str, str]] = {
    "openai": "openai",
    "azure.ai.openai": "openai",
    "anthropic": "anthropic",
    "deepseek": "deepseek",
    "mistral_ai": "mistralai",
    "moonshot_ai": "moonshotai",
    "x_ai": "x-ai",
    "perplexity": "perplexity",
    "cohere": "cohere",
    "gcp.gemini": "google",
}
"""Providers that made what they serve → OpenRouter's name for them as an author."""

ALSO_SERVE_OTHERS: Final = frozenset({"openai", "azure.ai.openai"})
"""Azure's catalogue has models of many houses; anything may speak as ``openai`` behind a host that poses as it."""

FAMILIES: Final[Mapping[str, str]] = {
    "claude": "anthropic",
    "codestral": "mistralai",
    "cohere": "cohere",
    "command-": "cohere",
    "deepseek": "deepseek",
    "gemini": "google",
    "gemma": "google",
    "grok": "x-ai",
    "kimi": "moonshotai",
    "llama": "meta-llama",
    "magistral": "mistralai",
    "meta-llama": "meta-llama",
    "ministral": "mistralai",
    "mistral": "mistralai",
    "mixtral": "mistralai",
    "phi-": "microsoft",
    "qwen": "qwen",
    "qwq": "qwen",
}
"""How the names of other houses' models begin → author."""

FAMILY: Final = re.compile("|".join(map(re.escape, FAMILIES)))

NO_AUTHORS: Final = frozenset({
    "accounts", "azure", "azure_ai", "bedrock", "fireworks_ai", "gemini", "groq", "hosted_vllm", "huggingface",
    "litellm_proxy", "models", "ollama", "ollama_chat", "openrouter", "replicate", "together_ai", "vertex_ai",
})  # fmt: skip
"""What stands before a slash too: routers (``openrouter/auto``), LiteLLM's routes, Gemini's ``models/``."""

CACHED_MODELS: Final = 256
"""A program calls a handful; a server may name them as it likes, at whatever length."""

SLUG: Final = re.compile(r"~?([A-Za-z0-9][\w.-]*)/[^/]+")
"""The tilde marks OpenRouter's aliases (``~anthropic/claude-sonnet-latest``)."""


def system_of(generation: Generation) -> str | None:
    """The author of the model; where nobody says who that is, the provider that was called."""
    return _author_of(generation) or generation.provider


def request_slug(generation: Generation) -> str | None:
    """The model that was asked for, as ``author/model`` where the author is known."""
    return _slug(generation, generation.request_model)


def response_slug(generation: Generation) -> str | None:
    """The model that answered, as ``author/model`` where the author is known."""
    return _slug(generation, generation.response_model)


def _slug(generation: Generation, model: str | None) -> str | None:
    if not model or generation.provider not in AUTHORS:
        return model or None
    name = model.removeprefix("models/")
    return name if "/" in name else f"{_author_of(generation)}/{name}"


def _author_of(generation: Generation) -> str | None:
    return _author(generation.provider, generation.response_model, generation.request_model)


@lru_cache(maxsize=CACHED_MODELS)
def _author(provider: str | None, answered: str | None, asked: str | None) -> str | None:
    """The model that answered says it best: a request may name an alias, a deployment or ``openrouter/auto``."""
    names = [name for name in (answered, asked) if name]
    for name in names:
        match = SLUG.fullmatch(name) if "/" in name else None
        if match is not None and match[1] not in NO_AUTHORS:
            return match[1].lower()
    return _house(provider, names[0] if names else "")


def _house(provider: str | None, name: str) -> str | None:
    family = FAMILY.match(name.lower()) if provider in ALSO_SERVE_OTHERS else None
    if family is not None:
        return FAMILIES[family[0]]
    return None if provider is None else AUTHORS.get(provider)
