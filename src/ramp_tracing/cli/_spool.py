"""`ramp-tracing spool`: what waits on disk, sending it, and the records that Ramp will not take."""

import json
import os
import time
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime
from itertools import chain
from pathlib import Path
from typing import Annotated, Final

import typer
from rich.progress import Progress
from rich.table import Table

from .._config import Config, resolve
from .._delivery import Pipeline
from .._journal import (
    SpoolStatus,
    dead_letters,
    open_journal,
    purge,
    replay,
    spool_of,
    spools_in,
    state_directories,
)
from .._record import UnixNanos
from ..exceptions import ConfigurationError
from ._console import busy, console, plain
from ._state_dir import StateDir

LEFT_OVER: Final = 1
"""Exit code where something still waits."""

NOT_CONFIGURED: Final = 2
"""Exit code where the directory or the configuration cannot be used."""

LOOK_SECONDS: Final = 0.2

spool = typer.Typer(no_args_is_help=True, help="Show, send and tidy up the records that are on disk.")


@spool.command()
def status(
    state_dir: StateDir = None, as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False
) -> None:
    """Show what waits and what is dead, for each destination. The exit code is 1 if anything is."""
    found = [spool_of(directory) for directory in _spools(state_dir)]
    if as_json:
        typer.echo(json.dumps([_as_json(each) for each in found], indent=2))
    else:
        console().print(_table(found) if found else "Nothing is on disk.")
    raise typer.Exit(LEFT_OVER if any(each.waiting or each.dead or each.doubtful for each in found) else 0)


@spool.command()
def send(
    state_dir: StateDir = None,
    timeout: Annotated[float, typer.Option("--timeout", help="Seconds to try at most.")] = 30.0,
    earlier: Annotated[
        list[str] | None,
        typer.Option("--from", help="Also what waits in this directory of an earlier key or address; see `status`."),
    ] = None,
) -> None:
    """
    Send what waits for the configured receiver and account, as RAMP_API_KEY and RAMP_BASE_URL say.

    For the end of a container (preStop) and for cron. What waits for another key or address is left alone, unless
    --from says that it was the wrong one. The exit code is 0 only if nothing is left that no living process takes care
    of.
    """
    config = _configured(state_dir)
    others = list(dict.fromkeys(chain.from_iterable(_named(each, state_dir) for each in earlier or ())))
    journal = open_journal(state_dir=config.state_dir, base_url=config.base_url, key=config.account, earlier=others)
    pipeline = Pipeline(config, journal=journal)
    try:
        left = _sent(pipeline, time.monotonic() + timeout)
    finally:
        pipeline.shutdown(0.5)
    counts = pipeline.stats()
    filtered = f", {counts.filtered} filtered" if counts.filtered else ""
    typer.echo(f"{counts.acknowledged} sent, {left} waiting, {counts.dead} dead, {counts.lost} lost{filtered}")
    raise typer.Exit(LEFT_OVER if left or counts.dead or counts.lost else 0)


@spool.command()
def dead(
    state_dir: StateDir = None, as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False
) -> None:
    """List the records that Ramp will not take, with the reason. They are files; the last column is their name."""
    letters = [(directory, letter) for directory in _spools(state_dir) for letter in dead_letters(directory)]
    if as_json:
        rows = [{"file": letter.file, "reason": letter.reason, "time": letter.time} for _, letter in letters]
        typer.echo(json.dumps(rows, indent=2))
        return
    table = _empty("time", "model", "input", "output", "reason", "file")
    for _, letter in letters:
        call = letter.generation
        model, usage = (call.request_model, call.usage) if call is not None else (None, None)
        counts = (None, None) if usage is None else (usage.input_tokens, usage.output_tokens)
        told = (letter.time, model or "-", *(_shown(count) for count in counts), letter.reason, letter.file)
        table.add_row(*map(plain, told))
    console().print(table if letters else "There are no dead letters.")


@spool.command("replay")
def replay_letters(
    files: Annotated[list[str] | None, typer.Argument(help="Names from `dead`; all if left out.")] = None,
    state_dir: StateDir = None,
) -> None:
    """Let dead letters be sent again, with the same ids: by a living process within seconds, or by `spool send`."""
    with busy("Putting back"):
        count = sum(replay(directory, files or None) for directory in _spools(state_dir))
    typer.echo(f"{count} put back")


