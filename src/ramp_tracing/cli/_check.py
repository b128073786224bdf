"""`ramp-tracing check`: what is configured, and whether the way to Ramp is clear."""

import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Annotated, Final, cast

import typer
from rich.table import Table
from rich.text import Text

from .._config import Config, resolve
from .._config._options import OPTIONS
from .._delivery import ConnectionReport, test_connection
from ..exceptions import ConfigurationError
from ._console import console
from ._findings import Circumstances, Finding, Weight, findings
from ._pending import PendingJob, jobs_of, table_of

NOT_CONFIGURED: Final = 2
"""Exit code where there is nothing to test a connection with."""

SWITCHED_OFF: Final = "Nothing is recorded: RAMP_TRACING_DISABLED is set. Unset it to report to Ramp."

FAILED: Final = 1
"""Exit code where the connection test did not pass, or there is a problem."""

STYLES: Final[Mapping[Weight, str]] = {"good": "green", "note": "dim", "warning": "yellow", "problem": "bold red"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Setting:
    """
    One option in force.

    Attributes:
        name: The option.
        value: Its value as it may be shown: of keys only the ends.
        source: Who gave it: a variable of the environment, the command line, or ``default``.
    """

    name: str
    value: str
    source: str


def check(
    base_url: Annotated[
        str | None, typer.Option("--base-url", help="Test this address instead of the configured one.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """
    Show the configuration and the jobs that are pending, test the connection to Ramp, and look for what would lose or
    double spend.

    The test sends one marked record, which Ramp does not count. The exit code is 0 if Ramp accepted it and there is no
    problem, 1 if not, 2 if the configuration cannot be used. Warnings do not change it.
    """
    options = {"base_url": base_url}
    show = _print_json if as_json else _print_text
    try:
        config = resolve(options, os.environ)
    except ConfigurationError as wrong:
        show((), _untested(str(wrong)), ())
        raise typer.Exit(NOT_CONFIGURED) from None
    report = _untested(SWITCHED_OFF) if config.disabled else test_connection(config)
    found = findings(Circumstances(config=config, report=report, environ=os.environ, folder=Path.cwd()))
    settings = settings_of(config, options=options, environ=os.environ)
    show(settings, report, found, jobs_of(config.state_dir))
    fine = report.ok and not any(each.weight == "problem" for each in found)
    raise typer.Exit(0 if fine else NOT_CONFIGURED if config.disabled else FAILED)


def settings_of(config: Config, *, options: Mapping[str, object], environ: Mapping[str, str]) -> tuple[Setting, ...]:
    """
    Every option in force, with its origin.

    Args:
        config: What was made of the two others.
        options: What the command line said; `None` is "not given".
        environ: The environment.
    """
    return tuple(
        Setting(name=name, value=_shown(getattr(config, name)), source=_source(name, options=options, environ=environ))
        for name in OPTIONS
    )


def _shown(value: object) -> str:
    if isinstance(value, Mapping):
        return ", ".join(f"{name}: {text}" for name, text in cast(Mapping[str, object], value).items())
    if isinstance(value, frozenset):
        return ", ".join(sorted(cast(frozenset[str], value)))
    if isinstance(value, tuple):
        return ", ".join(type(each).__name__ for each in cast(tuple[object, ...], value))
    return "" if value is None else str(value)


def _source(name: str, *, options: Mapping[str, object], environ: Mapping[str, str]) -> str:
    variable = OPTIONS[name].variable
    if options.get(name) is not None:
        return "command line"
    return variable if variable and environ.get(variable) else "default"


def _untested(why: str) -> ConnectionReport:
    return ConnectionReport(ok=False, status=None, message=why, trace_id=None)


def _print_text(
    settings: Sequence[Setting],
    report: ConnectionReport,
    found: Sequence[Finding],
    pending: Sequence[PendingJob] = (),
) -> None:
    out = console()
    if settings:
        out.print(_table(settings))
    if pending:
        out.print(table_of(pending))
    if found:
        out.print(_findings_table(found))
    verdict, style = ("The connection works.", "bold green") if report.ok else ("Not connected.", "bold red")
    out.print(verdict, style=style)
    out.print(report.message, markup=False, soft_wrap=True)
    if report.trace_id:
        out.print(f"Ramp's trace id of this request is {report.trace_id}.", markup=False)


def _findings_table(found: Sequence[Finding]) -> Table:
    table = Table(title="Findings", title_justify="left")
    for heading in ("about", "", "what is so, and what to do"):
        table.add_column(heading, overflow="fold")
    for each in found:
        text = Text(each.text if not each.advice else f"{each.text}\n→ {each.advice}")
        table.add_row(each.about, Text(each.weight, style=STYLES[each.weight]), text)
    return table


def _table(settings: Sequence[Setting]) -> Table:
    table = Table(title="Configuration", title_justify="left")
    for heading in ("option", "value", "from"):
        table.add_column(heading, overflow="fold")
    for each in settings:
        table.add_row(each.name, Text(each.value), each.source)
    return table


def _print_json(
    settings: Sequence[Setting],
    report: ConnectionReport,
    found: Sequence[Finding],
    pending: Sequence[PendingJob] = (),
) -> None:
    shown = {
        "configuration": [asdict(each) for each in settings],
        "findings": [asdict(each) for each in found],
        "pending_jobs": [asdict(each) for each in pending],
    }
    typer.echo(json.dumps({**asdict(report), **shown}))
