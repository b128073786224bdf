"""
What is counted in a call, and what a price list has a price for.

A cost is named only if everything that was used has a price and everything that has a price was counted: the part
that nobody priced would make the call look cheaper than it is.
"""

from collections.abc import Collection, Mapping
from decimal import Decimal
from operator import attrgetter
from typing import Final

from .._dataclass import dataclass
from .._record import Usage

Count = int | Decimal
"""How much of a unit was used."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Unit:
    """
    One thing that is billed.

    Attributes:
        count: The field of `Usage` that counts it.
        price: Its price in a row of genai-prices.
        keys: Its names in the usage of genai-prices.
        billed_apart: Whether a use of it without a price of its own makes the cost unknown.
        none_if_unsaid: Whether a provider that says nothing of it means that there was none.
    """

    count: str
    price: str
    keys: tuple[str, ...]
    billed_apart: bool = True
    none_if_unsaid: bool = False


def _tokens(name: str, *, price: str, none_if_unsaid: bool = False) -> Unit:
    return Unit(count=name, price=price, keys=(name,), none_if_unsaid=none_if_unsaid)


UNITS: Final = (
    _tokens("input_tokens", price="input_mtok"),
    _tokens("output_tokens", price="output_mtok"),
    _tokens("cache_read_tokens", price="cache_read_mtok", none_if_unsaid=True),
    _tokens("cache_write_tokens", price="cache_write_mtok", none_if_unsaid=True),
    _tokens("input_audio_tokens", price="input_audio_mtok"),
    _tokens("output_audio_tokens", price="output_audio_mtok"),
    _tokens("input_image_tokens", price="input_image_mtok"),
    _tokens("output_image_tokens", price="output_image_mtok"),
    _tokens("input_video_tokens", price="input_video_mtok"),
    Unit(
        count="reasoning_tokens", price="output_reasoning_mtok", keys=("output_reasoning_tokens",), billed_apart=False
    ),
    # whisper's row prices both, and genai-prices raises unless it is told both
    Unit(count="audio_seconds", price="audio_hours", keys=("audio_seconds", "input_audio_seconds")),
    Unit(count="input_characters", price="input_mchars", keys=("input_characters",), billed_apart=False),
)

CALLS: Final[Mapping[str, tuple[str, str]]] = {
    "web_search_call": ("web_searches_kcount", "web_searches"),
    "file_search_call": ("storage_searches_kcount", "storage_searches"),
    "x_search_call": ("social_searches_kcount", "social_searches"),
}
"""Hosted tool → its price in a row of genai-prices, and its name in the usage there; others have no price."""

FREE_TOOLS: Final = frozenset({"web_fetch_call"})
"""Tools that cost their tokens alone: https://platform.claude.com/docs/en/agents-and-tools/tool-use/web-fetch-tool#usage-and-pricing"""

CALL_PRICES: Final = frozenset({*(price for price, _ in CALLS.values()), "code_executions_kcount"})

CACHED_PARTS: Final[Mapping[str, tuple[str, str]]] = {
    "cached_audio_tokens": ("cache_audio_read_mtok", "cache_audio_read_tokens"),
    "cached_image_tokens": ("cache_image_read_mtok", "cache_image_read_tokens"),
}
"""What is cached *and* sound or picture → its price, and its name there. Unless it is said, genai-prices raises."""

COVERED: Final = frozenset({"input_audio_hours", "output_video_mtok", *(price for price, _ in CACHED_PARTS.values())})
"""Prices that go with others, or that nothing here uses."""

HOUR: Final = ("cache_write_1h_mtok", "cache_write_1h_tokens")
"""The price of what is written to a cache for an hour, and its name in the usage of genai-prices."""

UNDERSTOOD: Final = frozenset({*(unit.price for unit in UNITS), *CALL_PRICES, *COVERED, HOUR[0]})
"""A row with any other price (by request, by page, by citation…) bills something that is not counted here."""

SAME_PRICE: Final[Mapping[str, frozenset[str]]] = {"google": frozenset({"input_image_tokens", "input_video_tokens"})}
"""Price list → parts of the input that cost what text does: https://ai.google.dev/gemini-api/docs/pricing"""

SAY_NO_AUDIO: Final = frozenset({"google"})
"""Price lists of general models with a price for sound, behind an API that reports none."""

WHOLES: Final[Mapping[str, tuple[tuple[str, ...], ...]]] = {
    "input_tokens": (
        ("cache_read_tokens", "cache_write_tokens"),
        ("input_audio_tokens", "input_image_tokens", "input_video_tokens"),
    ),
    "output_tokens": (("reasoning_tokens",), ("output_audio_tokens", "output_image_tokens")),
    "cache_read_tokens": (("cached_audio_tokens", "cached_image_tokens"),),
    "cache_write_tokens": (("cache_write_5m_tokens", "cache_write_1h_tokens", "cache_write_12h_tokens"),),
    "input_audio_tokens": (("cached_audio_tokens",),),
    "input_image_tokens": (("cached_image_tokens",),),
}
"""Each total → groups of its parts; the parts of one group do not overlap."""

PARTS: Final = frozenset(part for groups in WHOLES.values() for group in groups for part in group)


