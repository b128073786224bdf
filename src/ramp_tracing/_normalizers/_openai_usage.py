"""
Usage as OpenAI's API and everything modelled on it reports it.

The shapes: https://platform.openai.com/docs/api-reference/chat/object (``prompt_tokens``, with
``prompt_tokens_details``) and https://platform.openai.com/docs/api-reference/responses/object (``input_tokens``, with
``input_tokens_details``). Both count inclusively. The other paths are those of compatible servers.
"""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any, Final

from .._record import Usage
from ._hosted_tools import NAMES as TOOL_NAMES
from ._hosted_tools import tools_in_usage
from ._native_usage import MARKS, read_native, usage_in
from ._reading import Path, as_amount, as_count, as_fields, as_items, dig, first_count, lacks, with_members
from ._usual_usage import UsualUsage

COUNTS: Final[Mapping[str, tuple[Path, ...]]] = {
    "input_tokens": (("prompt_tokens",), ("input_tokens",)),
    "output_tokens": (("completion_tokens",), ("output_tokens",)),
    "total_tokens": (("total_tokens",),),
}
"""Where each total is, first that is a count. A batch, a run and an image report the second form."""

INPUT_PARTS: Final[Mapping[str, tuple[Path, ...]]] = {
    "cache_read_tokens": (("cached_tokens",),),
    "cache_write_tokens": (("cache_write_tokens",), ("cache_creation_input_tokens",), ("cache_creation_tokens",)),
    "input_audio_tokens": (("audio_tokens",),),
    "input_image_tokens": (("image_tokens",),),
    "input_video_tokens": (("video_tokens",),),
    "cached_audio_tokens": (("cached_tokens_details", "audio_tokens"),),
    "cached_image_tokens": (("cached_tokens_details", "image_tokens"),),
    "cache_write_5m_tokens": (
        ("cache_creation_token_details", "ephemeral_5m_input_tokens"), ("cache_creation", "ephemeral_5m_input_tokens"),
    ),
    "cache_write_1h_tokens": (
        ("cache_creation_token_details", "ephemeral_1h_input_tokens"), ("cache_creation", "ephemeral_1h_input_tokens"),
    ),
    "cache_write_12h_tokens": (("cache_write_tokens_details", "ttl_12h_tokens"),),
}  # fmt: skip
OUTPUT_PARTS: Final[Mapping[str, tuple[Path, ...]]] = {
    "reasoning_tokens": (("reasoning_tokens",), ("thinking_tokens",)),
    "accepted_prediction_tokens": (("accepted_prediction_tokens",),),
    "rejected_prediction_tokens": (("rejected_prediction_tokens",),),
    "output_audio_tokens": (("audio_tokens",),),
    "output_image_tokens": (("image_tokens",),),
}
"""
Parts of the totals, inside the details. ``cached_tokens_details`` is the Realtime API's,
``cache_creation_token_details`` and ``cache_creation_tokens`` LiteLLM's, ``thinking_tokens`` Anthropic's; Qwen's has
Anthropic's names in there: https://www.alibabacloud.com/help/en/model-studio/context-cache
"""

INPUT_DETAILS: Final = (
    "prompt_tokens_details", "input_tokens_details", "input_token_details", "prompt_token_details",
)  # fmt: skip
"""
The third is what transcriptions say: https://platform.openai.com/docs/api-reference/audio/json-object; the fourth is
Writer's: https://dev.writer.com/api-reference/completion-api/chat-completion
"""

OUTPUT_DETAILS: Final = (
    "completion_tokens_details", "output_tokens_details", "output_token_details", "completion_token_details",
)  # fmt: skip

BESIDE: Final[Mapping[str, tuple[Path, ...]]] = {
    "cache_read_tokens": (
        ("prompt_cache_hit_tokens",), ("cache_read_input_tokens",), ("cached_tokens",), ("num_cached_tokens",),
    ),
    "cache_write_tokens": (("cache_creation_input_tokens",),),
    "cache_write_5m_tokens": (("cache_creation", "ephemeral_5m_input_tokens"),),
    "cache_write_1h_tokens": (("cache_creation", "ephemeral_1h_input_tokens"),),
    "input_audio_tokens": (("audio_prompt_tokens",),),
    "reasoning_tokens": (("reasoning_tokens",),),
}  # fmt: skip
"""
Parts that some servers put beside the totals: DeepSeek; Anthropic, and Databricks by the same names; Together and
Hugging Face; Mistral; Grok on Azure; SGLang and Perplexity.
"""

CITED: Final = "citation_tokens"
"""What only Perplexity counts, whose reasoning has a price of its own and is not in the output: https://docs.perplexity.ai/getting-started/pricing"""


IN_SECONDS: Final = ("type", "prompt_audio_seconds")
"""What only a usage that counts seconds has."""

ODD_NAMES: Final = frozenset({path[0] for paths in BESIDE.values() for path in paths} | {"iterations"})
"""What not everybody has beside the totals."""


def read_usage(usage: object, *, hosted_tools: Mapping[str, int] | None = None, images: int | None = None) -> Usage:
    """
    Usage from the ``usage`` object of an answer, also where that is another API's.

    Args:
        usage: As the server sent it, or as the client library parsed it; `None` where there is none.
        hosted_tools: Calls of hosted tools that the answer shows, by kind.
        images: How many images were made.
    """
    if usage is None or isinstance(usage, (str, int, float, list)):
        return Usage(hosted_tool_calls=hosted_tools or {}, images=images)
    usage = with_members(usage)
    usual = USUAL.read(usage, hosted_tools or {}, images)
    if usual is not None:
        return usual
    native = read_native(usage)
    counts = _counts(usage) if native is None else native
    tools = {**(hosted_tools or {}), **tools_in_usage(usage)}
    return Usage(**counts, audio_seconds=_seconds(usage), hosted_tool_calls=tools, images=images)


