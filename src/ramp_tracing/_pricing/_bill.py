"""
Counts times the user's own prices.

As with the bundled list, a cost is named only if everything that was used has a price and everything that has a price
was counted. Two parts need no price of their own, because their whole's is never too low: cached input and reasoning.
"""

from collections.abc import Mapping
from decimal import Decimal
from typing import Final, NamedTuple

from .._config import TOKEN_RATES
from .._record import Generation, Usage
from ._terms import BATCH
from ._units import FREE_TOOLS, is_sound

MILLION: Final = Decimal(1_000_000)


class Rates(NamedTuple):
    """What is billed, in US dollars."""

    rates: Mapping[str, Decimal]
    tools: Mapping[str, Decimal]


class Part(NamedTuple):
    """Tokens that are billed at one rate."""

    field: str
    """Of `Usage`."""
    rate: str
    instead: str | None = None
    """The rate that stands in for a missing one; then a count that is not reported means that there was none."""


INPUT_PARTS: Final = (
    Part("cache_read_tokens", "cached", "input"),
    Part("input_audio_tokens", "input_audio"),
    Part("input_image_tokens", "input_image"),
    Part("input_video_tokens", "input_video"),
)
OUTPUT_PARTS: Final = (
    Part("reasoning_tokens", "reasoning", "output"),
    Part("output_audio_tokens", "output_audio"),
    Part("output_image_tokens", "output_image"),
)


def bill(generation: Generation, price: Rates) -> tuple[Decimal, Decimal] | None:
    """
    The shares of input and output, exact; `None` if something is not priced, not counted or contradictory. Where there
    are prices of tools alone, nothing says that the rest is free.

    Raises:
        ArithmeticError: A count is no number.
    """
    usage, rates = generation.usage, price.rates
    if generation.operation == BATCH and rates.get("request"):  # nobody says how many requests were in it
        return None
    if not rates or not is_sound(usage, images_are_priced="image" in rates):
        return None
    shares = [Decimal(0), Decimal(0)]
    if not TOKEN_RATES.isdisjoint(rates):
        asked = _input(usage, rates)
        answered = _output(usage, rates, operation=generation.operation)
        if asked is None or answered is None:
            return None
        shares = [asked, answered]
    fees, made = _fees(usage, price), _things(usage, rates)
    return None if fees is None or made is None else (shares[0] + fees + made[0], shares[1] + made[1])


def _input(usage: Usage, rates: Mapping[str, Decimal]) -> Decimal | None:
    written = _cache_writes(usage, rates)
    if written is None or _overlap(usage):
        return None
    cost, rest = written
    return _tokens(usage.input_tokens, INPUT_PARTS, usage=usage, rates=rates, whole=("input", rest, cost))


def _output(usage: Usage, rates: Mapping[str, Decimal], *, operation: str) -> Decimal | None:
    total = usage.output_tokens
    if total is None and operation == "embeddings":
        total = 0
    return _tokens(total, OUTPUT_PARTS, usage=usage, rates=rates, whole=("output", 0, Decimal(0)))


def _tokens(
    total: int | None,
    parts: tuple[Part, ...],
    *,
    usage: Usage,
    rates: Mapping[str, Decimal],
    whole: tuple[str, int, Decimal],
) -> Decimal | None:
    """The price of *total*: its parts at their rates, what is left at the whole's."""
    name, taken, cost = whole
    if total is None:
        return None if name in rates else cost
    for part in parts:
        count: int | None = getattr(usage, part.field)
        if count is None and part.rate in rates and part.instead is None:
            return None
        if not count:
            continue
        rate = rates.get(part.rate, None if part.instead is None else rates.get(part.instead))
        if rate is None:
            return None
        cost += count * rate / MILLION
        taken += count
    left = total - taken
    if left < 0 or (left and name not in rates):
        return None
    return cost + (left * rates[name] / MILLION if left else 0)


def _cache_writes(usage: Usage, rates: Mapping[str, Decimal]) -> tuple[Decimal, int] | None:
    """What was written to a cache costs, and how many tokens that were."""
    written, half_a_day = usage.cache_write_tokens or 0, usage.cache_write_12h_tokens or 0
    if not written:
        return Decimal(0), 0
    if "cache_write" not in rates or (half_a_day and "cache_write_12h" not in rates):
        return None
    hour = _written_for_an_hour(usage, written - half_a_day) if "cache_write_1h" in rates else 0
    if hour is None:
        return None
    shorter = (written - half_a_day - hour) * rates["cache_write"]
    longer = hour * rates.get("cache_write_1h", Decimal(0)) + half_a_day * rates.get("cache_write_12h", Decimal(0))
    return (shorter + longer) / MILLION, written


def _written_for_an_hour(usage: Usage, rest: int) -> int | None:
    """How many of *rest*; `None` if that is not said."""
    hour, minutes = usage.cache_write_1h_tokens, usage.cache_write_5m_tokens
    return rest - minutes if hour is None and minutes is not None else hour


def _overlap(usage: Usage) -> bool:
    """Whether tokens may be cached *and* sound or picture, which then have no one price."""
    media = usage.input_audio_tokens or usage.input_image_tokens or usage.input_video_tokens
    return bool(usage.cache_read_tokens and media)


def _fees(usage: Usage, price: Rates) -> Decimal | None:
    """The fees for the request and for hosted tools."""
    fees = price.rates.get("request", Decimal(0))
    for kind, calls in usage.hosted_tool_calls.items():
        if calls and kind not in FREE_TOOLS:
            if kind not in price.tools:
                return None
            fees += calls * price.tools[kind]
    return fees


THINGS: Final[tuple[tuple[str, str, int, Decimal], ...]] = (
    ("audio_second", "audio_seconds", 0, Decimal(1)),
    ("million_characters", "input_characters", 0, MILLION),
    ("image", "images", 1, Decimal(1)),
    ("video_second", "video_seconds", 1, Decimal(1)),
)
"""Rate → the field of `Usage`, the share (0 input, 1 output), and how many the rate is for."""


def _things(usage: Usage, rates: Mapping[str, Decimal]) -> tuple[Decimal, Decimal] | None:
    """What is billed by the second, the character or the piece."""
    shares = [Decimal(0), Decimal(0)]
    for rate, count_name, share, per in THINGS:
        count: int | Decimal | None = getattr(usage, count_name)
        if rate in rates:
            if count is None and "input" not in rates:
                return None
            shares[share] += (count or 0) * rates[rate] / per
        elif count and (count_name in ("audio_seconds", "video_seconds") or TOKEN_RATES.isdisjoint(rates)):
            return None
    return shares[0], shares[1]
