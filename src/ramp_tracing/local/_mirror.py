"""
The calls once more, in columns, so that a million of them are added up while somebody waits.

SQLite needs two thirds of a second to go through a million rows once, and a page asks for ten sums with filters that
nobody could have an index for. DuckDB needs milliseconds. What counts is the ledger: this file beside it follows it by
the number that grows with each change, and is made anew whenever it does not fit.
"""

import tempfile
import threading
from collections.abc import Generator, Mapping, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any, Final

import duckdb
import orjson

from ._keys import KEYS, META
from ._ledger import Ledger, LedgerError
from ._schema import COLUMNS

TEXTS: Final = frozenset(COLUMNS[COLUMNS.index("model") : COLUMNS.index("input_tokens")]) | {
    "source",
    "event_id",
    "trace_id",
}

MAX_KEYS: Final = 200
"""Of metadata, as columns. Whoever uses a key's name for a value has more; those are in the ledger only."""

MAX_COUNTED: Final = 10_000
"""Of the keys beyond: nobody looks at a larger number."""

Portion = Sequence[tuple[Mapping[str, Any], Mapping[str, str]]]
"""Rows of the ledger, each with its metadata."""

SETTINGS: Final = {"autoinstall_known_extensions": False, "autoload_known_extensions": False}
"""Nothing is fetched from outside."""

SUFFIX: Final = ".columns"

IN_USE: Final = "Could not set lock"
"""How DuckDB says that another process has the file open; it has no class of its own for it."""

TYPES: Final = {name: "VARCHAR" if name in TEXTS else "BIGINT" for name in ("id", *COLUMNS, "tokens")}
"""The columns of the ledger, and one that is reckoned once instead of at each question."""

TABLES: Final = f"""
CREATE TABLE calls ({", ".join(f"{name} {kind}" for name, kind in TYPES.items())});
CREATE TABLE own_keys (key VARCHAR, name VARCHAR);
CREATE TABLE progress (ledger VARCHAR, change BIGINT, last_id BIGINT);
"""


