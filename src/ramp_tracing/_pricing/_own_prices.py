"""What a call costs by the user's own table: `instrument(prices=…)`."""

from collections.abc import Mapping
from datetime import date
from decimal import Decimal, localcontext
from fnmatch import fnmatchcase
from typing import Final

from .._config import TOKEN_RATES, Price, PriceTable
from .._providers import canonical
from .._record import Cost, Generation
from ._bill import Rates, bill
from ._rounding import EXACT, rounded
from ._terms import billed_model, instant, tier_of

NO_DISCOUNT: Final = Decimal(0)

FOR_TOKENS: Final = TOKEN_RATES | {"request"}
"""Rates that say what is paid for the tokens of a call: each for some of them, the last one for all."""


def own_cost(generation: Generation, table: PriceTable) -> Cost | None:
    """The cost by the first price in *table* that fits; `None` where none does, or it leaves something open."""
    price = own_price(generation, table)
    started = instant(generation.timing.started)
    rates = None if price is None else rates_of(price, tier_of(generation))
    if rates is None or started is None:
        return None
    with localcontext(EXACT):
        try:
            shares = bill(generation, rates)
        except ArithmeticError:  # counts that are none
            return None
    if shares is None:
        return None
    return rounded(shares[0], shares[1], source="custom", price_list=table.name, started=started)


def own_price(generation: Generation, table: PriceTable) -> Price | None:
    """The first price that fits model, provider and day."""
    model = billed_model(generation) or generation.request_model
    started = instant(generation.timing.started)
    if not model or started is None:
        return None
    day = started.date()
    return next((each for each in table.prices if _fits(each, model, generation.provider, day=day)), None)


def _fits(price: Price, model: str, provider: str | None, *, day: date) -> bool:
    if price.provider is not None and (provider is None or canonical(price.provider) != provider):
        return False
    if (price.valid_from and day < price.valid_from) or (price.valid_until and price.valid_until < day):
        return False
    return fnmatchcase(model.lower(), price.model)


def rates_of(price: Price, tier: str | None) -> Rates | None:
    """
    The rates of a tier; `None` if the price does not know it.

    Tokens are never priced by another tier's rates, nor free: a tier names their prices, or one for the whole call.
    """
    if tier is None:
        return Rates(price.rates, price.tools)
    special = price.tiers.get(tier)
    if special is None or (not TOKEN_RATES.isdisjoint(price.rates) and FOR_TOKENS.isdisjoint(special)):
        return None
    kept: Mapping[str, Decimal] = {name: rate for name, rate in price.rates.items() if name not in TOKEN_RATES}
    return Rates({**kept, **special}, price.tools)


def discount_for(provider: str | None, table: PriceTable | None) -> Decimal:
    """The part of the list price that *provider* takes off for this user."""
    if table is None or provider is None:
        return NO_DISCOUNT
    given = {canonical(name): part for name, part in table.discounts.items()}
    return given.get(provider, NO_DISCOUNT)
