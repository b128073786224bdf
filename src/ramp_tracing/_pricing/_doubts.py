"""When a price list alone would name a wrong price."""

import re
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta, timezone
from typing import Final

from .._record import Generation

AZURE: Final = "azure.ai.openai"
BEDROCK: Final = "aws.bedrock"

WINDOW: Final = "completion_window_hours"
"""The parameter of a record that says how long a background response may wait: `_normalizers/_parameters.py`."""

SEARCHING: Final = ("-search-preview", "-search-api")
"""Models that make a web search in every call, billed apart from the tokens and not reported."""

RESIDENT: Final = ".api.openai.com"
"""Data residency endpoints cost 10 % more for newer models: https://developers.openai.com/api/docs/guides/data-residency"""

GOOGLES_DOOR: Final = "claude.googleapis.com"
"""Anthropic's own platform, billed by Google; nobody says that its prices are the same, as AWS does of its own door."""

BEFORE_UPLIFT: Final = (
    "gpt-3.5", "gpt-4", "gpt-5-", "gpt-5.1", "gpt-5.2", "o1", "o3", "o4-mini", "omni-moderation", "text-embedding-",
    "tts-1", "whisper-1",
)  # fmt: skip
"""How models released before 2026-03-05 begin; they cost the same everywhere, and so does ``gpt-5`` itself."""

WITHOUT_REGION: Final = ("aiplatform.googleapis.com", None)
"""Vertex's global endpoint; the others cost a tenth more for newer models: https://cloud.google.com/vertex-ai/generative-ai/pricing"""

PRICED_BY_REGION: Final = ("claude-", "gemini-")

SAME_EVERYWHERE: Final = (
    "claude-3", "claude-opus-4-1", "claude-opus-4-2", "claude-opus-4@", "claude-sonnet-4-2", "claude-sonnet-4@",
    "gemini-1", "gemini-2", "gemini-embedding",
)  # fmt: skip
"""How those begin that cost the same in every region."""

US_PRICES: Final = frozenset({"us-east-1", "us-east-2", "us-west-2"})
"""
Regions of Bedrock for which the list is; in others most models cost more, by three to seventy percent:
https://aws.amazon.com/bedrock/pricing/
"""

US_ROUTE: Final = "us."
"""How a model is named that is billed so although nobody says in which region it was asked for, as with LangChain."""

APART: Final = ("cn-", "eusc-", "us-gov")
"""How regions and routes begin in which everything has prices of its own; those for the government are a fifth more."""

PRICED_BY_ROUTE: Final = ("claude-", "openai.gpt-5", "openai.gpt-6")
"""Prices of these differ by the route alone, which the list has."""

AWS_HOST: Final = re.compile(r"(?:^|\.)bedrock-(?:runtime|runtime-fips|mantle)\.([a-z0-9-]+)\.")
"""Also of an endpoint in a network of the customer's: ``vpce-….bedrock-runtime.eu-west-1.vpce.amazonaws.com``."""

AWS_NAME: Final = re.compile(r"^arn:aws[a-z-]*:bedrock:([a-z0-9-]+):")
"""How a model may be named that is asked for; a profile is billed by the region that it is asked in."""

LONG_ON_BEDROCK: Final = ("claude-sonnet-4-5", "claude-sonnet-4-2")
LONG_PROMPT: Final = 200_000
"""Beyond that many tokens these cost twice as much, and Bedrock's list does not know: https://aws.amazon.com/bedrock/pricing/"""

ROUTER: Final = "model-router"
ROUTER_ALONE: Final = "auto"
"""
What is asked for, at Azure, where a router chooses the model, for a fee on top that no list has; a deployment of it may
be named otherwise: https://learn.microsoft.com/en-us/azure/foundry/openai/concepts/model-router-faq
"""

FIREWORKS: Final = "accounts/fireworks/models/"

SOLD_BY_AZURE: Final = ("deepseek", "gpt-oss", "grok-3-mini")
"""
How others' models begin that cost up to four times as much at Azure as with their makers, where genai-prices looks:
https://azure.microsoft.com/pricing/details/ai-foundry-models/
"""

DISPUTED: Final[Mapping[str, tuple[str, ...]]] = {
    "deepseek": ("deepseek-chat", "deepseek-reasoner"),
    "fireworks_ai": (
        f"{FIREWORKS}deepseek-v4-flash-0731", f"{FIREWORKS}deepseek-v4-pro", f"{FIREWORKS}gemma-3-27b-it",
        f"{FIREWORKS}llama-v3p1-8b-instruct",
    ),
    "gcp.vertex_ai": ("gemini-3.8-flash-cyber",),
    "mistral_ai": ("magistral-small-latest", "mistral-large-latest", "mistral-medium", "open-mistral-nemo"),
    "together_ai": ("meta-llama/Llama-3.3-70B-Instruct-Turbo", "mistralai/Mixtral-8x7B-Instruct-v0.1"),
    "x_ai": ("grok-code-fast", "grok-code-fast-1", "grok-code-fast-1-0825"),
}  # fmt: skip
"""Provider → models for which genai-prices 0.2.3 and LiteLLM 1.106 to 1.110 differ, by up to nine times."""

