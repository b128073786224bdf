"""`ramp-tracing run`: a program is instrumented without a change to its code."""

import json
import os
import shlex
import site
import sys
import sysconfig
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Final, NoReturn

import typer

from .._autostart import ASKED, TRACE, ask, trace_in
from .._config import resolve
from ..exceptions import ConfigurationError

NOT_CONFIGURED: Final = 2

NOT_STARTED: Final[Mapping[type[OSError], int]] = {FileNotFoundError: 127, PermissionError: 126}
"""Exit codes as a shell has them."""


def run(
    command: Annotated[
        list[str] | None, typer.Argument(help="The command: python app.py, app.py, -m module, gunicorn app:app, …")
    ] = None,
    base_url: Annotated[str | None, typer.Option("--base-url", help="As RAMP_BASE_URL.")] = None,
    service_name: Annotated[str | None, typer.Option("--service-name", help="As OTEL_SERVICE_NAME.")] = None,
    privacy_mode: Annotated[bool | None, typer.Option("--privacy/--no-privacy", help="As RAMP_PRIVACY_MODE.")] = None,
    trace: Annotated[
        list[str] | None, typer.Option("--trace", help="key=value of every call that says nothing itself.")
    ] = None,
    show: Annotated[
        bool, typer.Option("--print", help="Print the variables instead, for a Dockerfile or unit.")
    ] = False,
) -> None:
    """
    Run a program and report its model calls, without a change to its code.

    Its children are instrumented too, whichever way they start, unless they start Python with -I, -E or -S. The program
    takes the place of this command: signals and the exit code are its own.
    """
    privacy = None if privacy_mode is None else str(privacy_mode).lower()
    given = {"RAMP_BASE_URL": base_url, "OTEL_SERVICE_NAME": service_name, "RAMP_PRIVACY_MODE": privacy}
    changes = {name: value for name, value in given.items() if value is not None}
    try:
        if trace:
            changes[TRACE] = json.dumps({**trace_in(os.environ), **dict(_pair(each) for each in trace)})
        environ = {**os.environ, **changes}
        ask(environ, also=_other_sitecustomize())
        resolve({"trace": trace_in(environ)}, environ)
    except ConfigurationError as wrong:
        _stop(NOT_CONFIGURED, str(wrong))
    if show:
        _print(changes | {name: environ[name] for name in ("PYTHONPATH", ASKED)})
    elif command:
        _become(_completed(command), environ)
    else:
        _stop(NOT_CONFIGURED, "What is to be run? ramp-tracing run -- python app.py")


def _pair(text: str) -> tuple[str, str]:
    key, equals, value = text.partition("=")
    if not equals or not key:
        raise ConfigurationError(f"--trace takes key=value, not {text!r}")
    return key, value


def _other_sitecustomize() -> str | None:
    """
    Where the ``sitecustomize`` of this process is from.

    A launcher around us may have taken its directory from the environment after use, as OpenTelemetry's did until
    0.60; the program would start without it.
    """
    origin = getattr(sys.modules.get("sitecustomize"), "__file__", None)
    folder = None if origin is None else Path(origin).parent
    # One beside the installed packages, or of the system, is found without us; and must not come before others.
    return None if folder is None or folder in {Path(each) for each in _installed_folders()} else str(folder)


def _installed_folders() -> list[str]:
    return [*site.getsitepackages(), site.getusersitepackages(), *sysconfig.get_paths().values()]


def _completed(command: list[str]) -> list[str]:
    """``-m module`` and ``app.py`` are run by the Python that runs us."""
    is_python = command[0] == "-m" or command[0].endswith(".py")
    return [sys.executable, *command] if is_python else command


def _become(command: list[str], environ: dict[str, str]) -> NoReturn:
    try:
        os.execvpe(command[0], command, environ)
    except OSError as error:
        _stop(NOT_STARTED.get(type(error), 126), f"{command[0]} cannot be run: {error.strerror}")


def _print(variables: dict[str, str]) -> None:
    for name, value in variables.items():
        typer.echo(f"export {name}={shlex.quote(value)}")


def _stop(code: int, text: str) -> NoReturn:
    typer.echo(text, err=True)
    raise typer.Exit(code)
