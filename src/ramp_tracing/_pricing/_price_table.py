"""
The bundled price table: genai-prices, https://github.com/pydantic/genai-prices.

Its data comes with the package, and nothing here lets it fetch newer data.
"""

from collections.abc import Mapping
from decimal import ROUND_HALF_EVEN, Context, Decimal, localcontext
from typing import TYPE_CHECKING, Final

from .._record import Cost, Generation
from ._genai_prices import genai_prices
from ._terms import Terms, terms_of
from ._units import Count, counts_to_bill

if TYPE_CHECKING:
    from genai_prices.types import ModelPrice, PriceCalculation

PLACES: Final = Decimal("1E-10")
"""Ramp stores ``Decimal(20, 10)``."""

EXACT: Final = Context(prec=64, rounding=ROUND_HALF_EVEN)
"""Our own: an application may have set a coarser one for its thread."""

FREE: Final = Cost(total=Decimal(0), input=Decimal(0), output=Decimal(0), source="price_table")

FREE_VARIANT: Final = ":free"
"""How OpenRouter names models that cost nothing."""

FREE_FAMILIES: Final[Mapping[str, str]] = {"gcp.gemini": "gemma-"}
"""Provider → how its models begin that cost nothing: https://ai.google.dev/gemini-api/docs/pricing"""


def table_cost(generation: Generation) -> Cost | None:
    """
    What a call costs by the price table.

    Returns:
        `None` unless host, model, tier and every unit are known; a cost of 0 is a model that costs nothing.
    """
    terms = terms_of(generation)
    if terms is None or not _can_be_billed(generation):
        return None
    with localcontext(EXACT):
        try:
            return _listed(generation, terms)
        except (LookupError, ValueError, ArithmeticError):  # not in the list, or usage that it finds contradictory
            return None


def _can_be_billed(generation: Generation) -> bool:
    usage = generation.usage
    if generation.pending or usage.estimated or any(usage.hosted_tool_calls.values()):
        return False
    return generation.failure is None or usage.known


def _listed(generation: Generation, terms: Terms) -> Cost | None:
    listing = _look_up(terms, {})
    row = _prices(listing.model_price)
    if not row:
        return FREE if _is_free(generation, terms.model) else None
    if terms.tier is not None:
        row &= _tier_prices(listing, terms)
    counts = counts_to_bill(generation.usage, row, price_list=terms.price_list, operation=generation.operation)
    return _rounded(_look_up(terms, counts)) if row and counts is not None else None


def _look_up(terms: Terms, counts: Mapping[str, Count]) -> "PriceCalculation":
    table = genai_prices()
    listing: PriceCalculation = table.calc_price(
        table.Usage(**counts),
        terms.model,
        provider_id=terms.price_list,
        genai_request_timestamp=terms.started,
        price_context=terms.price_context,
    )
    return listing


def _prices(row: "ModelPrice") -> set[str]:
    """What a row has prices for. It offers no list of them, but they are its attributes."""
    return {name for name, price in vars(row).items() if price is not None}


def _tier_prices(listing: "PriceCalculation", terms: Terms) -> set[str]:
    """What a tier has prices for at the time of the call; for the rest, the table would take the standard price."""
    return {
        name
        for variant in listing.model.price_variants or ()
        if variant.when == terms.price_context
        and (variant.constraint is None or variant.constraint.active(terms.started))
        for name in _prices(variant.prices)
    }


def _is_free(generation: Generation, model: str) -> bool:
    """Whether a row without prices is that of a model without a price; others stand for "not known any more"."""
    family = FREE_FAMILIES.get(generation.provider or "")
    return (
        generation.operation == "moderation"
        or model.endswith(FREE_VARIANT)
        or (family is not None and model.startswith(family))
    )


def _rounded(listing: "PriceCalculation") -> Cost:
    total, input_cost, output_cost = (
        price.quantize(PLACES) for price in (listing.total_price, listing.input_price, listing.output_price)
    )
    if input_cost + output_cost != total:
        return Cost(total=total, source="price_table")
    return Cost(total=total, input=input_cost, output=output_cost, source="price_table")
