"""
The calls once more, in columns and in memory, so that a million of them are added up while somebody waits.

SQLite needs two thirds of a second to go through a million rows once, and a page asks for ten sums with filters that
nobody could have an index for. DuckDB needs milliseconds. What counts is the ledger: this is made from it at each start,
and follows it by the number that grows with each change.
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
from ._ledger import Ledger
from ._schema import COLUMNS

TEXTS: Final = frozenset(COLUMNS[COLUMNS.index("model") : COLUMNS.index("input_tokens")]) | {
    "source",
    "event_id",
    "trace_id",
}

MAX_KEYS: Final = 200
"""Of metadata, as columns. Whoever uses a key's name for a value has more; those are in the ledger only."""

SETTINGS: Final = {"autoinstall_known_extensions": False, "autoload_known_extensions": False}
"""Nothing is fetched from outside."""

MISSING: Final = "this key is not known: {key}"


class Mirror:
    """
    The calls of a ledger, for questions.

    Args:
        ledger: What it shows.
    """

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger
        self._change = 0
        self._last_id = 0
        self._following = threading.Lock()
        self._columns: dict[str, str] = {}
        self._left_out: set[str] = set()
        self._folder = tempfile.TemporaryDirectory(prefix="ramp-tracing-")
        self._connection = duckdb.connect(":memory:", config=SETTINGS | {"temp_directory": self._folder.name})
        columns = ", ".join(f"{name} {'VARCHAR' if name in TEXTS else 'BIGINT'}" for name in ("id", *COLUMNS))
        self._connection.execute(f"CREATE TABLE calls ({columns})")

    def close(self) -> None:
        """Forget everything."""
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
                self._take_over(portion)

    def _take_over(self, portion: Sequence[tuple[Mapping[str, Any], Mapping[str, str]]]) -> None:
        self._make_columns(portion)
        known = [call["id"] for call, _ in portion if call["id"] <= self._last_id]
        path = Path(self._folder.name) / "portion.json"
        path.write_bytes(b"\n".join(orjson.dumps(self._row(*each)) for each in portion))
        names = {name: "VARCHAR" if name in TEXTS else "BIGINT" for name in ("id", *COLUMNS)}
        names |= dict.fromkeys(self._columns.values(), "VARCHAR")
        self._connection.begin()
        if known:
            self._connection.execute("DELETE FROM calls WHERE id IN (SELECT unnest(?))", [known])
        self._connection.execute(
            f"INSERT INTO calls BY NAME SELECT {', '.join(names)} FROM read_json(?, format = 'newline_delimited', "
            f"columns = {names!r}, maximum_object_size = 67108864)",
            [str(path)],
        )
        self._connection.commit()
        path.unlink()
        self._last_id = max(self._last_id, *(call["id"] for call, _ in portion))
        self._change = portion[-1][0]["change"]

    def _row(self, call: Mapping[str, Any], metadata: Mapping[str, str]) -> dict[str, Any]:
        own = {column: value for key, value in metadata.items() if (column := self._columns.get(key)) is not None}
        return {**call, **own}

    def _make_columns(self, portion: Sequence[tuple[object, Mapping[str, str]]]) -> None:
        for key in {key for _, metadata in portion for key in metadata} - self._columns.keys():
            if len(self._columns) >= MAX_KEYS:
                self._left_out.add(key)
                continue
            column = f"m{len(self._columns)}"
            self._connection.execute(f"ALTER TABLE calls ADD COLUMN {column} VARCHAR")
            self._columns[key] = column
