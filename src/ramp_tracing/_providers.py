"""
Who is behind a host.

A name is OpenTelemetry's ``gen_ai.provider.name`` where there is one, else OpenRouter's or LiteLLM's word in the same
style. A host that is not in the tables is nobody's: the model's name alone must not select a provider, let alone a
price, and a server on localhost or in a private network may be anything.
"""

from collections.abc import Iterator, Mapping
from functools import lru_cache
from typing import Final
from urllib.parse import urlsplit

PROVIDERS: Final[Mapping[str, str]] = {
    "aiplatform.googleapis.com": "gcp.vertex_ai",
    "api.anthropic.com": "anthropic",
    "api.cerebras.ai": "cerebras",
    "api.cohere.ai": "cohere",
    "api.cohere.com": "cohere",
    "api.deepseek.com": "deepseek",
    "api.fireworks.ai": "fireworks_ai",
    "api.groq.com": "groq",
    "api.mistral.ai": "mistral_ai",
    "api.moonshot.ai": "moonshot_ai",
    "api.openai.com": "openai",
    "api.perplexity.ai": "perplexity",
    "api.router.com": "ramp_router",
    "api.together.ai": "together_ai",
    "api.together.xyz": "together_ai",
    "api.x.ai": "x_ai",
    "azure-api.net": "azure.ai.openai",
    "claude.googleapis.com": "anthropic",
    "cognitiveservices.azure.com": "azure.ai.openai",
    "generativelanguage.googleapis.com": "gcp.gemini",
    "openai.azure.com": "azure.ai.openai",
    "openrouter.ai": "openrouter",
    "services.ai.azure.com": "azure.ai.openai",
}
"""Domain → provider. It stands for the domain itself and for everything below it (``eu.api.openai.com``)."""

ALIASES: Final[Mapping[str, str]] = {
    "amazon_bedrock": "aws.bedrock",
    "aws": "aws.bedrock",
    "aws_bedrock": "aws.bedrock",
    "azure": "azure.ai.openai",
    "azure_openai": "azure.ai.openai",
    "azure.ai.inference": "azure.ai.openai",
    "bedrock": "aws.bedrock",
    "fireworks": "fireworks_ai",
    "gemini": "gcp.gemini",
    "google": "gcp.gen_ai",
    "google_ai_studio": "gcp.gemini",
    "google_genai": "gcp.gen_ai",
    "google_vertex": "gcp.vertex_ai",
    "google_vertex_ai": "gcp.vertex_ai",
    "mistral": "mistral_ai",
    "mistralai": "mistral_ai",
    "moonshot": "moonshot_ai",
    "moonshotai": "moonshot_ai",
    "open_ai": "openai",
    "open_router": "openrouter",
    "together": "together_ai",
    "togetherai": "together_ai",
    "vertex": "gcp.vertex_ai",
    "vertex_ai": "gcp.vertex_ai",
    "vertexai": "gcp.vertex_ai",
    "xai": "x_ai",
}
"""
What people and libraries call a provider, in lower case and with ``_`` between words → our name.

``google`` says neither Gemini API nor Vertex; both are under one price list. A name that may be two providers' is not
here.
"""

REGIONAL: Final[tuple[tuple[str, str, str], ...]] = (
    ("aiplatform.", ".rep.googleapis.com", "gcp.vertex_ai"),
    ("aws-external-anthropic.", ".api.aws", "anthropic"),
    ("bedrock-mantle.", ".api.aws", "aws.bedrock"),
    ("bedrock-runtime.", ".amazonaws.com", "aws.bedrock"),
    ("bedrock-runtime.", ".amazonaws.com.cn", "aws.bedrock"),
    ("bedrock-runtime.", ".amazonaws.eu", "aws.bedrock"),
    ("bedrock-runtime.", ".api.aws", "aws.bedrock"),
    ("bedrock-runtime-fips.", ".amazonaws.com", "aws.bedrock"),
    ("bedrock-runtime-fips.", ".api.aws", "aws.bedrock"),
    ("", "-aiplatform.googleapis.com", "gcp.vertex_ai"),
)
"""
Hosts with a region inside: (how the name begins, how it ends, provider).

Claude's platform behind AWS's door, and behind Google's, is run by Anthropic; AWS says that it bills its prices:
https://docs.aws.amazon.com/claude-platform/latest/userguide/billing.html
"""

