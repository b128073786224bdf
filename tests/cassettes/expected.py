"""What the span of a recorded call has to say, read from its row in the index; nothing is looked up in our own code."""

import json
import re
from collections.abc import Mapping
from decimal import Decimal
from typing import Any, Final

from ramp_tracing.testing import ReceivedSpan

from .shelf import Row

COUNTS: Final[Mapping[str, str]] = {
    "prompt_tokens": "gen_ai.usage.input_tokens",
    "completion_tokens": "gen_ai.usage.output_tokens",
    "total_tokens": "gen_ai.usage.total_tokens",
    "cached_tokens": "gen_ai.usage.input_tokens.cached",
    "cache_write_tokens": "gen_ai.usage.input_tokens.cache_write",
    "reasoning_tokens": "gen_ai.usage.output_tokens.reasoning",
    "prompt_audio_tokens": "gen_ai.usage.input_tokens.audio",
    "completion_audio_tokens": "gen_ai.usage.output_tokens.audio",
}
"""Column of the index → attribute."""

PROVIDERS: Final[Mapping[str, str]] = {
    "azure_ai": "azure.ai.openai",
    "azure_openai": "azure.ai.openai",
    "deepseek": "deepseek",
    "groq": "groq",
    "mistral": "mistral_ai",
    "openai": "openai",
    "openrouter": "openrouter",
    "perplexity": "perplexity",
    "together": "together_ai",
    "xai": "x_ai",
}
"""The index's word for who was called → ours. The other hosts are nobody's, here as in life."""

REPORTED: Final = frozenset({"provider", "gateway"})
"""Sources of a cost that stood in the answer; a cost from the price table is ours."""

MAY_REPEAT: Final = re.compile(r"\w+-\d{1,13}")
"""Ids that are a counter (Ollama) or the time (Cloudflare): another machine may meet them too."""


def said_by_index(row: Row) -> dict[str, Any]:
    """What the index says of a call that was answered."""
    return {
        "model": row["model"] or None,
        "response id": row["response_id"] or None,
        "finish reasons": row["finish_reasons"].split(";") if row["finish_reasons"] else None,
        "reported cost": _reported_cost(row),
        **{column: int(row[column]) if row[column] else None for column in COUNTS},
    }


def said_by_span(row: Row, span: ReceivedSpan) -> dict[str, Any]:
    """The same of the span that Ramp received."""
    attributes = span.attributes
    reasons = attributes.get("gen_ai.response.finish_reasons")
    return {
        "model": _without_author(row["model"], attributes.get("gen_ai.response.model")),
        "response id": _response_id(row, attributes),
        "finish reasons": None if reasons is None else json.loads(str(reasons)),
        "reported cost": (
            attributes.get("gen_ai.usage.total_cost") if attributes.get("ramp.cost.source") in REPORTED else None
        ),
        **{column: attributes.get(attribute) for column, attribute in COUNTS.items()},
    }


def _reported_cost(row: Row) -> Decimal | None:
    """With the user's own key (``is_byok``) the provider charges beside OpenRouter."""
    if not row["cost"]:
        return None
    return Decimal(row["cost"]) + (Decimal(row["upstream_cost"]) if row["is_byok"] == "y" else 0)


def _without_author(model: str, slug: object) -> object:
    """``author/model`` counts as *model*, unless that has an author itself."""
    return model if isinstance(slug, str) and slug.partition("/")[2] == model else slug


def _response_id(row: Row, attributes: Mapping[str, object]) -> object:
    """
    The provider's id; where it is good for it, the id of the generation is the same.

    An answer without an id (embeddings, images…) still is a generation with an id.
    """
    own, provider = attributes["gen_ai.response.id"], attributes.get("trace.metadata.provider_response_id")
    if MAY_REPEAT.fullmatch(row["response_id"]) and provider is not None:
        return provider
    return own if row["response_id"] else provider


def failure_said_by_index(row: Row) -> dict[str, Any]:
    """How the call ended, by the index."""
    if row.status >= 400:
        raised = RAISED[row.status]
        return {"status": ERROR, "level": "ERROR", "exception": raised, "error": str(row.status)}
    if row["outcome"] == "error_in_body":
        kind = row["error_type"] or "error"
        return {"status": ERROR, "level": "ERROR", "exception": kind, "error": kind}
    return {"status": OK, "level": "DEFAULT", "exception": None, "error": None}


def failure_said_by_span(span: ReceivedSpan) -> dict[str, Any]:
    """How the call ended, by the span."""
    exceptions = [event.attributes.get("exception.type") for event in span.events if event.name == "exception"]
    return {
        "status": span.status,
        "level": span.attributes.get("span.level"),
        "exception": exceptions[0] if exceptions else None,
        "error": span.attributes.get("error.type"),
    }


OK: Final = 1
ERROR: Final = 2
"""OTLP's numbers for the status of a span."""

RAISED: Final[Mapping[int, str]] = {
    400: "BadRequestError",
    401: "AuthenticationError",
    404: "NotFoundError",
    429: "RateLimitError",
    500: "InternalServerError",
}
"""HTTP status → what the client raises."""