def counts_to_bill(usage: Usage, row: Collection[str], *, price_list: str, operation: str) -> dict[str, Count] | None:
    """
    Usage in the terms of genai-prices.

    Args:
        usage: What the call used.
        row: What the model's row has prices for.
        price_list: The id of the list.
        operation: What the call was.

    Returns:
        `None` if something that was used has no price, something that has a price was not counted, or the counts
        contradict each other.
    """
    if not UNDERSTOOD.issuperset(row) or not is_sound(usage):
        return None
    counts: dict[str, Count] = {}
    for unit in UNITS:
        count: Count | None = getattr(usage, unit.count)
        if unit.price not in row:
            if count and not _goes_with_another(unit, row, price_list=price_list):
                return None
            continue
        if count is None and not means_none(unit, row, price_list=price_list, operation=operation):
            return None
        counts.update(dict.fromkeys(unit.keys, 0 if count is None else count))
    rarer = (_written_for_an_hour(usage, row), _cached_parts(usage, row), _calls(usage, row))
    for more in rarer:
        if more is None:
            return None
        counts.update(more)
    return counts


def _written_for_an_hour(usage: Usage, row: Collection[str]) -> Mapping[str, Count] | None:
    """
    What stays in a cache for an hour, where that has its own price; `None` if that is needed and not said, and for
    what stays for twelve hours, which costs more and is in no list.
    """
    if usage.cache_write_12h_tokens:
        return None
    price, name = HOUR
    written, hour, minutes = usage.cache_write_tokens, usage.cache_write_1h_tokens, usage.cache_write_5m_tokens
    if price not in row:
        return None if hour and "cache_write_mtok" in row else {}
    if not written:
        return {}
    if hour is None and minutes is not None:
        hour = written - minutes
    return None if hour is None else {name: hour}


def _cached_parts(usage: Usage, row: Collection[str]) -> Mapping[str, Count]:
    counts = ((price, name, getattr(usage, field)) for field, (price, name) in CACHED_PARTS.items())
    return {name: count for price, name, count in counts if count is not None and price in row}


def _calls(usage: Usage, row: Collection[str]) -> Mapping[str, Count] | None:
    """
    Calls of hosted tools; `None` if one of them has no price.

    Those with a price that were not called are none, in so many words: genai-prices looks long for what is not said.
    """
    counts: dict[str, Count] = {name: 0 for price, name in CALLS.values() if price in row}
    for kind, count in usage.hosted_tool_calls.items():
        if count and kind not in FREE_TOOLS:
            price, name = CALLS.get(kind, ("", ""))
            if price not in row:
                return None
            counts[name] = count
    return counts


def _goes_with_another(unit: Unit, row: Collection[str], *, price_list: str) -> bool:
    """Whether a unit without a price of its own is in another one's."""
    if not unit.billed_apart or unit.count in SAME_PRICE.get(price_list, ()):
        return True
    # gpt-image-1 and its like: pictures are all that comes out, so their price stands as that of the output
    return unit.count == "output_image_tokens" and "input_image_mtok" in row


def means_none(unit: Unit, row: Collection[str], *, price_list: str, operation: str) -> bool:
    """Whether a count that is not reported is none at all."""
    return (
        unit.none_if_unsaid
        or (unit.count == "output_tokens" and operation == "embeddings")
        or (unit.count == "audio_seconds" and "input_mtok" in row)
        or (unit.count == "input_audio_tokens" and price_list in SAY_NO_AUDIO)
    )


COUNTED: Final = (
    *(unit.count for unit in UNITS), *CACHED_PARTS, "cache_write_5m_tokens", "cache_write_1h_tokens",
    "cache_write_12h_tokens", "video_seconds", "images",
)  # fmt: skip

_counts_of = attrgetter(*COUNTED)


def is_sound(usage: Usage, *, images_are_priced: bool = False) -> bool:
    """
    Whether the counts are counts, do not contradict each other, and are all that was used.

    Args:
        usage: The counts.
        images_are_priced: Whether pictures have a price by the piece, so that they need no tokens.
    """
    counts = {name: count for name, count in zip(COUNTED, _counts_of(usage), strict=True) if count is not None}
    if not all(map(_is_count, counts.values())):
        return False
    if not PARTS.isdisjoint(counts) and _parts_exceed(counts):
        return False
    return not _counts_too_little(usage, images_are_priced=images_are_priced)


def _parts_exceed(counts: Mapping[str, Count]) -> bool:
    """Whether parts come to more than their whole."""
    for whole, groups in WHOLES.items():
        limit = counts.get(whole)
        if limit is not None and any(sum(counts.get(part, 0) for part in group) > limit for group in groups):
            return True
    return False


def _is_count(count: object) -> bool:
    if type(count) is int:
        return count >= 0
    return isinstance(count, Decimal) and count.is_finite() and count >= 0


def _counts_too_little(usage: Usage, *, images_are_priced: bool) -> bool:
    """Whether something is billed that no count has: thoughts (Gemini, xAI), pictures that have no tokens."""
    if usage.images and not usage.output_tokens and not images_are_priced:
        return True
    said = usage.total_tokens
    return (
        said is not None and usage.input_tokens is not None and said > usage.input_tokens + (usage.output_tokens or 0)
    )