@spool.command("purge")
def purge_letters(
    state_dir: StateDir = None,
    waiting: Annotated[
        bool, typer.Option("--waiting", help="Also what waits and belongs to no living process.")
    ] = False,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
) -> None:
    """Delete dead letters: spend that Ramp will then never hear of."""
    if not yes:
        typer.confirm("Delete records that were not reported?", abort=True)
    with busy("Deleting"):
        count = sum(purge(directory, waiting=waiting) for directory in _spools(state_dir))
    typer.echo(f"{count} deleted")


def _spools(state_dir: str | None) -> Sequence[Path]:
    """The directories of all destinations."""
    try:
        return list(_existing(state_directories(state_dir)))
    except OSError as wrong:
        typer.echo(f"the state directory cannot be read: {wrong}", err=True)
        raise typer.Exit(NOT_CONFIGURED) from None


def _named(name: str, state_dir: str | None) -> Sequence[Path]:
    """The directories of a destination, by their path or their name, of which each place may have one."""
    found = [each for each in _spools(state_dir) if Path(name) in (each, Path(each.name))]
    if not found:
        typer.echo("--from takes a directory that `ramp-tracing spool status` names", err=True)
        raise typer.Exit(NOT_CONFIGURED)
    return found


def _existing(places: Sequence[Path]) -> Iterator[Path]:
    for place in places:
        if place.is_dir():
            yield from spools_in(place)


def _configured(state_dir: str | None) -> Config:
    try:
        return resolve({"state_dir": state_dir}, os.environ)
    except ConfigurationError as wrong:
        typer.echo(str(wrong), err=True)
        raise typer.Exit(NOT_CONFIGURED) from None


def _sent(pipeline: Pipeline, deadline: float) -> int:
    """Send until nothing waits, or *deadline*; how many still wait."""
    out = console()
    with Progress(console=out, disable=not out.is_terminal, transient=True) as progress:
        at_first = pipeline.stats().waiting
        task = progress.add_task("Sending", total=at_first)
        return _send_on(pipeline, deadline, lambda waiting: progress.update(task, completed=at_first - waiting))


def _send_on(pipeline: Pipeline, deadline: float, tell: Callable[[int], object]) -> int:
    while (left := deadline - time.monotonic()) > 0:
        tell(pipeline.stats().waiting)
        if not pipeline.flush(min(left, LOOK_SECONDS)):
            time.sleep(min(left, LOOK_SECONDS))
        elif not pipeline.stats().waiting:
            break
    return pipeline.stats().waiting


def _table(found: Sequence[SpoolStatus]) -> Table:
    table = _empty("destination", "waiting", "dead", "in doubt", "oldest", "files (alive)", "bytes", "directory")
    for each in found:
        alive = sum(segment.alive for segment in each.segments)
        told = (
            each.address or "-",
            str(each.waiting),
            str(each.dead),
            str(each.doubtful),
            _instant(each.oldest) or "-",
            f"{len(each.segments)} ({alive})",
            f"{each.size_bytes:,}",
            str(each.directory),
        )
        table.add_row(*map(plain, told))
    return table


def _empty(*headings: str) -> Table:
    """Nothing in it is cut where the terminal is narrow: names and directories are for other commands."""
    table = Table()
    for heading in headings:
        table.add_column(heading, overflow="fold")
    return table


def _as_json(each: SpoolStatus) -> dict[str, object]:
    return {
        "destination": each.address,
        "directory": str(each.directory),
        "waiting": each.waiting,
        "dead": each.dead,
        "doubtful": each.doubtful,
        "oldest": _instant(each.oldest),
        "size_bytes": each.size_bytes,
        "segments": [
            {
                "name": segment.name,
                "pid": segment.pid,
                "alive": segment.alive,
                "waiting": segment.waiting,
                "size_bytes": segment.size_bytes,
            }
            for segment in each.segments
        ],
    }


def _instant(at: UnixNanos | None) -> str | None:
    return None if at is None else datetime.fromtimestamp(at / 1e9, UTC).isoformat(timespec="seconds")


def _shown(count: int | None) -> str:
    return "-" if count is None else str(count)
