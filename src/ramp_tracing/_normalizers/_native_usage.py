"""
Usage as other APIs than OpenAI's report it, where an answer of theirs comes by: pass-through endpoints, `client.post`.

Each counts in its own way; what comes out counts inclusively, as `Usage` does.
"""

from collections.abc import Mapping
from typing import Any, Final, NamedTuple

from ._reading import Path, as_count, as_items, as_name, dig, first_count, lacks

PLACES: Final[tuple[Path, ...]] = (
    ("usage",),
    ("x_groq", "usage"),
    ("message", "usage"),
    ("usageMetadata",),
    ("delta", "usage"),
    ("amazon-bedrock-invocationMetrics",),
)
"""
Where an answer or an event has its usage: nearly everybody; Groq's streams (https://console.groq.com/docs/api-reference);
Anthropic's message_start; Gemini; Cohere's message-end; the last message of Bedrock's streams.
"""

LOOSE: Final = ("prompt_eval_count", "eval_count", "inputTextTokenCount", "totalOutputTextTokenCount")
"""Counts that stand in the answer itself: Ollama's, Titan's."""


ELSEWHERE: Final = frozenset({place[0] for place in PLACES[1:]} | {"meta", *LOOSE})
"""What an answer or an event has that has its usage elsewhere."""


def usage_in(answer: object) -> object:
    """The usage of an answer or an event, of whichever API; `None` where there is none."""
    usage = dig(answer, "usage")
    # The chunk that says why a stream has ended nearly always has none yet; to look for it everywhere takes 30,000.
    if usage is not None or lacks(answer, ELSEWHERE):
        return usage
    for place in PLACES[1:]:
        usage = dig(answer, *place)
        if usage is not None:
            return usage
    if dig(answer, "meta", "billed_units") is not None or dig(answer, "meta", "tokens") is not None:
        return dig(answer, "meta")
    return answer if any(dig(answer, name) is not None for name in LOOSE) else None


class Shape(NamedTuple):
    """How one API counts."""

    marks: tuple[Path, ...]
    """Members that only this API has."""
    paths: Mapping[str, tuple[Path, ...]]
    """Field of `Usage` → where its count is, first that is one."""
    adds: Mapping[str, tuple[str, ...]] = {}
    """Field of `Usage` → what else this API counts apart from it: keys of `apart` or fields."""
    apart: Mapping[str, tuple[Path, ...]] = {}
    """Counts that have no field of their own."""
    lists: tuple[tuple[str, str, str], ...] = ()
    """Lists of counts by kind: (member, name of the kind, name of the count)."""
    kinds: Mapping[tuple[str, str], str] = {}
    """(Member, kind) → field of `Usage`."""
    wholes: Mapping[str, tuple[str, tuple[Path, ...]]] = {}
    """Field of `Usage` → a part that may be more than what is counted there, and where the count is that has it."""


BEDROCK: Final = Shape(
    marks=(("inputTokens",), ("outputTokens",), ("inputTokenCount",), ("outputTokenCount",)),
    paths={
        "input_tokens": (("inputTokens",), ("inputTokenCount",)),
        "output_tokens": (("outputTokens",), ("outputTokenCount",)),
        "total_tokens": (("totalTokens",),),
        "cache_read_tokens": (("cacheReadInputTokens",), ("cacheReadInputTokenCount",)),
        "cache_write_tokens": (("cacheWriteInputTokens",), ("cacheWriteInputTokenCount",)),
    },
    adds={"input_tokens": ("cache_read_tokens", "cache_write_tokens")},
    lists=(("cacheDetails", "ttl", "inputTokens"),),
    kinds={("cacheDetails", "5m"): "cache_write_5m_tokens", ("cacheDetails", "1h"): "cache_write_1h_tokens"},
)
"""Cache reads and writes go apart: https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_TokenUsage.html"""

GEMINI: Final = Shape(
    marks=(("promptTokenCount",), ("candidatesTokenCount",), ("totalTokenCount",)),
    paths={
        "input_tokens": (("promptTokenCount",),),
        "output_tokens": (("candidatesTokenCount",),),
        "total_tokens": (("totalTokenCount",),),
        "cache_read_tokens": (("cachedContentTokenCount",),),
        "reasoning_tokens": (("thoughtsTokenCount",),),
    },
    adds={"input_tokens": ("tool_use",), "output_tokens": ("reasoning_tokens",)},
    apart={"tool_use": (("toolUsePromptTokenCount",),)},
    lists=tuple(
        (name, "modality", "tokenCount")
        for name in ("promptTokensDetails", "promptTokenDetails", "candidatesTokensDetails", "cacheTokensDetails",
                     "toolUsePromptTokensDetails")
    ),
    kinds={
        ("promptTokensDetails", "AUDIO"): "input_audio_tokens",
        ("promptTokensDetails", "IMAGE"): "input_image_tokens",
        ("promptTokensDetails", "VIDEO"): "input_video_tokens",
        ("promptTokenDetails", "AUDIO"): "input_audio_tokens",
        ("promptTokenDetails", "IMAGE"): "input_image_tokens",
        ("promptTokenDetails", "VIDEO"): "input_video_tokens",
        ("toolUsePromptTokensDetails", "AUDIO"): "input_audio_tokens",
        ("toolUsePromptTokensDetails", "IMAGE"): "input_image_tokens",
        ("toolUsePromptTokensDetails", "VIDEO"): "input_video_tokens",
        ("candidatesTokensDetails", "AUDIO"): "output_audio_tokens",
        ("candidatesTokensDetails", "IMAGE"): "output_image_tokens",
        ("cacheTokensDetails", "AUDIO"): "cached_audio_tokens",
        ("cacheTokensDetails", "IMAGE"): "cached_image_tokens",
    },
)  # fmt: skip
"""https://ai.google.dev/api/generate-content#UsageMetadata: thoughts and the prompts of tools go apart."""

