"""What the commands about prices share: the lists, and a call to ask about."""

import os
import time
from pathlib import Path
from typing import Annotated, Final, NoReturn, cast

import typer

from .._config import PriceTable, resolve_one
from .._pricing import LiteLLMPrices, litellm_file
from .._record import Generation, GenerationId, Timing, UnixNanos, Usage
from ..exceptions import ConfigurationError

NOTHING_KNOWN: Final = 1
"""Exit code where nobody knows a price, and where two lists disagree."""

NOT_POSSIBLE: Final = 2
"""Exit code where there is nothing to look at, or it cannot be read."""

OwnPrices = Annotated[
    str | None, typer.Option("--prices", envvar="RAMP_TRACING_PRICES", help="Your own prices: a TOML or JSON file.")
]
TheirPrices = Annotated[
    Path | None, typer.Option("--litellm-prices", help="LiteLLM's list, where LiteLLM is not installed: a JSON file.")
]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]


def call_to(model: str, provider: str | None, *, usage: Usage | None = None, tier: str | None = None) -> Generation:
    """A call that is made now."""
    now = UnixNanos(time.time_ns())
    return Generation(
        id=GenerationId("prices"),
        operation="chat",
        library="cli",
        timing=Timing(started=now, ended=now),
        provider=provider,
        request_model=model,
        response_model=model,
        service_tier=tier,
        usage=usage or Usage(),
    )


def own_prices_in(path: str | None) -> PriceTable | None:
    """The user's table at *path*; ends the command where it cannot be used."""
    try:
        return cast("PriceTable | None", resolve_one("prices", path, os.environ))
    except ConfigurationError as wrong:
        give_up(str(wrong))


def litellm_prices_in(path: Path | None) -> LiteLLMPrices | None:
    """LiteLLM's list at *path*, else where LiteLLM is installed; ends the command where it cannot be read."""
    found = path or litellm_file()
    try:
        return None if found is None else LiteLLMPrices(found)
    except (OSError, ValueError):
        give_up("LiteLLM's list cannot be read: give the path of its model_prices_and_context_window.json")


def give_up(why: str) -> NoReturn:
    """Say *why* on standard error, and end the command."""
    typer.echo(why, err=True)
    raise typer.Exit(NOT_POSSIBLE)
