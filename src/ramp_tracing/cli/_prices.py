"""`ramp-tracing prices`: what a model costs, who says so, and where two lists disagree."""

import json
import re
from collections.abc import Mapping
from dataclasses import replace
from decimal import Decimal
from typing import Annotated, Any, Final

import typer
from rich.table import Table
from rich.text import Text
from typer.core import TyperGroup

from .._pricing import Rung, provider_listing, rungs_of
from .._record import Cost, Generation, Usage
from ._console import console
from ._price_audit import audit
from ._price_lists import NOTHING_KNOWN, AsJson, OwnPrices, TheirPrices, call_to, litellm_prices_in, own_prices_in

TOKENS: Final[Mapping[str, str]] = {
    "in": "input_tokens",
    "out": "output_tokens",
    "cached": "cache_read_tokens",
    "written": "cache_write_tokens",
    "written_1h": "cache_write_1h_tokens",
    "written_12h": "cache_write_12h_tokens",
    "reasoning": "reasoning_tokens",
    "audio_in": "input_audio_tokens",
    "audio_out": "output_audio_tokens",
    "image_in": "input_image_tokens",
    "image_out": "output_image_tokens",
}
"""Name in ``--tokens`` → field of the usage."""

SAID: Final[Mapping[str, str]] = {
    "litellm": "LiteLLM's price, for calls that go through it",
    "own": "your own prices",
    "list": "the bundled list",
}


class ModelOrCommand(TyperGroup):
    """``prices gpt-4o`` means ``prices show gpt-4o``."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Put the command in where the first word is none."""
        if args and args[0] not in self.commands and args[0] != "--help":
            args = ["show", *args]
        return super().parse_args(ctx, args)


prices = typer.Typer(
    cls=ModelOrCommand, no_args_is_help=True, help="Show what MODEL costs and who says so; `audit` compares two lists."
)

prices.command()(audit)


@prices.command()
def show(
    model: Annotated[str, typer.Argument(help="As answers name it.")],
    provider: Annotated[str | None, typer.Option("--provider", help="Who is called; guessed if left out.")] = None,
    tokens: Annotated[
        str | None, typer.Option("--tokens", help=f"A call to price: in=1000,out=100; also {', '.join(TOKENS)}.")
    ] = None,
    tier: Annotated[str | None, typer.Option("--tier", help="A service tier (flex, priority…), or batch.")] = None,
    own_prices: OwnPrices = None,
    litellm_prices: TheirPrices = None,
    as_json: AsJson = False,
) -> None:
    """
    Show the price of MODEL that would be used, where it comes from, and what the others say.

    A cost that the provider itself reports goes before all of them. The exit code is 1 if nobody knows the price.
    """
    call = call_to(model, provider, usage=_usage(tokens), tier=tier)
    if provider is None:
        call = call_to(model, provider_listing(call), usage=call.usage, tier=tier)
    rungs = rungs_of(call, own_prices_in(own_prices), litellm_prices_in(litellm_prices))
    used = next((rung for rung in rungs if rung.name != "litellm" and rung.cost is not None), None)
    if as_json:
        typer.echo(json.dumps(_as_json(call, rungs, used, has_tokens=tokens is not None), indent=2))
    else:
        _print(call, rungs, used, has_tokens=tokens is not None)
    raise typer.Exit(0 if used is not None else NOTHING_KNOWN)


def _usage(tokens: str | None) -> Usage:
    counts: dict[str, Any] = {}
    if tokens is None:
        return NOTHING_USED
    for each in tokens.split(","):
        name, _, count = (part.strip() for part in each.partition("="))
        if name not in TOKENS or not re.fullmatch("[0-9]{1,18}", count):
            raise typer.BadParameter(f"write in=1000,out=100; the names are {', '.join(TOKENS)}", param_hint="--tokens")
        counts[TOKENS[name]] = int(count)
    return replace(NOTHING_USED, **counts)


NO_TOKENS: Final[Mapping[str, Any]] = dict.fromkeys(TOKENS.values(), 0)

NOTHING_USED: Final = Usage(**NO_TOKENS, audio_seconds=Decimal(0), input_characters=0)
"""A call that costs nothing wherever there is a price at all."""


def _as_json(call: Generation, rungs: tuple[Rung, ...], used: Rung | None, *, has_tokens: bool) -> dict[str, object]:
    return {
        "model": call.response_model,
        "provider": call.provider,
        "used": None if used is None else used.name,
        "answers": [
            {
                "name": rung.name,
                "price_list": rung.price_list,
                "prices": dict(rung.prices),
                "cost": _amounts(rung.cost) if has_tokens and rung.cost is not None else None,
            }
            for rung in rungs
        ],
    }


def _amounts(cost: Cost) -> dict[str, str | None]:
    shares = {"input": cost.input, "output": cost.output, "total": cost.total}
    return {name: None if amount is None else _dollars(amount) for name, amount in shares.items()}


def _cost(rung: Rung) -> str:
    return "-" if rung.cost is None else _dollars(rung.cost.total)


def _dollars(amount: Decimal) -> str:
    return format(amount.normalize(), "f") if amount else "0"


def _print(call: Generation, rungs: tuple[Rung, ...], used: Rung | None, *, has_tokens: bool) -> None:
    out = console()
    who = f"at {call.provider}" if call.provider else "at a provider that nobody knows (name it with --provider)"
    table = Table(title=Text(f"{call.response_model} {who}"), title_justify="left")
    for heading in ("who says so", "prices in USD (tokens: per million)", "this call in USD"):
        table.add_column(heading, overflow="fold")
    for rung in rungs:
        listed = "\n".join(f"{name}: {price}" for name, price in rung.prices.items())
        said = f"{SAID[rung.name]}\n{rung.price_list}{' (used)' if rung is used else ''}"
        table.add_row(Text(said), Text(listed), Text(_cost(rung) if has_tokens else ""))
    out.print(table if rungs else Text(f"Nobody lists {call.response_model} {who}."))
    if used is None and rungs:
        out.print("None of these would be used: the cost is left out. docs/prices.md says when.", style="bold")
    out.print("A cost that the provider itself reports goes before all of them.")
