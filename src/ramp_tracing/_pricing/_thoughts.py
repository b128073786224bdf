"""
Gemini's thoughts where no count has them.

On the OpenAI-compatible endpoint the completion leaves out what a model thought, while the total has it, and no detail
says so: 35 + 12 tokens, 109 in total. Google bills thoughts as output: https://ai.google.dev/gemini-api/docs/pricing.
"""

import re
from dataclasses import replace
from typing import Final

from .._record import Generation

GOOGLE: Final = frozenset({"gcp.gemini", "gcp.gen_ai", "gcp.vertex_ai"})

THINKS: Final = re.compile(r"(google/|models/)*gemini-(2\.5|[3-9])")
"""Models that think. With an older one the difference is something else, and so nobody knows the price."""


def with_thoughts(generation: Generation) -> Generation:
    """The call with the thoughts in its output, for reckoning only: the record keeps what was reported."""
    if generation.provider not in GOOGLE:
        return generation
    usage = generation.usage
    model = generation.response_model or generation.request_model or ""
    if usage.reasoning_tokens or not THINKS.match(model):
        return generation
    if usage.input_tokens is None or usage.output_tokens is None or usage.total_tokens is None:
        return generation
    hidden = usage.total_tokens - usage.input_tokens - usage.output_tokens
    if hidden <= 0:
        return generation
    counted = replace(usage, output_tokens=usage.output_tokens + hidden, reasoning_tokens=hidden)
    return replace(generation, usage=counted)
