"""Who is behind a host."""

import pytest

from ramp_tracing._pricing._terms import PRICE_LISTS
from ramp_tracing._providers import (
    ALIASES,
    AT_HOME,
    PLATFORMS,
    PROVIDERS,
    address_in,
    asks_for_usage,
    canonical,
    provider_at,
    provider_of,
)


@pytest.mark.parametrize(
    ("host", "expected"),
    [
        ("api.openai.com", "openai"),
        ("API.OpenAI.com.", "openai"),
        ("eu.api.openai.com", "openai"),
        ("my-resource.openai.azure.com", "azure.ai.openai"),
        ("my-resource.cognitiveservices.azure.com", "azure.ai.openai"),
        ("my-resource.services.ai.azure.com", "azure.ai.openai"),
        ("gateway.azure-api.net", "azure.ai.openai"),
        ("openrouter.ai", "openrouter"),
        ("api.deepseek.com", "deepseek"),
        ("api.groq.com", "groq"),
        ("api.mistral.ai", "mistral_ai"),
        ("api.x.ai", "x_ai"),
        ("api.perplexity.ai", "perplexity"),
        ("api.anthropic.com", "anthropic"),
        ("generativelanguage.googleapis.com", "gcp.gemini"),
        ("aiplatform.googleapis.com", "gcp.vertex_ai"),
        ("us-central1-aiplatform.googleapis.com", "gcp.vertex_ai"),
        ("bedrock-runtime.eu-west-1.amazonaws.com", "aws.bedrock"),
        ("bedrock-runtime.cn-north-1.amazonaws.com.cn", "aws.bedrock"),
        ("bedrock-runtime.eusc-de-east-1.amazonaws.eu", "aws.bedrock"),
        ("bedrock-runtime.eu-west-1.api.aws", "aws.bedrock"),
        ("bedrock-mantle.us-east-1.api.aws", "aws.bedrock"),
        ("bedrock-mantle.us-east-1.api.aws.example.org", None),
        ("aiplatform.eu.rep.googleapis.com", "gcp.vertex_ai"),
        ("aws-external-anthropic.us-east-1.api.aws", "anthropic"),
        ("claude.googleapis.com", "anthropic"),
        ("api.together.xyz", "together_ai"),
        ("api.together.ai", "together_ai"),
        ("api.fireworks.ai", "fireworks_ai"),
        ("api.cerebras.ai", "cerebras"),
        ("api.moonshot.ai", "moonshot_ai"),
        ("api.router.com", "ramp_router"),
        ("localhost", None),
        ("127.0.0.1", None),
        ("10.0.0.5", None),
        ("::1", None),
        ("api.openai.com.example.org", None),
        ("notapi.openai.com", None),
        ("example.org", None),
        ("", None),
        (None, None),
    ],
)
def test_tables(host: str | None, expected: str | None) -> None:
    """A host belongs to the provider of the nearest domain that is in the table, or to nobody."""
    assert provider_of(host, 443, {}) == expected


@pytest.mark.parametrize(
    ("host", "port", "expected"),
    [
        ("llm.example.org", 443, "vllm"),
        ("EU.llm.example.org", None, "vllm"),
        ("localhost", 11434, "ollama"),
        ("localhost", 8000, None),
        ("api.openai.com", 443, "my_gateway"),
    ],
)
def test_overrides(host: str, port: int | None, expected: str | None) -> None:
    """The user's word goes before the tables; with a port it holds for that port alone."""
    overrides = {"llm.example.org": "vllm", "localhost:11434": "ollama", "api.openai.com": "my_gateway"}
    assert provider_of(host, port, overrides) == expected


