"""`ramp-tracing report`: what was spent, from a ledger or a running receiver."""

import json
import os
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Mapping
from datetime import UTC, datetime
from ipaddress import ip_address
from pathlib import Path
from typing import Annotated, Any, Final, NoReturn, cast

import typer

from ..local._keys import KEYS, META, QuestionError, read_filter
from ..local._ledger import LedgerError, usual_place
from ..local._report import Row, file_rows
from ._console import console
from ._report_forms import FORMS, Report

CANNOT: Final = 2
"""Exit code where there is nothing to report from, or the question is none."""

TIMEOUT_SECONDS: Final = 60.0

MAX_ANSWER_BYTES: Final = 256 * 1024 * 1024


class NoAnswer(Exception):  # noqa: N818 - what is told, not a fault of ours
    """The receiver did not answer; the text says why."""


def report(
    source: Annotated[
        str | None, typer.Option("--from", help="A ledger's file, or the address of a running `serve`.")
    ] = None,
    by: Annotated[str, typer.Option("--by", help="model, provider, user, session, … or any metadata key.")] = "model",
    per: Annotated[str | None, typer.Option("--per", help="hour, day or week (UTC); all in one if left out.")] = None,
    since: Annotated[str | None, typer.Option("--since", help="7d, 12h, 2w, or a date.")] = None,
    until: Annotated[str | None, typer.Option("--until", help="A date, which is included.")] = None,
    where: Annotated[
        list[str] | None, typer.Option("--where", help="key=value; several of one key: any of them.")
    ] = None,
    form: Annotated[str, typer.Option("--format", help="table, csv, json or markdown.")] = "table",
) -> None:
    """
    Show what was spent, from what `ramp-tracing serve` keeps.

    A receiver that has a key is asked with RAMP_TRACING_LOCAL_KEY. Unknown costs are in no sum, and are counted.
    """
    if form not in FORMS:
        _fail(f"--format is one of {', '.join(FORMS)}")
    asked = [("since", since or ""), ("until", until or ""), *(_condition(each) for each in where or ())]
    key = _key(by)
    try:
        rows = _rows(source, asked, by=key, per=per)
    except (LedgerError, QuestionError, NoAnswer) as wrong:
        _fail(str(wrong))
    FORMS[form](console(), Report(by=by, per=per, rows=rows))


def _rows(source: str | None, asked: list[tuple[str, str]], *, by: str, per: str | None) -> list[Row]:
    if source is not None and source.lower().startswith(("http://", "https://")):
        more = {"by": by} | ({"per": per} if per else {})
        return _served_rows(source, [*((name, value) for name, value in asked if _is_said(name, value)), *more.items()])
    path = Path(source) if source else usual_place()
    if not path.exists():
        raise LedgerError(f"there is no ledger at {path}: `ramp-tracing serve` makes one, --from names another")
    return file_rows(path, read_filter(asked, now=datetime.now(UTC)), by=by, per=per)


def _is_said(name: str, value: str) -> bool:
    """An empty value of a key means the calls without it; an empty time means nothing."""
    return bool(value) or name not in ("since", "until")


def _served_rows(address: str, asked: list[tuple[str, str]]) -> list[Row]:
    url = f"{address.rstrip('/')}/api/report?{urllib.parse.urlencode(asked)}"
    key = os.environ.get("RAMP_TRACING_LOCAL_KEY")
    try:
        request = urllib.request.Request(url, headers={"Authorization": f"Bearer {key}"} if key else {})
        # A proxy knows nothing of this machine's loopback.
        handlers = [urllib.request.ProxyHandler({})] if _is_loopback(address) else []
        with urllib.request.build_opener(*handlers).open(request, timeout=TIMEOUT_SECONDS) as answer:
            read = json.loads(answer.read(MAX_ANSWER_BYTES))
    except urllib.error.HTTPError as error:
        with error:
            raise NoAnswer(f"{address} refused: {_message(error)}") from error
    except (OSError, ValueError) as error:
        raise NoAnswer(f"{address} does not answer as `ramp-tracing serve` does: {error}") from error
    return cast(list[Row], read["rows"])


def _message(error: urllib.error.HTTPError) -> str:
    try:
        said: Mapping[str, Any] = json.loads(error.read(65_536))
        return str(said["error_v2"]["message"])
    except (ValueError, KeyError, TypeError, OSError):
        return f"status {error.code}"


def _is_loopback(address: str) -> bool:
    host = urllib.parse.urlsplit(address).hostname or ""
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _condition(text: str) -> tuple[str, str]:
    key, equals, value = text.partition("=")
    if not equals:
        _fail(f"--where takes key=value, not {text!r}")
    return _key(key), value


def _key(name: str) -> str:
    """A name that is none of ours is one of the user's own keys."""
    return name if name in KEYS or name.startswith(META) else META + name


def _fail(text: str) -> NoReturn:
    typer.echo(text, err=True)
    raise typer.Exit(CANNOT)
