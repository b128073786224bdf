"""Which price list a call is under, and when the list alone would name a wrong price."""

from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta, timezone
from functools import lru_cache
from operator import attrgetter
from typing import Final

from .._dataclass import dataclass
from .._record import Generation, UnixNanos

PRICE_LISTS: Final[Mapping[str, str]] = {
    "anthropic": "anthropic",
    "aws.bedrock": "aws",
    "azure.ai.openai": "azure",
    "cerebras": "cerebras",
    "cohere": "cohere",
    "deepseek": "deepseek",
    "fireworks_ai": "fireworks",
    "gcp.gen_ai": "google",
    "gcp.gemini": "google",
    "gcp.vertex_ai": "google",
    "groq": "groq",
    "mistral_ai": "mistral",
    "moonshot_ai": "moonshotai",
    "openai": "openai",
    "openrouter": "openrouter",
    "perplexity": "perplexity",
    "together_ai": "together",
    "x_ai": "x-ai",
}
"""Provider → its id in genai-prices. A provider that is not here has no price: a model's name alone selects none."""

OPERATIONS: Final = frozenset(
    {
        "batch",
        "chat",
        "compact",
        "embeddings",
        "generate_content",
        "image_edit",
        "image_generation",
        "image_variation",
        "moderation",
        "realtime",
        "speech",
        "text_completion",
        "transcription",
        "translation",
    }
)
"""What is billed by the price of its model. Videos go by the second, and what others cost nobody knows."""

STANDARD_TIERS: Final = frozenset({None, "default", "standard", "auto", "ON_DEMAND"})
"""Service tiers, in an answer, that mean the price of the list."""

ALSO_STANDARD: Final[Mapping[str, frozenset[str]]] = {"groq": frozenset({"on_demand", "flex"})}
"""Groq's word for it, and a tier at the same price: https://console.groq.com/docs/flex-processing"""

BATCH: Final = "batch"
"""The tier of everything that is done in a batch."""

CONTEXTS: Final[Mapping[str, Mapping[str, str]]] = {
    "flex": {"service_tier": "flex"},
    "priority": {"service_tier": "priority"},
    "fast": {"service_tier": "fast"},
    BATCH: {"processing": "batch"},
}
"""Tiers with prices of their own → what genai-prices calls them. Any other is unknown, and so is the cost."""

OWN_CONTEXTS: Final[Mapping[tuple[str, str], Mapping[str, str]]] = {
    ("anthropic", "fast"): {"speed": "fast"},
}
"""Price list and tier → the same where a list has its own word for it."""

DEPLOYMENTS: Final = frozenset({"azure.ai.openai"})
"""Here the model that is asked for is a deployment, which may be named like a model that it is not."""

ROUTES: Final = frozenset({"aws.bedrock"})
"""
Here the model that is asked for says by which route (``us.``, ``global.``), at prices that differ by a tenth, and the
answer does not: https://docs.aws.amazon.com/bedrock/latest/userguide/cross-region-inference.html
"""

ALIASES: Final[Mapping[str, str]] = {
    "babbage:2023-07-21-v2": "babbage-002",
    "davinci:2023-07-21-v2": "davinci-002",
}
"""What answers call a model that no list has under that name."""

BEFORE_NAMES: Final[Mapping[str | None, str]] = {
    "gcp.gemini": "models/",
    "gcp.gen_ai": "models/",
    "gcp.vertex_ai": "google/",
}
"""Provider → what may stand before the name of a model where it speaks OpenAI's protocol, and in no list."""

EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """
    Under which terms a call is billed.

    Attributes:
        price_list: Id of the provider in genai-prices.
        model: The model that is billed.
        started: When it was asked for: prices change, some of them twice a day.
        tier: A service tier with prices of its own.
    """

    price_list: str
    model: str
    started: datetime
    tier: str | None = None

    @property
    def price_context(self) -> dict[str, str] | None:
        """As genai-prices wants to be told of a tier."""
        if self.tier is None:
            return None
        return dict(OWN_CONTEXTS.get((self.price_list, self.tier)) or CONTEXTS[self.tier])


def terms_of(generation: Generation, *, despite_doubts: bool = False) -> Terms | None:
    """
    The terms of a call; `None` where they are unknown, and for what is not billed by a list.

    Args:
        generation: The call, by our own name of its provider.
        despite_doubts: Also where the list's price is said to be wrong, for people who compare.
    """
    provider = generation.provider or ""
    model = _listed_model(generation)
    if provider not in PRICE_LISTS or not model or generation.operation not in OPERATIONS:
        return None
    started = instant(generation.timing.started)
    if started is None or not (despite_doubts or _is_believed(generation, model, started)):
        return None
    tier = tier_of(generation)
    if tier is None:
        return Terms(price_list=PRICE_LISTS[provider], model=model, started=started)
    if tier not in CONTEXTS:
        return None
    # genai-prices forgets the tier where Azure's list leaves a model to OpenAI's
    price_list = "openai" if provider == "azure.ai.openai" else PRICE_LISTS[provider]
    return Terms(price_list=price_list, model=model, started=started, tier=tier)