@pytest.mark.parametrize(
    ("host", "expected"),
    [
        ("api.openai.com", True),
        ("eu.api.openai.com", True),
        ("API.OPENAI.COM", True),
        ("my-resource.openai.azure.com", False),
        ("openrouter.ai", False),
        ("api.openai.com.example.org", False),
        ("localhost", False),
        ("", False),
    ],
)
def test_asks_for_usage(host: str, expected: bool) -> None:
    """Only OpenAI's own hosts are asked for the usage of a stream; a server that does not know the field may refuse."""
    assert asks_for_usage(host) is expected


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("openai", "openai"),
        ("OpenAI", "openai"),
        (" Open AI ", "openai"),
        ("Azure OpenAI", "azure.ai.openai"),
        ("azure-openai", "azure.ai.openai"),
        ("google", "gcp.gen_ai"),
        ("Google Vertex AI", "gcp.vertex_ai"),
        ("vertexai", "gcp.vertex_ai"),
        ("gemini", "gcp.gemini"),
        ("bedrock", "aws.bedrock"),
        ("Amazon Bedrock", "aws.bedrock"),
        ("mistral", "mistral_ai"),
        ("xAI", "x_ai"),
        ("x-ai", "x_ai"),
        ("acme", "acme"),
        ("", ""),
    ],
)
def test_names_given_by_hand(name: str, expected: str) -> None:
    """A provider is known by what people and libraries call it; an unknown name stays what it is."""
    assert expected == canonical(name)


def test_other_names_lead_to_price_lists() -> None:
    """No alias stands for a provider that has none, or hides one of our own names."""
    assert set(ALIASES.values()) <= set(PRICE_LISTS)
    assert not ALIASES.keys() & {*PROVIDERS.values(), *PRICE_LISTS}


@pytest.mark.parametrize(
    ("named", "host", "expected"),
    [
        ("openai", None, "openai"),
        ("openai", "llm.internal", None),
        ("openai", "api.groq.com", "groq"),
        ("anthropic", None, "anthropic"),
        ("anthropic", "llm.internal", None),
        ("anthropic", "api.anthropic.com", "anthropic"),
        ("anthropic", "mine.example", "acme"),
        ("groq", "llm.internal", None),
        ("gcp.gemini", "llm.internal", None),
        ("gcp.vertex_ai", "llm.internal", "gcp.vertex_ai"),
        ("aws.bedrock", "vpce-0a1.bedrock.internal", "aws.bedrock"),
        ("azure.ai.openai", "llm.internal", "azure.ai.openai"),
        ("deepinfra", "api.deepinfra.com", "deepinfra"),
        ("openai", "mine.example", "acme"),
        (None, "llm.internal", None),
    ],
)
def test_a_librarys_word_for_a_provider(named: str | None, host: str | None, expected: str | None) -> None:
    """A server that speaks like a provider's, at an address that nobody knows, is nobody's."""
    assert expected == provider_at(named, host, 443, {"mine.example": "acme"})


def test_a_list_price_takes_a_known_address() -> None:
    """Whoever has a price list is known by an address, or is a platform, which the protocol alone gives away."""
    assert set(PRICE_LISTS) - {"gcp.gen_ai"} <= AT_HOME | PLATFORMS  # that is a word that people say by hand


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("https://api.openai.com/v1", ("api.openai.com", 443)),
        ("http://LLM.example.org/v1?x=//y", ("llm.example.org", 80)),
        ("http://127.0.0.1:8000", ("127.0.0.1", 8000)),
        ("http://[::1]:8000/v1", ("::1", 8000)),
        ("wss://key@api.openai.com/v1/realtime", ("api.openai.com", 443)),
        ("ws://localhost", ("localhost", 80)),
        ("//api.openai.com", ("api.openai.com", 443)),
        ("//localhost:9000", ("localhost", 9000)),
        ("/v1/batches?after=https://api.openai.com", (None, None)),
        ("v1/chat/completions", (None, None)),
        ("https://", (None, None)),
        ("https://[::1", (None, None)),
        ("https://api.openai.com:99999", (None, None)),
        ("", (None, None)),
    ],
)
def test_the_address_in_a_url(url: str, expected: tuple[str | None, int | None]) -> None:
    """Host and port, or nothing at all of what is no address."""
    assert address_in(url) == expected