BEIJING: Final = timezone(timedelta(hours=8))
SATURDAY: Final = 5
PEAK_HOURS: Final = frozenset({1, 2, 3, 6, 7, 8, 9})
"""Hours, UTC, in which DeepSeek's models from V4 on cost more, but not at weekends; the list does not know weekends."""


def _searches(_generation: Generation, model: str) -> bool:
    return any(part in model for part in SEARCHING)


def _costs_more_here(generation: Generation, model: str) -> bool:
    host = (generation.server_address or "").lower()
    name = model.removeprefix("ft:")
    return host.endswith(RESIDENT) and name != "gpt-5" and not name.startswith(BEFORE_UPLIFT)


def _costs_more_in_region(generation: Generation, model: str) -> bool:
    name = model.rpartition("/")[2]
    if generation.provider != "gcp.vertex_ai" or not name.startswith(PRICED_BY_REGION):
        return False
    if name.startswith(SAME_EVERYWHERE):
        return False
    return generation.server_address not in WITHOUT_REGION


def _costs_more_in_aws_region(generation: Generation, model: str) -> bool:
    if generation.provider != BEDROCK:
        return False
    found = AWS_HOST.search((generation.server_address or "").lower()) or AWS_NAME.match(model)
    region = None if found is None else found[1]
    if model.startswith(APART) or (region or "").startswith(APART):
        return True
    is_priced = region in US_PRICES if region is not None else model.startswith(US_ROUTE)
    return not is_priced and not any(name in model for name in PRICED_BY_ROUTE)


def _is_long_on_bedrock(generation: Generation, model: str, _started: datetime) -> bool:
    long = generation.provider == BEDROCK and (generation.usage.input_tokens or 0) > LONG_PROMPT
    return long and any(name in model for name in LONG_ON_BEDROCK)


def _is_billed_by_google(generation: Generation, _model: str) -> bool:
    return generation.server_address == GOOGLES_DOOR


def _is_routed(generation: Generation, _model: str) -> bool:
    asked = generation.request_model or ""
    return generation.provider == AZURE and (asked == ROUTER_ALONE or ROUTER in asked)


def _has_another_price_on_azure(generation: Generation, model: str) -> bool:
    return generation.provider == AZURE and model.lower().startswith(SOLD_BY_AZURE)


def _is_disputed(generation: Generation, model: str) -> bool:
    return model in DISPUTED.get(generation.provider or "", ())


def _is_weekend_peak(generation: Generation, _model: str, started: datetime) -> bool:
    if generation.provider != "deepseek" or started.hour not in PEAK_HOURS:
        return False
    return started.astimezone(BEIJING).weekday() >= SATURDAY


GLOBAL: Final = frozenset({None, "global", "not_available"})

SEARCH_BLOCKS: Final = ("gpt-4o-mini", "gpt-4.1-mini")
"""
How models begin that are billed 8,000 tokens for the results of each search, whatever the usage says:
https://platform.openai.com/docs/pricing#built-in-tools
"""


def _is_kept_in_a_region(generation: Generation, _model: str) -> bool:
    """Anthropic takes ten percent more for that, which no list has: https://platform.claude.com/docs/en/about-claude/pricing"""
    return generation.inference_geo not in GLOBAL


def _is_billed_in_blocks(generation: Generation, model: str, _started: datetime) -> bool:
    return bool(generation.usage.hosted_tool_calls.get("web_search_call")) and model.startswith(SEARCH_BLOCKS)


def _may_wait(generation: Generation, _model: str, _started: datetime) -> bool:
    """OpenAI takes less for a background response that may take hours, which no list has."""
    return WINDOW in generation.parameters


DOUBTS: Final[tuple[Callable[[Generation, str], bool], ...]] = (
    _searches,
    _costs_more_here,
    _costs_more_in_region,
    _costs_more_in_aws_region,
    _is_kept_in_a_region,
    _is_billed_by_google,
    _is_routed,
    _has_another_price_on_azure,
    _is_disputed,
)
"""
Cases in which the list's price is known or said to be wrong: then there is none.

They look at nothing but the fields that `kind_of` names: the answer for one call is that for all of its kind.
"""

DOUBTS_OF_THE_MOMENT: Final[tuple[Callable[[Generation, str, datetime], bool], ...]] = (
    _is_billed_in_blocks,
    _is_long_on_bedrock,
    _may_wait,
    _is_weekend_peak,
)
"""The same where it depends on when the call was made, or on what it used."""


def is_doubtful_now(generation: Generation, model: str, started: datetime) -> bool:
    """Whether one of `DOUBTS_OF_THE_MOMENT` speaks against the price of a call by *model* that began at *started*."""
    for doubt in DOUBTS_OF_THE_MOMENT:  # noqa: SIM110 - a generator, for each call, costs twice as much
        if doubt(generation, model, started):
            return True
    return False
