"""`ramp-tracing serve`: a local Ramp."""

from contextlib import suppress
from functools import partial
from importlib.util import find_spec
from pathlib import Path
from typing import Annotated, Final

import typer

from .._fake_ramp import PATH
from ._console import console

NEEDED: Final = ("starlette", "uvicorn", "duckdb")

NOT_INSTALLED: Final = "The local receiver needs a few packages more. Install them: pip install 'ramp-tracing[local]'"

CANNOT: Final = 2
"""Exit code where it cannot be started as it was told to."""


def is_installed() -> bool:
    """Whether the extra ``[local]`` is there."""
    return all(find_spec(name) is not None for name in NEEDED)


def serve(
    host: Annotated[str, typer.Option("--host", help="Listen on this address; others than loopback need a key.")] = (
        "127.0.0.1"
    ),
    port: Annotated[
        int, typer.Option("--port", min=0, max=65_535, help="Listen on this port; 0 takes a free one.")
    ] = 8787,
    database: Annotated[Path | None, typer.Option("--database", help="Keep the calls in this file.")] = None,
    key: Annotated[
        str | None,
        typer.Option("--key", envvar="RAMP_TRACING_LOCAL_KEY", help="Take and show calls with this key only."),
    ] = None,
    rate_limit: Annotated[
        int | None, typer.Option("--rate-limit", min=1, help="Answer 429 to more requests in ten seconds. Ramp: 200.")
    ] = None,
    open_page: Annotated[bool, typer.Option("--open", help="Show the page in a browser.")] = False,
) -> None:
    """
    Receive what Ramp would receive, and show it on a page.

    Everything stays on this machine. Point applications to it with RAMP_BASE_URL.
    """
    if not is_installed():
        console().print(NOT_INSTALLED, markup=False)
        raise typer.Exit(CANNOT)
    from ..local._ledger import LedgerError, usual_place
    from ..local._serving import Serving, ServingError
    from ..local._serving import serve as run  # loads the web server

    place = database or usual_place()

    serving = Serving(database=place, host=host, port=port, key=key, rate_limit=rate_limit)
    try:
        with suppress(KeyboardInterrupt):
            run(serving, announce=partial(_announce, place, key), open_page=open_page)
    except (ServingError, LedgerError) as wrong:
        typer.echo(str(wrong), err=True)
        raise typer.Exit(CANNOT) from None


def _announce(place: Path, key: str | None, url: str) -> None:
    out = console()
    out.print(f"The AI-spend page: {url}", style="bold", markup=False, soft_wrap=True)
    out.print(f"Calls are kept in {place}", markup=False, soft_wrap=True)
    sent = f"Send calls here: export RAMP_BASE_URL={url}{PATH} RAMP_API_KEY={'…' if key else 'any'}"
    out.print(sent, markup=False, soft_wrap=True)
