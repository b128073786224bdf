"""The command."""

from importlib.util import find_spec
from typing import Annotated, Final

import typer

from .._console import console
from .._serve import NOT_INSTALLED as RECEIVER_NOT_INSTALLED
from .._serve import is_installed
from ._live import run_live
from ._local import run_local

NOT_INSTALLED: Final = "The demo calls models with the openai client. Install it: pip install 'ramp-tracing[openai]'"


def demo(
    live: Annotated[
        bool, typer.Option("--live", help="Call OpenAI and report to Ramp; costs a fraction of a cent.")
    ] = False,
    page: Annotated[bool, typer.Option("--page", help="A fortnight of a small company, and the page of it.")] = False,
    open_page: Annotated[bool, typer.Option("--open", help="The same, with the page shown in a browser.")] = False,
    port: Annotated[int, typer.Option("--port", help="Where the page is; 0 takes a free port.")] = 8787,
) -> None:
    """
    Make real calls with the openai client and show what Ramp would receive.

    Everything stays on this machine: the provider of models and Ramp's receiver are stand-ins. No key is needed.
    With --open the calls are those of two weeks, with LiteLLM and LangChain too where they are installed, and there is
    a page to look at.
    """
    if find_spec("openai") is None:
        console().print(NOT_INSTALLED, markup=False)
        raise typer.Exit(2)
    succeeded = _with_page(port, open_page) if page or open_page else run_live(console()) if live else _without_page()
    raise typer.Exit(0 if succeeded else 1)


def _without_page() -> bool:
    succeeded = run_local(console())
    console().print("To see two weeks of a company on a page: ramp-tracing demo --open", style="dim")
    return succeeded


def _with_page(port: int, open_page: bool) -> bool:
    if not is_installed():
        console().print(RECEIVER_NOT_INSTALLED, markup=False)
        raise typer.Exit(2)
    from ._fortnight import run_fortnight  # loads the web server

    return run_fortnight(console(), port=port, open_page=open_page)
