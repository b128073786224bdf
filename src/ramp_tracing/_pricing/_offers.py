"""
What calls cost by the bundled list, with what is the same for all calls of a kind found once.

`table_cost` says what is right; here it is asked as seldom as possible. A program makes calls of a handful of kinds.
"""

from datetime import datetime
from decimal import Decimal, localcontext
from typing import TYPE_CHECKING, Final, NamedTuple

from .._record import Cost, Generation, Usage, changed
from ._doubts import DOUBTS, is_doubtful_now
from ._price_table import cost_of, list_now, names_in, shares_of, table_cost
from ._rounding import EXACT
from ._terms import Terms, kind_of, second_of, terms_of
from ._units import CALL_PRICES, UNDERSTOOD
from ._usual_rows import Shares, UsualRow

if TYPE_CHECKING:
    from genai_prices.data_snapshot import DataSnapshot
    from genai_prices.types import ModelInfo, ModelPrice

MAX_KINDS: Final = 1_000
"""Then all are forgotten: a name that is new with each call, a fine-tuned model's say, must not add up."""

MAX_ROWS: Final = 32
"""Of one model: prices of the day and of the night, before a cut and after it."""

SAMPLED: Final = "chat"
"""The operation of what the list is asked by way of trial."""

UNBELIEVED: Final = (LookupError, ValueError, ArithmeticError)
"""How the list says that it does not have a model, or finds usage contradictory."""


class Known(NamedTuple):
    """A row of the list that was looked at."""

    prices: "ModelPrice"
    then: dict[str, object]
    """What it said; an application may change its copy of the list."""
    row: UsualRow | None
    """`None` if only the list can reckon with it."""


class Offer:
    """
    The model that calls of a kind are billed as.

    Args:
        terms: Of the first call of the kind.
        model: Its place in the list.
        table: The list.
    """

    __slots__ = ("_model", "_rows", "_table", "_terms")

    def __init__(self, terms: Terms, model: "ModelInfo", table: "DataSnapshot") -> None:
        self._terms = terms
        self._model = model
        self._table = table
        self._rows: dict[int, Known] = {}

    def cost(self, generation: Generation, started: datetime, *, discount: Decimal) -> Cost | None:
        """What a call of the kind costs that began at *started*; `None` where that is not to be had this way."""
        terms = self._terms
        if terms.tier is not None or is_doubtful_now(generation, terms.model, started):
            return None
        row = self._row(started)
        shares = None if row is None else row.shares(generation.usage, operation=generation.operation)
        return None if shares is None else cost_of(shares, self._table, started=started, discount=discount)

    def _row(self, started: datetime) -> UsualRow | None:
        prices = self._model.get_prices(started)  # each time: some change with the hour
        known = self._rows.get(id(prices))
        if known is None or known.prices is not prices or known.then != vars(prices):
            if len(self._rows) >= MAX_ROWS:
                return None
            terms = changed(self._terms, started=started)
            known = Known(prices, dict(vars(prices)), _usual_row(prices, self._table, terms))
            self._rows[id(prices)] = known
        return known.row


class Offers:
    """
    What is known of the list. Any thread may ask.

    It holds for one state of the list: when an application fetches newer prices, all is forgotten.
    """

    def __init__(self) -> None:
        self._known: tuple[DataSnapshot | None, dict[object, Offer | None]] = (None, {})

    def cost(self, generation: Generation, *, discount: Decimal = Decimal(0)) -> Cost | None:
        """What `table_cost` says, mostly without asking."""
        started = second_of(generation.timing.started)
        offer = None if started is None else self._offer(generation)
        if started is None or offer is None:
            return None
        try:
            cost = offer.cost(generation, started, discount=discount)
        except UNBELIEVED:
            cost = None
        return table_cost(generation, discount=discount) if cost is None else cost

    def _offer(self, generation: Generation) -> Offer | None:
        """What calls of its kind are billed as; `None` if that is nothing on the list, whatever they used and when."""
        table = list_now()
        known, offers = self._known
        if known is not table:
            offers = {}
            self._known = table, offers
        kind = kind_of(generation)
        try:
            return offers[kind]
        except KeyError:  # also where another thread has just cleared it
            found = _offer(generation, table)
            if len(offers) >= MAX_KINDS:
                offers.clear()
            offers[kind] = found
            return found


def _offer(generation: Generation, table: "DataSnapshot") -> Offer | None:
    terms = terms_of(generation, despite_doubts=True)
    if terms is None or any(doubt(generation, terms.model) for doubt in DOUBTS):
        return None
    try:
        _, model = table.find_provider_model(terms.model, None, terms.price_list, None)
    except UNBELIEVED:
        return None
    return Offer(terms, model, table)


def _usual_row(prices: "ModelPrice", table: "DataSnapshot", terms: Terms) -> UsualRow | None:
    """The row, if the list says of all samples what it says."""
    names = names_in(prices)
    if not UNDERSTOOD.issuperset(names) or CALL_PRICES.issuperset(names):
        return None
    row = UsualRow({name: vars(prices)[name] for name in names}, price_list=terms.price_list)
    said = [(row.shares(usage, operation=SAMPLED), _said(usage, names, table, terms)) for usage in row.samples()]
    return row if all(ours is not None and ours == theirs for ours, theirs in said) else None


def _said(usage: Usage, names: set[str], table: "DataSnapshot", terms: Terms) -> Shares | None:
    """What the list says."""
    with localcontext(EXACT):
        try:
            return shares_of(usage, names, table=table, terms=terms, operation=SAMPLED)
        except UNBELIEVED:
            return None
