"""The option that names the directory in which records wait, read as `instrument()` reads it."""

from typing import Annotated, cast

import typer

from .._config import resolve_one
from ..exceptions import ConfigurationError


def _read(given: str | None) -> str | None:
    try:
        return cast("str | None", resolve_one("state_dir", given, {}))
    except ConfigurationError as wrong:
        raise typer.BadParameter(str(wrong)) from None


StateDir = Annotated[
    str | None,
    typer.Option(
        "--state-dir",
        envvar="RAMP_TRACING_STATE_DIR",
        callback=_read,
        help="Look here instead of in the usual place.",
    ),
]
