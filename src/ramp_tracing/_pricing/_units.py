"""
What is counted in a call, and what a price list has a price for.

A cost is named only if everything that was used has a price and everything that has a price was counted: the part
that nobody priced would make the call look cheaper than it is.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Final

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
    Unit(
        count="reasoning_tokens", price="output_reasoning_mtok", keys=("output_reasoning_tokens",), billed_apart=False
    ),
    # whisper's row prices both, and genai-prices raises unless it is told both
    Unit(count="audio_seconds", price="audio_hours", keys=("audio_seconds", "input_audio_seconds")),
    Unit(count="input_characters", price="input_mchars", keys=("input_characters",), billed_apart=False),
)

CALLS: Final = frozenset(
    {"web_searches_kcount", "storage_searches_kcount", "social_searches_kcount", "code_executions_kcount"}
)
"""Prices of hosted tools. A call that used one has no cost here."""

COVERED: Final = frozenset({"input_audio_hours", "cache_audio_read_mtok", "cache_image_read_mtok"})
"""Prices that go with others: what is cached *and* sound or picture is reported by nobody, then genai-prices raises."""

TIMES_TO_LIVE: Final = frozenset({"cache_write_1h_mtok"})
"""Prices by how long a prompt cache lives, which `Usage` does not tell: fine as long as nothing was written."""

UNDERSTOOD: Final = frozenset({*(unit.price for unit in UNITS), *CALLS, *COVERED, *TIMES_TO_LIVE})
"""A row with any other price (by request, by page, by citation…) bills something that is not counted here."""

SAY_NO_AUDIO: Final = frozenset({"google"})
"""Price lists of general models with a price for sound, behind an API that reports none."""

WHOLES: Final[Mapping[str, tuple[tuple[str, ...], ...]]] = {
    "input_tokens": (("cache_read_tokens", "cache_write_tokens"), ("input_audio_tokens", "input_image_tokens")),
    "output_tokens": (("reasoning_tokens",), ("output_audio_tokens", "output_image_tokens")),
}
"""Each total → groups of its parts; the parts of one group do not overlap."""


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
    if not UNDERSTOOD.issuperset(row) or not _is_sound(usage):
        return None
    if usage.cache_write_tokens and not TIMES_TO_LIVE.isdisjoint(row):
        return None
    counts: dict[str, Count] = {}
    for unit in UNITS:
        count: Count | None = getattr(usage, unit.count)
        if unit.price not in row:
            if count and unit.billed_apart and not _is_output_of_image_model(unit, row):
                return None
            continue
        if count is None and not _means_none(unit, row, price_list=price_list, operation=operation):
            return None
        counts.update(dict.fromkeys(unit.keys, 0 if count is None else count))
    return counts


def _means_none(unit: Unit, row: Collection[str], *, price_list: str, operation: str) -> bool:
    """Whether a count that is not reported is none at all."""
    return (
        unit.none_if_unsaid
        or (unit.count == "output_tokens" and operation == "embeddings")
        or (unit.count == "audio_seconds" and "input_mtok" in row)
        or (unit.count == "input_audio_tokens" and price_list in SAY_NO_AUDIO)
    )


def _is_output_of_image_model(unit: Unit, row: Collection[str]) -> bool:
    """gpt-image-1 and its like: pictures are all that comes out, so their price stands as that of the output."""
    return unit.count == "output_image_tokens" and "input_image_mtok" in row


def _is_sound(usage: Usage) -> bool:
    """Whether the counts are counts, and do not contradict each other."""
    counts = {unit.count: getattr(usage, unit.count) for unit in UNITS}
    if not all(count is None or _is_count(count) for count in counts.values()):
        return False
    for whole, groups in WHOLES.items():
        limit = counts[whole]
        if limit is not None and any(sum(counts[part] or 0 for part in group) > limit for group in groups):
            return False
    return not _counts_too_little(usage)


def _is_count(count: object) -> bool:
    if isinstance(count, Decimal):
        return count.is_finite() and count >= 0
    return type(count) is int and count >= 0


def _counts_too_little(usage: Usage) -> bool:
    """Whether something is billed that no count has: thoughts (Gemini, xAI), pictures that have no tokens."""
    if usage.images and not usage.output_tokens:
        return True
    said = usage.total_tokens
    return (
        said is not None and usage.input_tokens is not None and said > usage.input_tokens + (usage.output_tokens or 0)
    )
