"""The commands, put together."""

import sys
from collections.abc import Callable, Mapping
from typing import Annotated, Any, Final

import typer

from .._version import __version__
from ._check import check
from ._demo import demo
from ._prices import prices
from ._report import report
from ._run import run
from ._serve import serve
from ._spool import spool

COMMANDS: Final[tuple[Callable[..., None], ...]] = (check, run, serve, report, demo)
"""A new command is its own module and one entry here; the function's name is the command's, its docstring the help."""


SETTINGS: Final[Mapping[Callable[..., None], dict[str, Any]]] = {
    # What stands behind the command that is run belongs to that command.
    run: {"allow_interspersed_args": False},
}


def _show_version(wanted: bool) -> None:
    if wanted:
        typer.echo(__version__)
        raise typer.Exit


def _about(
    version: Annotated[
        bool, typer.Option("--version", help="Show the version.", is_eager=True, callback=_show_version)
    ] = False,
) -> None:
    """Report what your company spends on language models to Ramp."""


def main() -> None:
    """Run the command that the arguments name; the entry point of ``ramp-tracing``."""
    reconfigure = getattr(sys.stdout, "reconfigure", None)
    if reconfigure is not None:
        # A terminal or a file that knows no "…" gets a question mark instead of a traceback.
        reconfigure(errors="replace")
    build_app()()


def build_app() -> typer.Typer:
    """The application with all its commands."""
    # A traceback with coloured frames and values could show a key.
    app = typer.Typer(no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False)
    app.callback()(_about)
    for command in COMMANDS:
        app.command(context_settings=SETTINGS.get(command))(command)
    app.add_typer(spool, name="spool")
    app.add_typer(prices, name="prices")
    return app
