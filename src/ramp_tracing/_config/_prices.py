"""
The user's own prices: a TOML or JSON file, or a mapping of the same form.

Money is read as `Decimal`, digit by digit. Everything is checked at set-up; docs/prices.md describes the form.
"""

import json
import os
from collections.abc import Callable, Mapping
from dataclasses import field
from datetime import date, datetime
from decimal import Decimal, InvalidOperation
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final, cast

from .._dataclass import dataclass
from ._readers import UnusableError

TOKEN_RATES: Final = frozenset(
    {
        "input", "output", "cached", "cache_write", "cache_write_1h", "cache_write_12h", "reasoning", "input_audio",
        "output_audio", "input_image", "output_image", "input_video",
    }
)  # fmt: skip
"""Prices of a million tokens."""

OTHER_RATES: Final = frozenset({"request", "image", "audio_second", "video_second", "million_characters"})
"""Prices of one call, one picture made, one second heard or made, a million characters spoken."""

NO_RATES: Final[Mapping[str, Decimal]] = MappingProxyType({})
NO_TIERS: Final[Mapping[str, Mapping[str, Decimal]]] = MappingProxyType({})

ORDINARY_TIERS: Final = frozenset({"auto", "default", "on_demand", "standard"})
"""Words of answers for no tier at all, whose prices would never be asked for."""

MAX_PRICE: Final = Decimal(1_000_000)
"""US dollars. More than that for a million tokens is a slip of the pen."""

