"""The price ladder."""

from collections.abc import Callable
from functools import partial
from typing import Final

from .._config import PriceTable
from .._guard import guarded
from .._providers import canonical
from .._record import GENERATIONS, Cost, Generation, changed
from ._offers import Offers
from ._own_prices import discount_for, own_cost
from ._price_table import table_cost
from ._rounding import add_up
from ._terms import PRICE_LISTS
from ._thoughts import with_thoughts

BILLED_TO_CUSTOMER: Final = "billed_to_customer"
"""The parameter of a record that says that somebody else pays: `_normalizers/_parameters.py`."""


def priced(generation: Generation, own: PriceTable | None = None, *, offers: Offers | None = None) -> Generation:
    """
    *generation* with its cost, as far as anybody knows it.

    Never raises. The first call loads the price table, which takes a second: not for the application's thread.

    Args:
        generation: The call.
        own: The user's own prices, which go before the bundled ones.
        offers: What was found out about calls of the same kind, where there are many to be priced.

    Returns:
        The same generation where there is nothing to add. A cost that the provider reported stays; its parts are
        completed where our own reckoning comes to the same total, and left out where they do not add up to it.
    """
    try:
        reported = generation.cost
        if reported is None:
            cost = reckoned(generation, own, offers)
        else:
            cost = _with_parts(generation, reported, partial(reckoned, own=own, offers=offers))
        if cost is generation.cost:
            return generation
        made = GENERATIONS.copy(generation)
        made.cost = cost
        return GENERATIONS.end(made)
    except BaseException:  # entering the block for each call takes 3,900 instructions
        with guarded("pricing a call"):
            raise
    return generation


def reckoned(generation: Generation, own: PriceTable | None, offers: Offers | None) -> Cost | None:
    """What a call costs as nobody has reported it: by the user's own prices, else by the bundled ones."""
    by_own = cost_by_own_prices(generation, own)
    return cost_by_list(generation, own, offers=offers) if by_own is None else by_own


def cost_by_own_prices(generation: Generation, own: PriceTable | None) -> Cost | None:
    """The rung of the user's own prices."""
    if own is None or not _can_be_billed(generation):
        return None
    return own_cost(_as_billed(generation), own)


def cost_by_list(generation: Generation, own: PriceTable | None, *, offers: Offers | None = None) -> Cost | None:
    """The rung of the bundled list, less the user's discount."""
    if not _can_be_billed(generation):
        return None
    billed = _as_billed(generation)
    by_list = table_cost if offers is None else offers.cost
    return by_list(billed, discount=discount_for(billed.provider, own))


def _as_billed(generation: Generation) -> Generation:
    """The call by our own name of its provider, and with everything in its counts."""
    given = generation.provider
    if given is not None and given not in PRICE_LISTS:  # whose names are our own
        provider = canonical(given)
        generation = generation if provider == given else changed(generation, provider=provider)
    return with_thoughts(generation)


def _can_be_billed(generation: Generation) -> bool:
    usage = generation.usage
    if generation.pending or usage.estimated or BILLED_TO_CUSTOMER in generation.parameters:
        return False
    return generation.failure is None or usage.known


def _with_parts(generation: Generation, reported: Cost, reckon: Callable[[Generation], Cost | None]) -> Cost:
    if add_up(reported):
        return reported
    bare = changed(reported, input=None, output=None)
    ours = reckon(generation)
    if ours is not None and add_up(told := changed(bare, input=ours.input, output=ours.output)):
        return told
    return reported if reported.input is None and reported.output is None else bare