class Mirror:
    """
    The calls of a ledger, for questions.

    Args:
        ledger: What it shows.

    Raises:
        LedgerError: Another receiver uses the same ledger.
    """

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger
        self._following = threading.Lock()
        self._columns: dict[str, str] = {}
        self._left_out: set[str] = set()
        self._folder = tempfile.TemporaryDirectory(prefix="ramp-tracing-")
        self._path = ledger.path.with_name(ledger.path.name + SUFFIX)
        self._connection = self._opened() or self._made()
        self._columns |= dict(self._connection.execute("SELECT key, name FROM own_keys").fetchall())
        query = "SELECT change, last_id FROM progress"
        self._change, self._last_id = self._connection.execute(query).fetchall()[0]

    def _opened(self) -> duckdb.DuckDBPyConnection | None:
        """The file as it was left, if it is one of this ledger's and not ahead of it."""
        if not self._path.exists():
            return None
        try:
            connection = self._connected()
        except duckdb.Error as error:
            if IN_USE in str(error):
                raise LedgerError(
                    f"another receiver uses {self._ledger.path}: stop it, or name another file"
                ) from error
            return None
        try:
            [(ledger, change)] = connection.execute("SELECT ledger, change FROM progress").fetchall()
            connection.execute(f"SELECT {', '.join(TYPES)} FROM calls LIMIT 0")
            fits = ledger == self._ledger.identity and change <= self._ledger.change
        except (duckdb.Error, ValueError):
            fits = False
        if not fits:
            connection.close()
        return connection if fits else None

    def _made(self) -> duckdb.DuckDBPyConnection:
        for each in (self._path, self._path.with_name(self._path.name + ".wal")):
            each.unlink(missing_ok=True)
        connection = self._connected()
        connection.execute(TABLES)
        connection.execute("INSERT INTO progress VALUES (?, 0, 0)", [self._ledger.identity])
        return connection

    def _connected(self) -> duckdb.DuckDBPyConnection:
        return duckdb.connect(str(self._path), config={**SETTINGS, "temp_directory": self._folder.name})

    def close(self) -> None:
        """Close the file."""
        with self._following:
            self._connection.close()
            self._folder.cleanup()

    @property
    def metadata_keys(self) -> list[str]:
        """The user's own keys, in alphabetical order."""
        return sorted(self._columns)

    @property
    def keys_left_out(self) -> int:
        """How many keys there are beyond `MAX_KEYS`."""
        return len(self._left_out)

    def expression(self, key: str) -> str | None:
        """
        What a key is in SQL.

        Returns:
            An expression, or `None` for metadata that no call has.
        """
        return self._columns.get(key.removeprefix(META)) if key.startswith(META) else KEYS.get(key)

    @contextmanager
    def snapshot(self) -> Generator[duckdb.DuckDBPyConnection]:
        """A connection on which everything that was kept until now is seen, and nothing that comes meanwhile."""
        self.follow()
        with closing(self._connection.cursor()) as cursor:
            cursor.begin()
            yield cursor
            cursor.rollback()

    def follow(self) -> None:
        """Take over what was kept since."""
        if self._change == self._ledger.change:
            return
        with self._following:
            for portion in self._ledger.changed_since(self._change):
                with self._transaction():
                    columns = self._make_columns(portion)
                self._columns |= columns
                with self._transaction():
                    last_id, change = self._take_over(portion)
                self._last_id, self._change = last_id, change

    @contextmanager
    def _transaction(self) -> Generator[None]:
        self._connection.begin()
        try:
            yield
        except BaseException:
            self._connection.rollback()
            raise
        self._connection.commit()

    def _take_over(self, portion: Portion) -> tuple[int, int]:
        """Write a portion; how far that goes."""
        known = [call["id"] for call, _ in portion if call["id"] <= self._last_id]
        path = Path(self._folder.name) / "portion.json"
        path.write_bytes(b"\n".join(orjson.dumps(_row(*each, self._columns)) for each in portion))
        names = TYPES | dict.fromkeys(self._columns.values(), "VARCHAR")
        last_id, change = max(self._last_id, *(call["id"] for call, _ in portion)), portion[-1][0]["change"]
        if known:
            self._connection.execute("DELETE FROM calls WHERE id IN (SELECT unnest(?))", [known])
        self._connection.execute(
            f"INSERT INTO calls BY NAME SELECT {', '.join(names)} FROM read_json(?, format = 'newline_delimited', "
            f"columns = {names!r}, maximum_object_size = 67108864)",
            [str(path)],
        )
        self._connection.execute("UPDATE progress SET change = ?, last_id = ?", [change, last_id])
        path.unlink()
        return last_id, change

    def _make_columns(self, portion: Portion) -> dict[str, str]:
        """Columns for the keys that are new in a portion, as far as there may be more."""
        made: dict[str, str] = {}
        for key in sorted({key for _, metadata in portion for key in metadata} - self._columns.keys()):
            if len(self._columns) + len(made) >= MAX_KEYS:
                if len(self._left_out) < MAX_COUNTED:
                    self._left_out.add(key)
                continue
            made[key] = column = f"m{len(self._columns) + len(made)}"
            self._connection.execute(f"ALTER TABLE calls ADD COLUMN {column} VARCHAR")
            self._connection.execute("INSERT INTO own_keys VALUES (?, ?)", [key, column])
        return made


def _row(call: Mapping[str, Any], metadata: Mapping[str, str], columns: Mapping[str, str]) -> dict[str, Any]:
    own = {columns[key]: value for key, value in metadata.items() if key in columns}
    return {**call, **own, "tokens": _tokens(call)}


def _tokens(call: Mapping[str, Any]) -> int | None:
    """All tokens of a call: as the provider says, else as far as they are known."""
    if call["total_tokens"] is not None:
        return int(call["total_tokens"])
    known = [call[name] for name in ("input_tokens", "output_tokens") if call[name] is not None]
    return sum(known) if known else None
