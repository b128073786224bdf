"""
From exact shares to a cost of ten places.

Each share is rounded to ten places, half to even, and the total is the sum of the two: so the parts are always the
whole, and the total is at most a ten-billionth of a dollar from the exact one.
"""

from datetime import date, datetime
from decimal import ROUND_HALF_EVEN, Context, Decimal, localcontext
from functools import lru_cache
from typing import Final

from .._record import Cost, CostSource, Drafts

PLACES: Final = Decimal("1E-10")
"""Ramp stores ``Decimal(20, 10)``."""

COSTS: Final = Drafts(Cost)

EXACT: Final = Context(prec=64, rounding=ROUND_HALF_EVEN)
"""Our own: an application may have set a coarser one for its thread."""


def rounded(
    input_cost: Decimal, output_cost: Decimal, *, source: CostSource, price_list: str, started: datetime
) -> Cost:
    """
    The cost of a call.

    Args:
        input_cost: The exact share of what went in, with fees for the request and for hosted tools.
        output_cost: The exact share of what came out.
        source: Who said so.
        price_list: What it was computed by.
        started: When the call was made; the prices of that day were applied.
    """
    cost = COSTS.begin()
    # Most have ten places already, which is four times as quickly seen as done.
    cost.input = input_cost if input_cost.same_quantum(PLACES) else input_cost.quantize(PLACES, context=EXACT)
    cost.output = output_cost if output_cost.same_quantum(PLACES) else output_cost.quantize(PLACES, context=EXACT)
    cost.total = EXACT.add(cost.input, cost.output)
    cost.source = source
    cost.price_list = price_list
    cost.price_date = _date(started.toordinal())
    return COSTS.end(cost)


@lru_cache(maxsize=2)
def _date(day: int) -> str:
    """A day's date, by its number: the same for thousands of calls."""
    return date.fromordinal(day).isoformat()


def add_up(reported: Cost) -> bool:
    """Whether both parts are known and are the whole, also once all three are rounded: a fee is part of neither."""
    if reported.input is None or reported.output is None:
        return False
    with localcontext(EXACT):
        try:
            asked, answered, total = (
                amount.quantize(PLACES) for amount in (reported.input, reported.output, reported.total)
            )
            exactly = reported.input + reported.output == reported.total
            return exactly and asked >= 0 and answered >= 0 and asked + answered == total
        except ArithmeticError:  # not a number
            return False