MAX_FILE_BYTES: Final = 4 << 20
"""LiteLLM's list of everything there is has 2 MB."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Price:
    """
    What one model, or several, cost.

    Attributes:
        model: Its name, or a pattern (``gpt-4o*``), in lower case.
        provider: Whose; `None` is anybody's, also a host that nobody knows.
        rates: What is billed → US dollars; see `TOKEN_RATES` and `OTHER_RATES`.
        tiers: Service tier, or ``batch`` → the rates that are other ones there.
        tools: Hosted tool (``web_search_call``…) → US dollars a call.
        valid_from: The first day (UTC) on which it is valid.
        valid_until: The last.
    """

    model: str
    provider: str | None = None
    rates: Mapping[str, Decimal] = field(default_factory=lambda: NO_RATES)
    tiers: Mapping[str, Mapping[str, Decimal]] = field(default_factory=lambda: NO_TIERS)
    tools: Mapping[str, Decimal] = field(default_factory=lambda: NO_RATES)
    valid_from: date | None = None
    valid_until: date | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class PriceTable:
    """
    The user's own prices and discounts.

    Attributes:
        name: What it is called where a cost names its source: the file's name.
        prices: The first that fits is the price.
        discounts: Provider → part of the public list price that is taken off: 0.1 is ten percent.
    """

    name: str = ""
    prices: tuple[Price, ...] = ()
    discounts: Mapping[str, Decimal] = field(default_factory=lambda: NO_RATES)

    def __str__(self) -> str:
        """For people who look at their configuration; no price is shown."""
        return f"{self.name}: {len(self.prices)} prices, {len(self.discounts)} discounts"


def read_prices(value: object) -> PriceTable:
    """
    A price table, from the path of a file or from a mapping.

    Raises:
        UnusableError: It cannot be read, or something in it is no price.
    """
    if isinstance(value, PriceTable):
        return value
    if isinstance(value, Mapping):
        return _table(cast("Mapping[object, object]", value), "own prices")
    if not isinstance(value, str | os.PathLike):
        raise UnusableError("give the path of a TOML or JSON file, or a mapping")
    path = Path(os.path.expanduser(os.fsdecode(cast("str | os.PathLike[str]", value))))
    return _table(_parsed(path), path.name)


def _parsed(path: Path) -> Mapping[object, object]:
    parse = PARSERS.get(path.suffix.lower())
    if parse is None:
        raise UnusableError("the file's name must end in .toml or .json")
    try:
        with path.open("rb") as file:
            text = file.read(MAX_FILE_BYTES + 1).decode("utf-8-sig")  # Windows' editors put a mark in front
    except (OSError, UnicodeDecodeError, ValueError):
        raise UnusableError("the file cannot be read; give the path of a TOML or JSON file in UTF-8") from None
    if len(text) > MAX_FILE_BYTES:
        raise UnusableError(f"the file is larger than {MAX_FILE_BYTES >> 20} MB")
    try:
        table = parse(text)
    except (ValueError, RecursionError) as wrong:
        line = getattr(wrong, "lineno", None)
        raise UnusableError(f"the file is no {path.suffix[1:].upper()}{f' (line {line})' if line else ''}") from None
    if not isinstance(table, Mapping):
        raise UnusableError("the file must hold an object with `prices` and `discounts`")
    return cast("Mapping[object, object]", table)


def _json(text: str) -> object:
    return json.loads(text, parse_float=Decimal)


def _toml(text: str) -> object:
    import tomllib  # only who has such a file pays for it at set-up

    return tomllib.loads(text, parse_float=Decimal)


PARSERS: Final[Mapping[str, Callable[[str], object]]] = MappingProxyType({".json": _json, ".toml": _toml})


def _table(given: Mapping[object, object], name: str) -> PriceTable:
    _refuse_unknown(given, frozenset({"prices", "discounts"}), "the table")
    rows = given.get("prices", ())
    if not isinstance(rows, list | tuple):
        raise UnusableError("`prices` must be a list of tables: [[prices]] in TOML")
    prices = tuple(_price(row, f"price {number}") for number, row in enumerate(cast("list[object]", rows), start=1))
    discounts = {
        provider: _amount(percent, f"the discount of {provider}", most=Decimal(100)) / 100
        for provider, percent in _members(given.get("discounts", {}), "`discounts`").items()
    }
    if not prices and not discounts:
        raise UnusableError("there are neither `prices` nor `discounts` in it")
    return PriceTable(name=name, prices=prices, discounts=MappingProxyType(discounts))


ABOUT: Final = frozenset({"model", "provider", "tiers", "tools", "valid_from", "valid_until"})


def _price(row: object, where: str) -> Price:
    given = _members(row, where)
    _refuse_unknown(given, ABOUT | TOKEN_RATES | OTHER_RATES, where)
    model, provider = given.get("model"), given.get("provider")
    if not isinstance(model, str) or not model.strip():
        raise UnusableError(f"{where} has no `model`; give its name or a pattern such as gpt-4o*")
    if provider is not None and (not isinstance(provider, str) or not provider.strip()):
        raise UnusableError(f"`provider` of {where} is not a text")
    rates = {name: _amount(given[name], f"`{name}` of {where}") for name in given if name not in ABOUT}
    tools = _amounts(given.get("tools", {}), f"`tools` of {where}")
    if not rates and not tools:
        raise UnusableError(f"{where} names no price; give `input` and `output` in US dollars per million tokens")
    begins, ends = (_day(given.get(name), f"`{name}` of {where}") for name in ("valid_from", "valid_until"))
    if begins is not None and ends is not None and ends < begins:
        raise UnusableError(f"{where} ends before it begins; exchange `valid_from` and `valid_until`")
    return Price(
        model=model.strip().lower(),
        provider=provider,
        rates=MappingProxyType(rates),
        tiers=MappingProxyType(_tiers(given.get("tiers", {}), where)),
        tools=MappingProxyType(tools),
        valid_from=begins,
        valid_until=ends,
    )


def _tiers(given: object, where: str) -> dict[str, Mapping[str, Decimal]]:
    tiers: dict[str, Mapping[str, Decimal]] = {}
    for tier, rates in _members(given, f"`tiers` of {where}").items():
        place = f"tier {tier} of {where}"
        if tier.lower() in ORDINARY_TIERS:
            raise UnusableError(f"{place} is the ordinary one; name its prices in the price itself")
        _refuse_unknown(_members(rates, place), TOKEN_RATES | OTHER_RATES, place)
        tiers[tier] = MappingProxyType(_amounts(rates, place))
    return tiers


def _amounts(given: object, where: str) -> dict[str, Decimal]:
    return {name: _amount(amount, f"`{name}` in {where}") for name, amount in _members(given, where).items()}


def _members(given: object, where: str) -> Mapping[str, object]:
    names = list(cast("Mapping[object, object]", given)) if isinstance(given, Mapping) else [None]
    if not all(isinstance(name, str) for name in names):
        raise UnusableError(f"{where} must be a table of names and values")
    return cast("Mapping[str, object]", given)


def _refuse_unknown(given: Mapping[Any, object], known: frozenset[str], where: str) -> None:
    for name in given:
        if name not in known:
            names = ", ".join(sorted(known))
            raise UnusableError(f"{where} has an unknown name, {str(name)[:40]!r}; known are {names}")


def _amount(given: object, where: str, *, most: Decimal = MAX_PRICE) -> Decimal:
    """An amount; a float of Python's by its shortest form, which is what was typed."""
    try:
        if isinstance(given, bool) or not isinstance(given, int | float | str | Decimal):
            raise InvalidOperation
        amount = Decimal(float.__repr__(given) if isinstance(given, float) else given)
    except InvalidOperation:
        raise UnusableError(f"{where} is no number") from None
    if not (amount.is_finite() and 0 <= amount <= most):
        raise UnusableError(f"{where} must be from 0 to {most}")
    return amount


def _day(given: object, where: str) -> date | None:
    """A day; TOML has dates of its own."""
    if given is None or (isinstance(given, date) and not isinstance(given, datetime)):
        return given
    try:
        return date.fromisoformat(str(given))
    except ValueError:
        raise UnusableError(f"{where} is no day; write 2026-01-31") from None
