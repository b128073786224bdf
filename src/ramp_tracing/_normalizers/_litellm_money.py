"""What LiteLLM says a call used and cost. It has 0 for what is unknown, and counts of its own beside the provider's."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Final

from .._record import Cost, Usage, changed
from ._litellm_names import REPORTS_STREAM_USAGE, STREAMED_CHAT, Told
from ._openai_usage import read_usage
from ._reading import as_amount, as_count, as_fields, dig


def usage_in(told: Told, read: Usage) -> Usage:
    """
    The counts that *read*, the answer, has, else the payload's.

    Nothing but zeros is what LiteLLM says of usage that nobody reported, and zeros beside a total what it makes of the
    usage of edited images.
    """
    is_total_alone = not (read.input_tokens or read.output_tokens) and bool(read.total_tokens)
    if _says_something(read) and not is_total_alone:
        return read
    counted = read_usage(dig(told.payload, "metadata", "usage_object"))
    if _says_something(counted):
        return changed(counted, images=read.images) if is_total_alone else counted
    if is_total_alone:
        return changed(read, input_tokens=None, output_tokens=None)
    totals = _totals(told.payload)
    return totals if _says_something(totals) else Usage()


def _says_something(usage: Usage) -> bool:
    return bool(usage.input_tokens or usage.output_tokens or usage.audio_seconds or usage.images)


def _totals(payload: Mapping[str, object]) -> Usage:
    return Usage(
        input_tokens=as_count(payload.get("prompt_tokens")),
        output_tokens=as_count(payload.get("completion_tokens")),
        total_tokens=as_count(payload.get("total_tokens")),
    )


def is_estimated(told: Told, usage: Usage) -> bool:
    """
    Whether LiteLLM may have counted itself: it does for a stream in which no chunk had usage, and does not say so.

    Then there are no parts of the totals, which OpenAI and most others report; a reasoning of 0 is LiteLLM's own. Of
    Gemini's embeddings most come without usage, which LiteLLM counts as well.
    """
    if told.name == "embedding" and told.provider == "gcp.gemini" and usage.known:
        return dig(told.payload, "metadata", "usage_object", "prompt_tokens_details") is None
    if not told.is_streamed or not usage.known or told.name not in STREAMED_CHAT:
        return False
    if told.provider in REPORTS_STREAM_USAGE:
        return False
    if dig(told.call, "optional_params", "stream_options", "include_usage") is True:
        return False
    return usage.cache_read_tokens is None and usage.input_audio_tokens is None and not usage.reasoning_tokens


def cost_in(told: Told, reported: Cost | None) -> Cost | None:
    """
    LiteLLM's price. It says 0 of what it has no price for; only an answer from its cache is free.

    What a provider itself reports goes first: with the user's own key at OpenRouter, LiteLLM knows OpenRouter's fee
    alone. Other providers' answers may hold LiteLLM's own number in the same place; and a margin or a discount that
    LiteLLM was told of is the user's own word on the price.
    """
    if told.is_cached:
        return Cost(total=Decimal(0), source="gateway")
    is_theirs = reported is not None and told.provider in REPORTS_COST
    if is_theirs and not _is_adjusted(as_fields(told.payload.get("cost_breakdown"))):
        return reported
    amount = as_exact(told.call.get("response_cost"))
    return Cost(total=amount, source="gateway") if amount or (amount is not None and is_free(told.call)) else None


def is_free(call: Mapping[str, object]) -> bool:
    """
    Whether LiteLLM was told that a token costs nothing: on the call, or by the Router's deployment.

    https://docs.litellm.ai/docs/proxy/custom_pricing: what was bought beforehand (Azure's provisioned throughput), and
    models on one's own machines. Only then is its 0 a price.
    """
    params = as_fields(call.get("litellm_params"))
    places = (params, *(as_fields(dig(params, *place)) for place in DEPLOYMENTS))
    return call.get("exception") is None and any(map(_costs_nothing, places))


DEPLOYMENTS: Final = (("model_info",), ("metadata", "model_info"), ("litellm_metadata", "model_info"))
"""Where the Router has what it was told of a deployment."""


def _costs_nothing(prices: Mapping[str, object]) -> bool:
    asked, answered = as_amount(prices.get("input_cost_per_token")), as_amount(prices.get("output_cost_per_token"))
    return asked == 0 and (answered == 0 or (answered is None and prices.get("mode") == "embedding"))


REPORTS_COST: Final = frozenset({"openrouter", "perplexity", "x_ai"})
"""Providers whose answers say what they cost."""


def _is_adjusted(breakdown: Mapping[str, object]) -> bool:
    discount, margin = breakdown.get("discount_amount"), breakdown.get("margin_total_amount")
    return bool((discount and as_exact(discount)) or (margin and as_exact(margin)))


def as_exact(value: object) -> Decimal | None:
    """An amount without the noise that floating-point sums leave in the last of their 17 digits."""
    return as_amount(f"{value:.15g}" if isinstance(value, float) else value)


def money_in(told: Told) -> dict[str, object]:
    """What LiteLLM says of the price beside its total: entries of our metadata."""
    breakdown = as_fields(told.payload.get("cost_breakdown"))
    found: dict[str, Decimal | None] = {}
    if told.is_cached:
        found = {"litellm.saved_cost": as_exact(told.payload.get("saved_cache_cost"))}
    elif _is_adjusted(breakdown):
        found = {key: as_exact(breakdown.get(name)) for key, name in BREAKDOWN.items()}
    said: dict[str, object] = {key: float(amount) for key, amount in found.items() if amount}
    return {"litellm.cache_hit": True, **said} if told.is_cached else said


BREAKDOWN: Final[Mapping[str, str]] = {
    "litellm.original_cost": "original_cost",
    "litellm.discount": "discount_amount",
    "litellm.margin": "margin_total_amount",
}
"""Key of our metadata → where LiteLLM has the amount: https://docs.litellm.ai/docs/proxy/provider_discounts"""
