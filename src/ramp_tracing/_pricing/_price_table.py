"""
The bundled price table: genai-prices, https://github.com/pydantic/genai-prices.

Its data comes with the package, and nothing here lets it fetch newer data.
"""

from collections.abc import Collection, Mapping
from datetime import datetime
from decimal import Decimal, localcontext
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from typing import TYPE_CHECKING, Final

from .._record import Cost, Generation, Usage
from ._genai_prices import genai_prices
from ._rounding import EXACT, rounded
from ._terms import BATCH, Terms, terms_of
from ._units import CALL_PRICES, Count, counts_to_bill

if TYPE_CHECKING:
    from genai_prices.data_snapshot import DataSnapshot
    from genai_prices.types import ModelInfo, ModelPrice, PriceCalculation, TieredPrices

FREE_VARIANT: Final = ":free"
"""How OpenRouter names models that cost nothing."""

FREE_FAMILIES: Final[Mapping[str, str]] = {"gcp.gemini": "gemma-"}
"""Provider → how its models begin that cost nothing: https://ai.google.dev/gemini-api/docs/pricing"""


def table_cost(generation: Generation, *, discount: Decimal = Decimal(0)) -> Cost | None:
    """
    What a call costs by the price table.

    Args:
        generation: The call.
        discount: The part of the list price that its provider takes off for this user.

    Returns:
        `None` unless host, model, tier and every unit are known; a cost of 0 is a model that costs nothing.
    """
    terms = terms_of(generation)
    if terms is None or generation.usage.video_seconds:
        return None
    with localcontext(EXACT):
        try:
            return _listed(generation, terms, discount)
        except (LookupError, ValueError, ArithmeticError):  # not in the list, or usage that it finds contradictory
            return None


def _listed(generation: Generation, terms: Terms, discount: Decimal) -> Cost | None:
    table = list_now()
    model, prices = _model_and_prices(table, terms)
    row = names_in(prices)
    if not row:
        return _nothing(table, terms) if _is_free(generation, terms.model) else None
    if terms.tier is not None:
        row &= _tier_prices(model, terms)
        if _may_be_past_a_step(generation, prices, model.get_prices(terms.started)):
            return None
    shares = shares_of(generation.usage, row, table=table, terms=terms, operation=generation.operation)
    return None if shares is None else cost_of(shares, table, started=terms.started, discount=discount)


def shares_of(
    usage: Usage, row: Collection[str], *, table: "DataSnapshot", terms: Terms, operation: str
) -> tuple[Decimal, Decimal] | None:
    """
    What *usage* costs, exact: input and output.

    What the list counts to neither, fees of tools and requests, goes in with the input.

    Args:
        usage: The counts.
        row: What there are prices for.
        table: The list.
        terms: Those of the call.
        operation: What the call was.

    Returns:
        `None` if something is not priced or not counted.

    Raises:
        LookupError: The list does not have the model.
        ValueError: The list finds the counts contradictory.
        ArithmeticError: Likewise.
    """
    counts = counts_to_bill(usage, row, price_list=terms.price_list, operation=operation)
    if CALL_PRICES.issuperset(row) or counts is None:
        return None
    listing = _look_up(table, terms, counts)
    return listing.total_price - listing.output_price, listing.output_price


def _nothing(table: "DataSnapshot", terms: Terms) -> Cost:
    nothing = Decimal(0)
    _look_up(table, terms, {})  # raises where it is not in the list
    return cost_of((nothing, nothing), table, started=terms.started, discount=nothing)


def cost_of(shares: tuple[Decimal, Decimal], table: "DataSnapshot", *, started: datetime, discount: Decimal) -> Cost:
    """The cost by *table* of a call that began at *started*; see `table_cost` for the discount."""
    name = list_name()
    if table.from_auto_update:  # the application fetches newer prices
        name = f"{name}, {table.timestamp.date().isoformat()}"
    if not discount:
        return rounded(*shares, source="price_table", price_list=name, started=started)
    with localcontext(EXACT):
        share_paid = 1 - discount
        percent = format((discount * 100).normalize(), "f")
        reduced = (shares[0] * share_paid, shares[1] * share_paid)
    return rounded(*reduced, source="custom", price_list=f"{name}, less {percent} %", started=started)


@cache
def list_name() -> str:
    """The list, with its version: ``genai-prices 0.2.3``."""
    try:
        return f"genai-prices {version('genai-prices')}"
    except PackageNotFoundError:
        return "genai-prices"


