"""Where the local receiver keeps what it received: a SQLite file."""

import json
import os
import sqlite3
import threading
from collections.abc import Iterable, Iterator, Sequence
from contextlib import ExitStack, closing
from pathlib import Path
from types import TracebackType
from typing import Final, Self

from platformdirs import user_data_path

from .._received import ReceivedSpan
from ._entry import FAILED, Entry, storable
from ._schema import APPLICATION_ID, COLUMNS, PUT_CALL, PUT_DETAILS, PUT_LEVEL, PUT_METADATA, TABLES, VERSION

BUSY_SECONDS: Final = 30.0
"""How long a writer waits for another one: somebody may look into the file with a shell."""

ROWS_AT_ONCE: Final = 20_000
"""Some ten megabytes in memory."""


class LedgerError(Exception):
    """The file cannot be used as a ledger; the text says why and what to do."""


def usual_place() -> Path:
    """Where the ledger is if nobody says otherwise."""
    return user_data_path("ramp-tracing", appauthor=False) / "ledger.sqlite3"


class Ledger:
    """
    The calls that were received.

    All methods may be called from any thread. What `keep` has returned for is on disk.

    Args:
        path: The file; it and its directory are made if they are missing, for this user only.

    Raises:
        LedgerError: It is something else, or of another version.
        OSError: It cannot be made.
    """

    def __init__(self, path: Path) -> None:
        self.path: Final = path
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        # SQLite would make it readable for everybody, and its side files take over what it has.
        os.close(os.open(path, os.O_CREAT | os.O_RDWR, 0o600))
        self._writing = threading.Lock()
        self._connection = sqlite3.connect(path, timeout=BUSY_SECONDS, check_same_thread=False, isolation_level=None)
        try:
            self._prepare()
        except sqlite3.DatabaseError as error:
            self._connection.close()
            raise LedgerError(f"{path} cannot be used as a ledger: {error}. Name another file.") from error
        except LedgerError:
            self._connection.close()
            raise
        self.identity: Final = str(self._connection.execute("SELECT identity FROM ledger").fetchone()[0])
        self._change = int(self._connection.execute("SELECT coalesce(max(change), 0) FROM calls").fetchone()[0])

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the file."""
        with self._writing:
            self._connection.close()

    @property
    def change(self) -> int:
        """A number that grows with every record that was kept."""
        return self._change

    def keep(self, entries: Sequence[Entry], levels: Iterable[ReceivedSpan] = ()) -> None:
        """
        Write down *entries*, all or none; those with the id of an earlier one replace it.

        Args:
            entries: Calls.
            levels: What stands above them in their traces.
        """
        rows = [_level_row(each) for each in levels]
        with self._writing:
            self._connection.execute("BEGIN IMMEDIATE")
            try:
                for position, entry in enumerate(entries, start=1):
                    self._keep_one(entry, self._change + position)
                self._connection.executemany(PUT_LEVEL, rows)
                self._connection.execute("COMMIT")
            except BaseException:
                self._connection.execute("ROLLBACK")
                raise
            self._change += len(entries)

    def _keep_one(self, entry: Entry, change: int) -> None:
        execute = self._connection.execute
        [call_id] = execute(PUT_CALL, _call_row(entry, change)).fetchone()
        execute("DELETE FROM metadata WHERE call_id = ?", (call_id,))
        self._connection.executemany(PUT_METADATA, [(call_id, *pair) for pair in entry.metadata.items()])
        attributes, events = _json(entry.attributes), _json([{**each.attributes} for each in entry.events])
        execute(PUT_DETAILS, (call_id, entry.span_id, entry.parent_span_id, entry.name, attributes, events))

    def reading(self) -> sqlite3.Connection:
        """A connection that cannot write, for one thread; the caller closes it."""
        return open_for_reading(self.path)

    def changed_since(self, change: int) -> Iterator[list[tuple[dict[str, object], dict[str, str]]]]:
        """The calls that came or were replaced after *change*, with their metadata, oldest first, in portions."""
        columns = ("id", *COLUMNS)
        query = f"SELECT {', '.join(columns)} FROM calls WHERE change > ? ORDER BY change LIMIT {ROWS_AT_ONCE}"
        with closing(self.reading()) as connection:
            # One instant: a call that is replaced meanwhile would be read without its metadata.
            connection.execute("BEGIN")
            while rows := connection.execute(query, (change,)).fetchall():
                calls: list[dict[str, object]] = [dict(zip(columns, row, strict=True)) for row in rows]
                metadata = _metadata_of(connection, change, last=(last := calls[-1]["change"]))
                yield [(call, metadata.get(call["id"], {})) for call in calls]
                change = int(str(last))

    def _prepare(self) -> None:
        execute = self._connection.execute
        version = execute("PRAGMA user_version").fetchone()[0]
        owner = execute("PRAGMA application_id").fetchone()[0]
        empty = execute("SELECT count(*) FROM sqlite_schema").fetchone()[0] == 0
        if not empty and (owner != APPLICATION_ID or version != VERSION):
            raise LedgerError(f"{self.path} is no ledger of this version of ramp-tracing. Name another file.")
        execute("PRAGMA journal_mode = WAL")
        # A record is confirmed to its sender, who then forgets it: it has to be on disk, not on its way there.
        execute("PRAGMA synchronous = FULL")
        execute("PRAGMA foreign_keys = ON")
        if empty:
            stamp = f"PRAGMA application_id = {APPLICATION_ID}; PRAGMA user_version = {VERSION};"
            self._connection.executescript(f"BEGIN IMMEDIATE; {TABLES} {stamp} COMMIT;")


def open_for_reading(path: Path) -> sqlite3.Connection:
    """
    A connection to a ledger that cannot write.

    Raises:
        LedgerError: There is no ledger.
    """
    with ExitStack() as unless_usable:
        try:
            connection = sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True, timeout=BUSY_SECONDS)
            unless_usable.callback(connection.close)
            owner, version = (
                connection.execute(f"PRAGMA {name}").fetchone()[0] for name in ("application_id", "user_version")
            )
        except sqlite3.Error as error:
            raise LedgerError(f"{path} cannot be read: {error}") from error
        if (owner, version) != (APPLICATION_ID, VERSION):
            raise LedgerError(f"{path} is no ledger of this version of ramp-tracing.")
        unless_usable.pop_all()
        return connection


def _metadata_of(connection: sqlite3.Connection, change: int, *, last: object) -> dict[object, dict[str, str]]:
    found: dict[object, dict[str, str]] = {}
    query = "SELECT id, key, value FROM calls JOIN metadata ON call_id = id WHERE change > ? AND change <= ?"
    for call_id, key, value in connection.execute(query, (change, last)):
        found.setdefault(call_id, {})[key] = value
    return found


def _call_row(entry: Entry, change: int) -> tuple[object, ...]:
    values: dict[str, object] = {
        "source": entry.source,
        "event_id": entry.event_id,
        "change": change,
        "start": entry.start,
        "duration": entry.duration,
        "failed": int(entry.failed),
        "trace_id": entry.trace_id,
        **entry.texts,
        **entry.numbers,
    }
    return tuple(values.get(column) for column in COLUMNS)


def _level_row(span: ReceivedSpan) -> tuple[object, ...]:
    duration = max(0, span.end - span.start)
    failed, name = int(span.status == FAILED), storable(span.name)
    return (
        *(span.trace_id, span.span_id, span.parent_span_id),
        *(name, span.start, duration, failed, _json(span.attributes)),
    )


def _json(value: object) -> str:
    """As JSON with nothing but ASCII in it; numbers that are no floats are kept digit by digit, as texts."""
    return json.dumps(value, default=str)
