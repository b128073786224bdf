"""`ramp-tracing prices audit`: where two price lists disagree."""

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Annotated, Final

import typer
from rich.table import Table
from rich.text import Text

from .._journal import records_in, spools_in, state_directories
from .._pricing import LiteLLMPrices, provider_listing, rungs_of
from .._record import Generation
from ._console import busy, console
from ._price_lists import NOTHING_KNOWN, AsJson, TheirPrices, call_to, give_up, litellm_prices_in
from ._state_dir import StateDir

COMPARED: Final = ("input", "output", "cached", "cache_write", "cache_write_1h")
"""Prices that both lists have a name for and nearly every model has."""


def audit(
    models: Annotated[
        list[str] | None, typer.Option("--models", help="provider/model; those in the local journal if left out.")
    ] = None,
    state_dir: StateDir = None,
    litellm_prices: TheirPrices = None,
    as_json: AsJson = False,
) -> None:
    """
    Compare the bundled list with LiteLLM's, for the models that were called here.

    The exit code is 1 if they disagree, 2 if there is nothing to compare.
    """
    litellm = litellm_prices_in(litellm_prices)
    if litellm is None:
        give_up("LiteLLM is not installed: install it, or name its list with --litellm-prices")
    calls = list(_named(models)) if models else list(_recorded(state_dir))
    if not calls:
        give_up("the local journal is empty: name models with --models openai/gpt-4o")
    with busy("Comparing"):
        found = [_comparison(call, litellm) for call in calls]
    if as_json:
        typer.echo(json.dumps([each.as_json() for each in found], indent=2))
    else:
        _print_audit(found)
    raise typer.Exit(NOTHING_KNOWN if any(each.differences for each in found) else 0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """
    One model in two lists.

    Attributes:
        provider: Who is called.
        model: The model.
        ours: Prices in the bundled list, by name; empty where it has none.
        theirs: Prices in LiteLLM's.
    """

    provider: str
    model: str
    ours: Mapping[str, str]
    theirs: Mapping[str, str]

    @property
    def differences(self) -> Mapping[str, tuple[str, str]]:
        """Prices that both name and do not agree on; where prices step up, the first step is compared."""
        both = {name: (self.ours[name], self.theirs[name]) for name in COMPARED if name in self._shared}
        return {name: pair for name, pair in both.items() if Decimal(pair[0].split(" ")[0]) != Decimal(pair[1])}

    @property
    def _shared(self) -> frozenset[str]:
        return frozenset(self.ours) & frozenset(self.theirs)

    @property
    def verdict(self) -> str:
        """In words."""
        if not self.ours or not self.theirs:
            known = [name for name, given in (("the bundled list", self.ours), ("LiteLLM", self.theirs)) if given]
            return f"only in {known[0]}" if known else "in neither"
        return "they disagree" if self.differences else "they agree"

    def as_json(self) -> dict[str, object]:
        """For ``--json``."""
        pairs = {name: {"list": ours, "litellm": theirs} for name, (ours, theirs) in self.differences.items()}
        return {"provider": self.provider, "model": self.model, "verdict": self.verdict, "differences": pairs}


def _comparison(call: Generation, litellm: LiteLLMPrices) -> Comparison:
    rungs = {rung.name: rung for rung in rungs_of(call, None, litellm)}
    ours, theirs = rungs.get("list"), rungs.get("litellm")
    return Comparison(
        provider=call.provider or "-",
        model=call.response_model or "-",
        ours={} if ours is None else ours.prices,
        theirs={} if theirs is None else theirs.prices,
    )


def _named(models: Iterable[str]) -> Iterator[Generation]:
    for name in models:
        provider, _, model = name.partition("/")
        call = call_to(model, provider) if model else call_to(name, None)
        yield call if model else call_to(name, provider_listing(call))


def _recorded(state_dir: str | None) -> Iterator[Generation]:
    """One call for each provider and model in the local journal."""
    try:
        places = [each for place in state_directories(state_dir) if place.is_dir() for each in spools_in(place)]
        records = [record for place in places for record in records_in(place)]
    except OSError as wrong:
        give_up(f"the state directory cannot be read: {wrong}")
    pairs = {(record.provider, record.response_model or record.request_model) for record in records}
    for provider, model in sorted((who, what) for who, what in pairs if who and what):
        yield call_to(model, provider)


def _print_audit(found: list[Comparison]) -> None:
    table = Table(title="The bundled list and LiteLLM's", title_justify="left")
    for heading in ("provider", "model", "verdict", "differences (USD per million tokens: bundled, LiteLLM)"):
        table.add_column(heading, overflow="fold")
    for each in found:
        told = "\n".join(f"{name}: {ours}, {theirs}" for name, (ours, theirs) in each.differences.items())
        table.add_row(Text(each.provider), Text(each.model), each.verdict, Text(told))
    console().print(table)
