"""What each rung of the ladder says of a call, for people who want to know why a call costs what it costs."""

from collections.abc import Mapping
from dataclasses import field, replace
from decimal import Decimal
from typing import Final, Literal

from .._config import Price, PriceTable
from .._dataclass import dataclass
from .._providers import canonical
from .._record import Cost, Generation
from ._ladder import cost_by_list, cost_by_own_prices
from ._litellm_map import LiteLLMPrices
from ._own_prices import own_price
from ._price_table import list_name, listed_prices
from ._terms import PRICE_LISTS, billed_model, terms_of, tier_of

RungName = Literal["litellm", "own", "list"]
"""LiteLLM's price (only for calls that go through it), the user's own table, the bundled list."""

NOTHING: Final[Mapping[str, str]] = {}


@dataclass(frozen=True, slots=True, kw_only=True)
class Rung:
    """
    One answer.

    Attributes:
        name: Which rung.
        price_list: Whose price.
        prices: What is billed → US dollars, as text; tokens by the million.
        cost: What the call costs by it; `None` if something is open.
    """

    name: RungName
    price_list: str
    prices: Mapping[str, str] = field(default_factory=lambda: NOTHING)
    cost: Cost | None = None


def rungs_of(generation: Generation, own: PriceTable | None, litellm: LiteLLMPrices | None) -> tuple[Rung, ...]:
    """
    The answers, in the order in which they are believed.

    Args:
        generation: A call.
        own: The user's own prices.
        litellm: LiteLLM's list, where it is at hand.
    """
    found: list[Rung] = []
    if litellm is not None and (price := _litellm_price(generation, litellm)) is not None:
        table = PriceTable(name="LiteLLM", prices=(replace(price, model="*"),))
        cost = cost_by_own_prices(generation, table)
        found.append(Rung(name="litellm", price_list="LiteLLM", prices=_texts(price, generation), cost=cost))
    by_our_name = replace(generation, provider=canonical(generation.provider or "") or None)
    price = None if own is None else own_price(by_our_name, own)
    if own is not None and price is not None:
        cost = cost_by_own_prices(generation, own)
        found.append(Rung(name="own", price_list=own.name, prices=_texts(price, generation), cost=cost))
    listed = listed_prices(by_our_name)
    if listed:
        cost = cost_by_list(generation, own)
        name = list_name() if cost is None or cost.price_list is None else cost.price_list
        found.append(Rung(name="list", price_list=name, prices=listed, cost=cost))
    return tuple(found)


def _litellm_price(generation: Generation, litellm: LiteLLMPrices) -> Price | None:
    """LiteLLM's price of the model of a call."""
    provider = canonical(generation.provider or "")
    model = billed_model(replace(generation, provider=provider)) or generation.request_model
    return litellm.price(provider, model) if provider and model else None


def _texts(price: Price, generation: Generation) -> Mapping[str, str]:
    tier = tier_of(generation)
    rates = price.rates if tier is None else price.tiers.get(tier, {})
    return {name: plain(amount) for name, amount in {**rates, **price.tools}.items()}


def plain(amount: Decimal) -> str:
    """Without exponent and trailing zeros."""
    return format(amount.normalize(), "f") if amount else "0"


def provider_listing(generation: Generation) -> str | None:
    """The first provider, by our name, whose list has the model of a call; for people who name none."""
    for provider in PREFERRED:
        if terms_of(replace(generation, provider=provider)) and listed_prices(replace(generation, provider=provider)):
            return provider
    return None


PREFERRED: Final = ("openai", "anthropic", "gcp.gemini", "mistral_ai", "deepseek", "x_ai", *PRICE_LISTS)
"""Those who make models before those who serve them."""
