"""Who made a model, and how OpenRouter would name it."""

from dataclasses import replace

import pytest
from export_samples import PLAIN, export_one

MAKERS = [
    # provider, model asked for, model that answered → system, both names
    ("openai", "gpt-4o", "gpt-4o-2024-08-06", "openai", "openai/gpt-4o", "openai/gpt-4o-2024-08-06"),
    ("openai", "text-embedding-3-small", None, "openai", "openai/text-embedding-3-small", None),
    ("openai", "ft:gpt-4o:acme::7", None, "openai", "openai/ft:gpt-4o:acme::7", None),
    ("azure.ai.openai", "prod-chat", "gpt-4o", "openai", "openai/prod-chat", "openai/gpt-4o"),
    ("azure.ai.openai", "cheap", "Mistral-Large-2411", "mistralai", "mistralai/cheap", "mistralai/Mistral-Large-2411"),
    ("azure.ai.openai", "grok-3", None, "x-ai", "x-ai/grok-3", None),
    ("anthropic", "claude-sonnet-4-5", None, "anthropic", "anthropic/claude-sonnet-4-5", None),
    ("deepseek", "deepseek-chat", None, "deepseek", "deepseek/deepseek-chat", None),
    ("mistral_ai", "mistral-small", None, "mistralai", "mistralai/mistral-small", None),
    ("x_ai", "grok-4", None, "x-ai", "x-ai/grok-4", None),
    ("perplexity", "sonar", None, "perplexity", "perplexity/sonar", None),
    ("cohere", "command-a", None, "cohere", "cohere/command-a", None),
    ("gcp.gemini", "gemini-2.5-pro", None, "google", "google/gemini-2.5-pro", None),
    ("gcp.gemini", "models/gemini-2.5-pro", None, "google", "google/gemini-2.5-pro", None),
    ("openrouter", "qwen/qwen3-coder", "qwen/qwen3-coder-next", "qwen", "qwen/qwen3-coder", "qwen/qwen3-coder-next"),
    ("openrouter", "openrouter/auto", "openai/gpt-4o", "openai", "openrouter/auto", "openai/gpt-4o"),
    ("openrouter", "openrouter/auto", None, "openrouter", "openrouter/auto", None),
    ("openrouter", "~anthropic/claude-latest", None, "anthropic", "~anthropic/claude-latest", None),
    ("groq", "openai/gpt-oss-120b", None, "openai", "openai/gpt-oss-120b", None),
    ("groq", "llama-3.3-70b-versatile", None, "groq", "llama-3.3-70b-versatile", None),
    ("together_ai", "Qwen/Qwen3-8B", None, "qwen", "Qwen/Qwen3-8B", None),
    (
        "fireworks_ai",
        "accounts/fireworks/models/kimi-k2",
        None,
        "fireworks_ai",
        "accounts/fireworks/models/kimi-k2",
        None,
    ),
    ("aws.bedrock", "anthropic.claude-3-haiku", None, "aws.bedrock", "anthropic.claude-3-haiku", None),
    (None, "llama3", None, None, "llama3", None),
    (None, "/models/llama3.gguf", None, None, "/models/llama3.gguf", None),
    ("openai", None, None, "openai", None, None),
]


@pytest.mark.parametrize(("provider", "asked", "answered", "system", "request_slug", "response_slug"), MAKERS)
def test_openrouter(
    provider: str | None,
    asked: str | None,
    answered: str | None,
    system: str | None,
    request_slug: str | None,
    response_slug: str | None,
) -> None:
    """System and provider name are the author of the model; names are slugs where the author is known."""
    sent = export_one(replace(PLAIN, provider=provider, request_model=asked, response_model=answered)).values
    keys = ("gen_ai.system", "gen_ai.provider.name", "gen_ai.request.model", "gen_ai.response.model")
    assert (system, system, request_slug, response_slug) == tuple(sent.get(key) for key in keys)


def test_conventions() -> None:
    """In the conventions' dialect the provider is who was called, and models are as they are."""
    azure = replace(PLAIN, provider="azure.ai.openai", request_model="prod-chat", response_model="gpt-4o")
    sent = export_one(azure, dialect="semconv").values
    keys = ("gen_ai.provider.name", "gen_ai.request.model", "gen_ai.response.model")
    assert ("azure.ai.openai", "prod-chat", "gpt-4o") == tuple(sent[key] for key in keys)
    assert "gen_ai.system" not in sent
