"""The price ladder."""

from dataclasses import replace
from decimal import Decimal

from .._guard import guarded
from .._record import Cost, Generation
from ._price_table import table_cost


def priced(generation: Generation) -> Generation:
    """
    *generation* with its cost, as far as anybody knows it.

    Never raises. The first call loads the price table, which takes a second: not for the application's thread.

    Returns:
        The same generation where there is nothing to add. A cost that the provider reported stays; its parts are
        completed where the price table comes to the same total, and left out where they do not add up to it.
    """
    with guarded("pricing a call"):
        cost = table_cost(generation) if generation.cost is None else _with_parts(generation.cost, generation)
        return generation if cost is generation.cost else replace(generation, cost=cost)
    return generation


def _with_parts(reported: Cost, generation: Generation) -> Cost:
    if _adds_up(reported.input, reported.output, reported.total):
        return reported
    listed = table_cost(generation)
    if listed is not None and _adds_up(listed.input, listed.output, reported.total):
        return replace(reported, input=listed.input, output=listed.output)
    says_no_parts = reported.input is None and reported.output is None
    return reported if says_no_parts else replace(reported, input=None, output=None)


def _adds_up(input_cost: Decimal | None, output_cost: Decimal | None, total: Decimal) -> bool:
    """Whether both parts are known and are the whole: a fee of a gateway is part of neither."""
    if input_cost is None or output_cost is None:
        return False
    try:
        return input_cost >= 0 and output_cost >= 0 and input_cost + output_cost == total
    except ArithmeticError:  # not a number
        return False
