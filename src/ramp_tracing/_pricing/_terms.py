"""Which price list a call is under."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from operator import attrgetter
from typing import Final

from .._dataclass import dataclass
from .._record import Generation, UnixNanos
from ._doubts import DOUBTS, is_doubtful_now

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
    return Terms(price_list=_list_with_tiers(provider, model), model=model, started=started, tier=tier)


def _list_with_tiers(provider: str, model: str) -> str:
    """genai-prices forgets the tier where Azure's list leaves a model to OpenAI's, and Google's one to Anthropic's."""
    if provider == "azure.ai.openai":
        return "openai"
    price_list = PRICE_LISTS[provider]
    return "anthropic" if price_list == "google" and model.startswith("claude-") else price_list


def _is_believed(generation: Generation, model: str, started: datetime) -> bool:
    standing = any(doubt(generation, model) for doubt in DOUBTS)
    return not (standing or is_doubtful_now(generation, model, started))


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


kind_of: Final = attrgetter(
    "provider", "server_address", "request_model", "response_model", "operation", "service_tier", "inference_geo"
)
"""All that decides under which terms a call is billed, but for the time and `DOUBTS_OF_THE_MOMENT`."""