RATE_NAMES: Final[Mapping[str, str]] = {
    "input_mtok": "input",
    "output_mtok": "output",
    "cache_read_mtok": "cached",
    "cache_write_mtok": "cache_write",
    "cache_write_1h_mtok": "cache_write_1h",
    "output_reasoning_mtok": "reasoning",
    "input_audio_mtok": "input_audio",
    "output_audio_mtok": "output_audio",
    "cache_audio_read_mtok": "cached_audio",
    "input_image_mtok": "input_image",
    "output_image_mtok": "output_image",
    "input_video_mtok": "input_video",
    "input_mchars": "million_characters",
}
"""The list's name of a price → the name that a table of the user's own has for it; others keep the list's."""


def listed_prices(generation: Generation) -> Mapping[str, str]:
    """The prices of a call's model in the list, in US dollars as text, also doubtful ones; none if it has none."""
    terms = terms_of(generation, despite_doubts=True)
    if terms is None:
        return {}
    table = list_now()
    try:
        listing = _look_up(table, terms, {})
    except (LookupError, ValueError, ArithmeticError):
        return {}
    row = {name: price for name, price in vars(listing.model_price).items() if price is not None}
    if terms.tier is not None:
        known = _tier_prices(listing.model, terms)
        row = {name: price for name, price in row.items() if name in known}
    return {RATE_NAMES.get(name, name): _price_text(price) for name, price in row.items()}


def _price_text(price: "Decimal | TieredPrices") -> str:
    if isinstance(price, Decimal):
        return format(price.normalize(), "f")
    steps = ", ".join(f"{format(tier.price.normalize(), 'f')} beyond {tier.start:,} tokens" for tier in price.tiers)
    return f"{format(price.base.normalize(), 'f')} ({steps})"


def list_now() -> "DataSnapshot":
    """The list as it is now: an application may fetch newer prices at any time, also between two looks at it."""
    table: DataSnapshot = genai_prices().data_snapshot.get_snapshot()
    return table


def _look_up(table: "DataSnapshot", terms: Terms, counts: Mapping[str, Count]) -> "PriceCalculation":
    usage = genai_prices().Usage(**counts)
    return table.calc(usage, terms.model, terms.price_list, None, terms.started, terms.price_context)


def _model_and_prices(table: "DataSnapshot", terms: Terms) -> "tuple[ModelInfo, ModelPrice]":
    """
    A call's model, and what it costs at the time of the call.

    The prices of a tier are left to the calculation to find, of no usage: it does not apply them to every model. That
    takes as long as the calculation of a cost.
    """
    if terms.tier is not None:
        listing = _look_up(table, terms, {})
        return listing.model, listing.model_price
    _, model = table.find_provider_model(terms.model, None, terms.price_list, None)
    return model, model.get_prices(terms.started)


def names_in(prices: "ModelPrice") -> set[str]:
    """What there are prices for. A row offers no list of them, but they are its attributes."""
    return {name for name, price in vars(prices).items() if price is not None}


def _tier_prices(model: "ModelInfo", terms: Terms) -> set[str]:
    """
    What a tier has prices for at the time of the call; for the rest, the table would take the standard price.

    Hosted tools cost the same in every tier.
    """
    return {
        name
        for variant in model.price_variants or ()
        if variant.when == terms.price_context
        and (variant.constraint is None or variant.constraint.active(terms.started))
        for name in names_in(variant.prices)
    } | CALL_PRICES


def _may_be_past_a_step(generation: Generation, prices: "ModelPrice", standard: "ModelPrice") -> bool:
    """
    Whether nobody knows if long prompts were billed as such.

    The tokens of a batch are those of all its requests together, each of which is billed by its own length. And where
    a tier has no step although the standard prices have one, the list may lack it.

    Args:
        generation: A call in a tier.
        prices: What the list has for the tier.
        standard: What it has otherwise.
    """
    steps, others = _steps(prices), _steps(standard)
    unsure = steps | others if generation.operation == BATCH else others - steps
    return any(step < (generation.usage.input_tokens or 0) for step in unsure)


def _steps(prices: "ModelPrice") -> set[int]:
    """From how many tokens on a prompt costs more."""
    return {tier.start for price in vars(prices).values() for tier in getattr(price, "tiers", ())}


def _is_free(generation: Generation, model: str) -> bool:
    """Whether a row without prices is that of a model without a price; others stand for "not known any more"."""
    family = FREE_FAMILIES.get(generation.provider or "")
    return (
        generation.operation == "moderation"
        or model.endswith(FREE_VARIANT)
        or (family is not None and model.startswith(family))
    )