def _is_believed(generation: Generation, model: str, started: datetime) -> bool:
    standing = any(doubt(generation, model) for doubt in DOUBTS)
    return not (standing or is_doubtful_now(generation, model, started))


def is_doubtful_now(generation: Generation, model: str, started: datetime) -> bool:
    """Whether one of `DOUBTS_OF_THE_MOMENT` speaks against the price of a call by *model* that began at *started*."""
    for doubt in DOUBTS_OF_THE_MOMENT:  # noqa: SIM110 - a generator, for each call, costs twice as much
        if doubt(generation, model, started):
            return True
    return False


def tier_of(generation: Generation) -> str | None:
    """The tier by which a call is billed; `None` is the ordinary one."""
    tier = generation.service_tier
    ordinary = tier in STANDARD_TIERS or tier in ALSO_STANDARD.get(generation.provider or "", ())
    if generation.operation == BATCH and (ordinary or tier == BATCH):
        return BATCH
    if generation.operation == BATCH:
        return f"{BATCH} {tier}"
    return None if ordinary else tier


def billed_model(generation: Generation) -> str | None:
    """
    The model that answered.

    The one that was asked for says the price only where an answer names none (images, speech) or leaves something out:
    an answer by a model that is not listed, a newer snapshot say, may cost something else.
    """
    asked, answered = generation.request_model, generation.response_model
    if generation.provider in DEPLOYMENTS:
        return answered
    if not answered or generation.provider in ROUTES:
        return asked
    if asked is not None and asked.endswith(f"/{answered}"):  # OpenRouter may leave out the author
        return asked
    return ALIASES.get(answered, answered)


def _listed_model(generation: Generation) -> str | None:
    """The same by the name that it has in a list."""
    model = billed_model(generation)
    return None if model is None else model.removeprefix(BEFORE_NAMES.get(generation.provider, ""))


def instant(nanos: UnixNanos) -> datetime | None:
    """A moment as the lists want it; `None` beyond the year 9999."""
    try:
        return EPOCH + timedelta(microseconds=nanos // 1000)
    except OverflowError:
        return None


def second_of(nanos: UnixNanos) -> datetime | None:
    """The whole second of a moment, in a fifth of the time: prices change with a day or an hour, never within one."""
    return _second(nanos // 10**9)


@lru_cache(maxsize=64)
def _second(seconds: int) -> datetime | None:
    try:
        return EPOCH + timedelta(seconds=seconds)
    except OverflowError:
        return None


SEARCHING: Final = ("-search-preview", "-search-api")
"""Models that make a web search in every call, billed apart from the tokens and not reported."""

RESIDENT: Final = ".api.openai.com"
"""Data residency endpoints cost 10 % more for newer models: https://developers.openai.com/api/docs/guides/data-residency"""

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

ROUTER: Final = "model-router"
ROUTER_ALONE: Final = "auto"
"""
What is asked for, at Azure, where a router chooses the model, for a fee on top that no list has; a deployment of it may
be named otherwise: https://learn.microsoft.com/en-us/azure/foundry/openai/concepts/model-router-faq
"""

DISPUTED: Final[Mapping[str, tuple[str, ...]]] = {
    "deepseek": ("deepseek-chat", "deepseek-reasoner"),
    "mistral_ai": ("mistral-large-latest",),
    "together_ai": ("meta-llama/Llama-3.3-70B-Instruct-Turbo",),
}
"""Provider → models for which genai-prices 0.2.3 and LiteLLM 1.106 name prices that differ by up to four times."""

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


def _is_routed(generation: Generation, _model: str) -> bool:
    asked = generation.request_model or ""
    return generation.provider in DEPLOYMENTS and (asked == ROUTER_ALONE or ROUTER in asked)


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


DOUBTS: Final[tuple[Callable[[Generation, str], bool], ...]] = (
    _searches,
    _costs_more_here,
    _costs_more_in_region,
    _is_kept_in_a_region,
    _is_routed,
    _is_disputed,
)
"""
Cases in which the list's price is known or said to be wrong: then there is none.

They look at nothing but the fields that `kind_of` names: the answer for one call is that for all of its kind.
"""

DOUBTS_OF_THE_MOMENT: Final[tuple[Callable[[Generation, str, datetime], bool], ...]] = (
    _is_billed_in_blocks,
    _is_weekend_peak,
)
"""The same where it depends on when the call was made, or on what it used."""

kind_of: Final = attrgetter(
    "provider", "server_address", "request_model", "response_model", "operation", "service_tier", "inference_geo"
)
"""All that decides under which terms a call is billed, but for the time and `DOUBTS_OF_THE_MOMENT`."""