INTERACTIONS: Final = Shape(
    marks=(("total_input_tokens",), ("total_output_tokens",)),
    paths={
        "input_tokens": (("total_input_tokens",),),
        "output_tokens": (("total_output_tokens",),),
        "total_tokens": (("total_tokens",),),
        "cache_read_tokens": (("total_cached_tokens",),),
        "reasoning_tokens": (("total_thought_tokens",),),
    },
    adds={"input_tokens": ("tool_use",), "output_tokens": ("reasoning_tokens",)},
    apart={"tool_use": (("total_tool_use_tokens",),)},
    lists=(("input_tokens_by_modality", "modality", "tokens"),),
    kinds={
        ("input_tokens_by_modality", "AUDIO"): "input_audio_tokens",
        ("input_tokens_by_modality", "IMAGE"): "input_image_tokens",
        ("input_tokens_by_modality", "VIDEO"): "input_video_tokens",
    },
)
"""Gemini's Interactions API, https://ai.google.dev/gemini-api/docs/interactions, counts in the same way."""

COHERE: Final = Shape(
    marks=(("billed_units",), ("tokens", "input_tokens"), ("tokens", "output_tokens")),
    paths={
        "input_tokens": (("billed_units", "input_tokens"), ("tokens", "input_tokens")),
        "output_tokens": (("billed_units", "output_tokens"), ("tokens", "output_tokens")),
        "cache_read_tokens": (("cached_tokens",),),
        "reasoning_tokens": (("tokens", "reasoning_tokens"),),
        "input_image_tokens": (("billed_units", "image_tokens"), ("tokens", "image_tokens")),
    },
    wholes={
        "input_tokens": ("cache_read_tokens", (("tokens", "input_tokens"),)),
        "output_tokens": ("reasoning_tokens", (("tokens", "output_tokens"),)),
    },
)
"""
https://docs.cohere.com/reference/chat: what is billed, and with Cohere's own prompt what the model saw (``tokens``),
which is several times as much for a short question: https://docs.cohere.com/docs/how-does-cohere-pricing-work
"""

OLLAMA: Final = Shape(
    marks=(("prompt_eval_count",), ("eval_count",)),
    paths={"input_tokens": (("prompt_eval_count",),), "output_tokens": (("eval_count",),)},
)
"""https://docs.ollama.com/api/usage: a prompt that was cached is not counted."""

TITAN: Final = Shape(
    marks=(("inputTextTokenCount",), ("totalOutputTextTokenCount",)),
    paths={"input_tokens": (("inputTextTokenCount",),), "output_tokens": (("totalOutputTextTokenCount",),)},
    lists=(("results", "", "tokenCount"),),
    kinds={("results", ""): "output_tokens"},
)
"""https://docs.aws.amazon.com/bedrock/latest/userguide/model-parameters-titan-text.html"""

SHAPES: Final = (BEDROCK, GEMINI, INTERACTIONS, COHERE, OLLAMA, TITAN)

MARKS: Final = frozenset(mark[0] for shape in SHAPES for mark in shape.marks)

TIMES_TO_LIVE: Final = ("5m", "1h")

MODALITIES: Final[Mapping[int, str]] = {1: "TEXT", 2: "IMAGE", 3: "VIDEO", 4: "AUDIO", 5: "DOCUMENT"}
"""Clients of Vertex send the number: https://cloud.google.com/vertex-ai/docs/reference/rest/v1/Modality"""


def read_native(usage: object) -> dict[str, Any] | None:
    """Counts by field of `Usage`; `None` where the object is none of the shapes above."""
    if lacks(usage, MARKS):
        return None
    shape = next((each for each in SHAPES if any(dig(usage, *mark) is not None for mark in each.marks)), None)
    if shape is None:
        return None
    counts: dict[str, int | None] = {name: first_count(usage, paths) for name, paths in shape.paths.items()}
    apart = {name: first_count(usage, paths) for name, paths in shape.apart.items()}
    for name, others in shape.adds.items():
        counts[name] = _sum(counts[name], *({**counts, **apart}[other] for other in others))
    for name, (part, paths) in shape.wholes.items():
        if (counts[part] or 0) > (counts[name] or 0):
            counts[name] = first_count(usage, paths)
    counted = {name for name, count in counts.items() if count is not None}
    for member, kind_name, count_name in shape.lists:
        for item in as_items(dig(usage, member)):
            field = shape.kinds.get((member, _kind(item, kind_name)))
            if field is not None and field not in counted:
                counts[field] = _sum(counts.get(field), as_count(dig(item, count_name)))
    return counts


def _sum(*counts: int | None) -> int | None:
    """Of those that are known; `None` if none is."""
    known = [count for count in counts if count is not None]
    return sum(known) if known else None


def _kind(item: object, name: str) -> str:
    kind = dig(item, name) if name else ""
    if isinstance(kind, int):
        return MODALITIES.get(kind, "")
    text = as_name(kind) or ""
    return text if text in TIMES_TO_LIVE else text.upper()
