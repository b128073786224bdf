"""The command."""

from importlib.util import find_spec
from typing import Annotated, Final

import typer

from .._console import console
from ._live import run_live
from ._local import run_local

NOT_INSTALLED: Final = "The demo calls models with the openai client. Install it: pip install 'ramp-tracing[openai]'"


def demo(
    live: Annotated[
        bool, typer.Option("--live", help="Call OpenAI and report to Ramp; costs a fraction of a cent.")
    ] = False,
) -> None:
    """
    Make real calls with the openai client and show what Ramp would receive.

    Everything stays on this machine: the provider of models and Ramp's receiver are stand-ins. No key is needed.
    """
    if find_spec("openai") is None:
        console().print(
            "The demo calls models with the openai client. Install it: pip install 'ramp-tracing[openai]'", markup=False
        )
        raise typer.Exit(2)
    succeeded = run_live(console()) if live else run_local(console())
    raise typer.Exit(0 if succeeded else 1)