USAGE_ON_REQUEST: Final = "api.openai.com"
"""
The domain whose streams report usage when ``stream_options.include_usage`` asks for it.

An allow-list of one, because other servers answer 400 or 422 to a field they do not know.
"""

CACHED_HOSTS: Final = 256
"""An application talks to a handful of hosts; one that makes names up must not fill the memory."""


PLAIN_SCHEMES: Final = frozenset({"http", "ws"})
"""Of addresses without TLS, whose usual port is another."""


@lru_cache(maxsize=CACHED_HOSTS)
def address_in(url: str) -> tuple[str | None, int | None]:
    """
    Host and port that *url* leads to; of both `None` where it names no host, or cannot be read.

    Args:
        url: An address. Of one without a scheme (``//host``) the port is that of TLS.
    """
    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port
    except ValueError:
        return None, None
    usual = 80 if parts.scheme in PLAIN_SCHEMES else 443
    return (host, port or usual) if host else (None, None)


def provider_of(host: str | None, port: int | None, overrides: Mapping[str, str]) -> str | None:
    """
    The provider behind an endpoint.

    Args:
        host: Host name of the endpoint, without a scheme.
        port: Its port, if the address names one.
        overrides: The user's own word, by lower-case domain or ``domain:port``; it goes before the tables.

    Returns:
        `None` for a host that nobody knows.
    """
    if not host:
        return None
    return (_overridden(host, port, overrides) if overrides else None) or _known(host)


PLATFORMS: Final = frozenset({"aws.bedrock", "azure.ai.openai", "gcp.vertex_ai"})
"""Providers that a customer may reach under a name of its own: private links, domains in its own network."""

AT_HOME: Final = frozenset(PROVIDERS.values()) - PLATFORMS
"""
Providers whose addresses are all in the table. Elsewhere a library's word for one says which protocol is spoken: there
are servers and gateways for OpenAI's, Anthropic's and others'.
"""


def provider_at(named: str | None, host: str | None, port: int | None, overrides: Mapping[str, str]) -> str | None:
    """
    The provider where a library names one, and the address that it was given.

    Args:
        named: The library's word for it, in our terms.
        host: As for `provider_of`; `None` where the library was given no address: then it is the provider's own.
        port: Likewise.
        overrides: Likewise.

    Returns:
        `None` for an address that nobody knows and a provider that is not known to be there: its list is not asked.
    """
    known = provider_of(host, port, overrides)
    return known or (None if named in AT_HOME and host is not None else named)


def canonical(name: str) -> str:
    """Our name of a provider that somebody has named by hand; the name itself where we know no other."""
    plain = name.strip().lower().replace(" ", "_").replace("-", "_")
    return ALIASES.get(plain, plain)


@lru_cache(maxsize=CACHED_HOSTS)
def asks_for_usage(host: str) -> bool:
    """Whether a stream from *host* is known to accept ``stream_options.include_usage``. Azure is not decided here."""
    return USAGE_ON_REQUEST in _domains(host)


def _overridden(host: str, port: int | None, overrides: Mapping[str, str]) -> str | None:
    for domain in _domains(host):
        named = overrides.get(f"{domain}:{port}") or overrides.get(domain)
        if named is not None:
            return named
    return None


@lru_cache(maxsize=CACHED_HOSTS)
def _known(host: str) -> str | None:
    for domain in _domains(host):
        if domain in PROVIDERS:
            return PROVIDERS[domain]
    name = host.lower()
    return next((who for begins, ends, who in REGIONAL if name.startswith(begins) and name.endswith(ends)), None)


def _domains(host: str) -> Iterator[str]:
    """*host* and the domains above it, nearest first: ``eu.api.openai.com``, ``api.openai.com``, ``openai.com``…"""
    name = host.lower().rstrip(".")
    while name:
        yield name
        _, _, name = name.partition(".")
