"""
What a row of the bundled list makes of the counts that nearly every call has, without asking the list each time.

genai-prices checks a row and takes its units apart anew for each call: 50 µs of 60, for a sum of two to six products
that comes to the same. A row is reckoned with here only after the list has said the same of samples on both sides of
each of its steps; and whatever is not usual in a call is left to the list.
"""

from bisect import bisect_left
from collections.abc import Iterator, Mapping
from decimal import Decimal
from operator import attrgetter
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from .._record import Usage, changed
from ._rounding import EXACT
from ._units import COUNTED, UNITS, means_none

if TYPE_CHECKING:
    from genai_prices.types import TieredPrices

Shares = tuple[Decimal, Decimal]
"""Input and output."""

TOKENS_OF_A_RATE: Final = 6
"""A rate is for ten to the power of this."""

SMALLEST: Final = -4
"""The power of ten that a rate is counted in, unless it is finer: then a product has the ten places of a cost."""

MAX_COUNT: Final = 10**15
"""More tokens than anybody can buy. Up to here each product is exact in far fewer than our 64 digits."""

USUAL: Final = (
    "input_tokens", "output_tokens", "total_tokens", "cache_read_tokens", "cache_write_tokens", "cache_write_5m_tokens",
    "cache_write_1h_tokens", "reasoning_tokens",
)  # fmt: skip
RARE: Final = (*(name for name in COUNTED if name not in USUAL), "hosted_tool_calls")
"""Where one of these is not 0, the list is asked."""

COUNTS: Final = frozenset({int, type(None)})

_usual_of: Final = attrgetter(*USUAL)
_rare_of: Final = attrgetter(*RARE)


class Rates(NamedTuple):
    """Prices of one token, in the smallest unit that they all are whole in; `None` where the row has no price."""

    input: int | None
    output: int | None
    read: int | None
    write: int | None
    hour: int | None
    thought: int | None


FIELDS: Final = (
    "input_mtok", "output_mtok", "cache_read_mtok", "cache_write_mtok", "cache_write_1h_mtok", "output_reasoning_mtok",
)  # fmt: skip
"""The price in a row for each of `Rates`."""


class UsualRow:
    """
    A row that can be reckoned with.

    Args:
        prices: What it has prices for.
        price_list: The id of its list.
    """

    __slots__ = ("_needed", "_starts", "_steps", "_unit")

    def __init__(self, prices: "Mapping[str, Decimal | TieredPrices]", *, price_list: str) -> None:
        self._starts = sorted({tier.start for price in prices.values() for tier in getattr(price, "tiers", ())})
        steps = [
            [_rate_at(prices.get(name), asked) for name in FIELDS] for asked in (0, *(at + 1 for at in self._starts))
        ]
        exponent = min(SMALLEST, *(_exponent(rate) for step in steps for rate in step))
        self._unit = Decimal(f"1E{exponent - TOKENS_OF_A_RATE}")
        self._steps = [Rates(*(_whole(rate, exponent) for rate in step)) for step in steps]
        rare = [unit for unit in UNITS if unit.price in prices and unit.count in RARE]
        self._needed = [u.count for u in rare if not means_none(u, prices, price_list=price_list, operation="")]

    def shares(self, usage: Usage, *, operation: str) -> Shares | None:
        """
        What *usage* costs, exact; `None` where the list has to say so, or that it cannot.

        Args:
            usage: The counts.
            operation: What the call was.
        """
        asked, answered, total, read, written, minutes, hour, thought = counts = _usual_of(usage)
        if asked is None or any(_rare_of(usage)):
            return None
        if not COUNTS.issuperset(map(type, counts)):
            return None
        if self._needed and any(getattr(usage, name) is None for name in self._needed):
            return None
        rates = self._steps[bisect_left(self._starts, asked)] if self._starts else self._steps[0]
        if answered is None and (operation == "embeddings" or rates.output is None):
            answered = 0
        if answered is None or (written and hour is None and rates.hour is not None):
            return None
        if thought is None and rates.thought is not None:
            return None
        read, written, minutes, hour, thought = read or 0, written or 0, minutes or 0, hour or 0, thought or 0
        plain = asked - read - written
        if plain < 0 or read < 0 or written < 0 or minutes < 0 or hour < 0 or thought < 0:
            return None
        if written < hour + minutes or answered < thought or asked > MAX_COUNT or answered > MAX_COUNT:
            return None
        if total is not None and not 0 <= total <= asked + answered:
            return None
        return self._sum(rates, (plain, read, written - hour, hour), answered, thought)

    def _sum(self, rates: Rates, asked: tuple[int, int, int, int], answered: int, thought: int) -> Shares | None:
        """The products, which are exact: they are integers. `None` if something was used that has no price."""
        plain, read, written, hour = asked
        if (plain and rates.input is None) or (read and rates.read is None) or (answered and rates.output is None):
            return None
        if (written and rates.write is None) or (hour and rates.hour is None):
            return None
        cost_in = plain * (rates.input or 0) + read * (rates.read or 0)
        cost_in += written * (rates.write or 0) + hour * (rates.hour or 0)
        apart = 0 if rates.thought is None else thought
        cost_out = (answered - apart) * (rates.output or 0) + apart * (rates.thought or 0)
        return EXACT.multiply(cost_in, self._unit), EXACT.multiply(cost_out, self._unit)

    def samples(self) -> Iterator[Usage]:
        """Counts to see by whether the list reckons as we do: on both sides of each step, with parts and without."""
        for asked in (97, *(start + more for start in self._starts for more in (0, 1))):
            whole: dict[str, Any] = dict.fromkeys(self._needed, 0)
            rates = self._steps[0]._asdict()
            whole |= {"input_tokens": asked, "output_tokens": asked // 2 + 11 if rates["output"] is not None else None}
            parts = {name: asked // by for name, (rate, by) in PARTS.items() if rates[rate] is not None}
            yield changed(Usage(), **whole | parts)
            yield changed(Usage(), **whole | dict.fromkeys(parts, 0))


PARTS: Final[Mapping[str, tuple[str, int]]] = {
    "cache_read_tokens": ("read", 5),
    "cache_write_tokens": ("write", 7),
    "cache_write_1h_tokens": ("hour", 21),
    "reasoning_tokens": ("thought", 11),
}
"""Part → its rate, and which part of the whole it is in a sample."""


def _rate_at(price: "Decimal | TieredPrices | None", asked: int) -> Decimal | None:
    """The rate for a prompt of so many tokens: a step is for all of them, not for those beyond it."""
    if price is None or isinstance(price, Decimal):
        return price
    beyond = [tier.price for tier in price.tiers if asked > tier.start]
    return beyond[-1] if beyond else price.base


def _exponent(rate: Decimal | None) -> int:
    exponent = 0 if rate is None else rate.as_tuple().exponent
    if not isinstance(exponent, int):
        raise ValueError("a rate is no number")
    return exponent


def _whole(rate: Decimal | None, exponent: int) -> int | None:
    return None if rate is None else int(EXACT.scaleb(rate, -exponent))
