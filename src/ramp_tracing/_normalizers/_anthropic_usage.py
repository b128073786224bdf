"""
Usage as Anthropic's Messages API reports it: https://platform.claude.com/docs/en/api/messages/create

It counts exclusively: what is read from a prompt cache, or written to it, comes on top of ``input_tokens``.
"""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Final

from .._record import Usage
from ._openai_usage import read_usage
from ._reading import as_count, as_items, as_name, dig

FIELDS: Final = (
    "input_tokens",
    "output_tokens",
    "cache_creation_input_tokens",
    "cache_read_input_tokens",
    "cache_creation",
    "output_tokens_details",
    "server_tool_use",
    "iterations",
    "service_tier",
    "speed",
    "inference_geo",
)
"""What is kept of the usage of a stream. Several events tell it, each cumulatively, so the last one counts."""

COMPACTION: Final = "compaction"
"""
A call of the model that shortens the conversation first: billed, and not in the totals.
https://platform.claude.com/docs/en/build-with-claude/compaction#understanding-usage
"""

OWN: Final = frozenset({"message", COMPACTION})
"""
Iterations that the answer's own model made. Any other (an adviser, a fallback) has a price of its own, so it is counted
like a tool: https://platform.claude.com/docs/en/agents-and-tools/tool-use/advisor-tool
"""

TOOLS: Final[Mapping[str, str]] = {
    "web_search_requests": "web_search_call",
    "code_execution_requests": "code_execution_call",
}
"""Calls that are billed one by one; a fetched page costs its tokens only: https://platform.claude.com/docs/en/about-claude/pricing"""

EVERYWHERE: Final = frozenset({"global", "not_available"})
"""Places of inference that mean the price of the list; to be served in the US alone costs a tenth more."""


def usage_of(usage: object) -> Usage:
    """Usage from the ``usage`` object of a message, counted inclusively."""
    if usage is None:
        return Usage()
    iterations = list(as_items(dig(usage, "iterations")))
    billed = [usage, *(each for each in iterations if dig(each, "type") == COMPACTION)]
    read, written = _sum(billed, "cache_read_input_tokens"), _sum(billed, "cache_creation_input_tokens")
    fresh = _sum(billed, "input_tokens")
    counted = read_usage(usage)
    return replace(
        counted,
        input_tokens=None if fresh is None else fresh + (read or 0) + (written or 0),
        output_tokens=_sum(billed, "output_tokens"),
        cache_read_tokens=read,
        cache_write_tokens=written,
        reasoning_tokens=as_count(dig(usage, "output_tokens_details", "thinking_tokens")),
        hosted_tool_calls={**counted.hosted_tool_calls, **_tools(usage), **_others(iterations)},
    )


def tier_of(usage: object) -> str | None:
    """
    The service tier, and what else of how it was served has a price of its own: ``standard:fast``, ``standard:us``.

    https://platform.claude.com/docs/en/api/service-tiers
    """
    tier, speed, place = (as_name(dig(usage, name)) for name in ("service_tier", "speed", "inference_geo"))
    apart = [speed if speed != "standard" else None, place if place not in EVERYWHERE else None]
    return ":".join(each for each in (tier or ("standard" if any(apart) else None), *apart) if each) or None


def _sum(counted: Iterable[object], name: str) -> int | None:
    """Of those that are known; `None` if none is."""
    known = [count for each in counted if (count := as_count(dig(each, name))) is not None]
    return sum(known) if known else None


def _tools(usage: object) -> Mapping[str, int]:
    counts = {kind: as_count(dig(usage, "server_tool_use", name)) for name, kind in TOOLS.items()}
    return {kind: count for kind, count in counts.items() if count}


def _others(iterations: list[object]) -> Mapping[str, int]:
    kinds = [kind for each in iterations if (kind := as_name(dig(each, "type"))) and kind not in OWN]
    return {kind: kinds.count(kind) for kind in kinds}