def _heads(*tables: Mapping[str, tuple[Path, ...]]) -> frozenset[str]:
    return frozenset(path[0] for table in tables for paths in table.values() for path in paths)


USUAL: Final = UsualUsage(
    _heads(COUNTS) | MARKS | TOOL_NAMES | ODD_NAMES | {*INPUT_DETAILS, *OUTPUT_DETAILS, *IN_SECONDS},
    _heads(INPUT_PARTS),
    _heads(OUTPUT_PARTS),
)


def _counts(usage: object) -> dict[str, Any]:
    counts: dict[str, Any] = {name: first_count(usage, paths) for name, paths in COUNTS.items()}
    counts.update(_parts(usage, INPUT_DETAILS, INPUT_PARTS))
    counts.update(_parts(usage, OUTPUT_DETAILS, OUTPUT_PARTS))
    if lacks(usage, ODD_NAMES):
        return _with_reasoning(counts)
    for name, paths in BESIDE.items():
        if counts[name] is None:
            counts[name] = first_count(usage, paths)
    if _counts_cache_apart(usage, counts):
        counts["input_tokens"] += (counts["cache_read_tokens"] or 0) + (counts["cache_write_tokens"] or 0)
    _with_reasoning(counts, is_apart=dig(usage, CITED) is not None)
    for iteration in as_items(dig(usage, "iterations")):
        if dig(iteration, "type") == COMPACTION:
            _add(iteration, counts)
    return counts


def _with_reasoning(counts: dict[str, Any], *, is_apart: bool = False) -> dict[str, Any]:
    if _counts_reasoning_apart(counts, is_apart=is_apart):
        counts["output_tokens"] += counts["reasoning_tokens"]
    return counts


COMPACTION: Final = "compaction"
"""
Anthropic's call of the model that shortens a conversation: billed, and not in the totals.
https://platform.claude.com/docs/en/build-with-claude/compaction#understanding-usage
"""

ITERATION: Final[Mapping[str, tuple[Path, ...]]] = {
    "input_tokens": (("input_tokens",),),
    "output_tokens": (("output_tokens",),),
    "cache_read_tokens": (("cache_read_input_tokens",),),
    "cache_write_tokens": (("cache_creation_input_tokens",),),
    "cache_write_5m_tokens": (("cache_creation", "ephemeral_5m_input_tokens"),),
    "cache_write_1h_tokens": (("cache_creation", "ephemeral_1h_input_tokens"),),
}


def _add(iteration: object, counts: dict[str, Any]) -> None:
    """Its input is without cache reads and writes, too."""
    more = {name: first_count(iteration, paths) for name, paths in ITERATION.items()}
    if more["input_tokens"] is not None:
        more["input_tokens"] += (more["cache_read_tokens"] or 0) + (more["cache_write_tokens"] or 0)
    for name, count in more.items():
        if count is not None:
            counts[name] = (counts[name] or 0) + count


def _counts_cache_apart(usage: object, counts: Mapping[str, Any]) -> bool:
    """
    Whether cache reads and writes come on top of the input, as in Anthropic's own answers.

    https://docs.anthropic.com/en/docs/build-with-claude/prompt-caching#tracking-cache-performance. Databricks gives
    the same names beside ``prompt_tokens``, and its prompt includes them:
    https://github.com/databricks/databricks-ai-bridge/issues/446. Parts that are more than the whole are none.
    """
    given, read, written = counts["input_tokens"], counts["cache_read_tokens"] or 0, counts["cache_write_tokens"] or 0
    if given is None or not any(as_count(dig(usage, name)) for name in ANTHROPIC_NAMES):
        return False
    return as_count(dig(usage, "prompt_tokens")) is None or read + written > given


ANTHROPIC_NAMES: Final = ("cache_read_input_tokens", "cache_creation_input_tokens")


def _counts_reasoning_apart(counts: Mapping[str, Any], *, is_apart: bool) -> bool:
    """
    Whether reasoning comes on top of the output: Grok's total, through chat completions, says so.

    https://docs.cloud.google.com/vertex-ai/generative-ai/docs/partner-models/grok/capabilities/reasoning
    """
    given, output, reasoning = counts["input_tokens"], counts["output_tokens"], counts["reasoning_tokens"]
    if not reasoning or output is None:
        return False
    return (
        is_apart or reasoning > output or (given is not None and given + output + reasoning == counts["total_tokens"])
    )


def _seconds(usage: object) -> Decimal | None:
    """Length of a recording. Mistral gives it beside the tokens: https://docs.mistral.ai/capabilities/audio"""
    if dig(usage, "type") == "duration":
        return as_amount(dig(usage, "seconds"))
    return as_amount(dig(usage, "prompt_audio_seconds"))


def _parts(usage: object, places: tuple[str, ...], parts: Mapping[str, tuple[Path, ...]]) -> dict[str, int | None]:
    details = next((found for place in places if (found := dig(usage, place)) is not None), None)
    if details is None:
        return dict.fromkeys(parts)
    details = with_members(details)
    return {name: first_count(details, paths) for name, paths in parts.items()}


def has_usage(answer: object) -> bool:
    """Whether an answer of an endpoint that nobody knows reports usage: then it was a billable call."""
    usage = usage_in(answer)
    if usage is None or isinstance(usage, (str, int, float, list)):
        return False
    return read_usage(usage).known or bool(as_fields(dig(usage, "cost")))
