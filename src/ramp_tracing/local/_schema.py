"""What the ledger looks like on disk; also for whoever asks it in SQL (docs/local.md)."""

from typing import Final

VERSION: Final = 1
"""In ``PRAGMA user_version``. A ledger of another version is left alone."""

APPLICATION_ID: Final = 0x52414D50
"""``RAMP`` in ``PRAGMA application_id``: another program's database is never written to."""

COLUMNS: Final = (
    "source",
    "event_id",
    "change",
    "start",
    "duration",
    "failed",
    "model",
    "provider",
    "served_by",
    "user_id",
    "session_id",
    "trace_name",
    "operation",
    "library",
    "service",
    "tier",
    "finish_reason",
    "error_type",
    "cost_source",
    "input_tokens",
    "output_tokens",
    "total_tokens",
    "cached_tokens",
    "cache_write_tokens",
    "reasoning_tokens",
    "first_token",
    "cost",
    "input_cost",
    "output_cost",
    "trace_id",
)
"""Of the table ``calls``, beside its ``id``."""

TABLES: Final = """
CREATE TABLE ledger (identity TEXT NOT NULL) STRICT;  -- one row, by which this file is told from all others
INSERT INTO ledger VALUES (lower(hex(randomblob(16))));
CREATE TABLE calls (
    id INTEGER PRIMARY KEY,      -- kept when a later record replaces the call
    source TEXT NOT NULL,
    event_id TEXT NOT NULL,
    change INTEGER NOT NULL,     -- grows with every record: what changed since is what has a higher one
    start INTEGER NOT NULL,      -- nanoseconds since 1970
    duration INTEGER,            -- nanoseconds
    failed INTEGER NOT NULL,     -- 0 or 1
    model TEXT, provider TEXT, served_by TEXT, user_id TEXT, session_id TEXT, trace_name TEXT,
    operation TEXT, library TEXT, service TEXT, tier TEXT, finish_reason TEXT, error_type TEXT, cost_source TEXT,
    input_tokens INTEGER, output_tokens INTEGER, total_tokens INTEGER,
    cached_tokens INTEGER, cache_write_tokens INTEGER, reasoning_tokens INTEGER,
    first_token INTEGER,         -- microseconds
    cost INTEGER, input_cost INTEGER, output_cost INTEGER,  -- 1e-10 US dollars; NULL where nobody knows
    trace_id TEXT,
    UNIQUE (source, event_id)
) STRICT;
CREATE INDEX calls_by_change ON calls (change);
CREATE INDEX calls_by_start ON calls (start);
CREATE INDEX calls_by_trace ON calls (trace_id) WHERE trace_id IS NOT NULL;
CREATE TABLE metadata (
    call_id INTEGER NOT NULL REFERENCES calls (id) ON DELETE CASCADE,
    key TEXT NOT NULL,
    value TEXT NOT NULL,
    PRIMARY KEY (call_id, key)
) STRICT, WITHOUT ROWID;
CREATE INDEX metadata_by_key ON metadata (key, value);
CREATE TABLE details (
    call_id INTEGER PRIMARY KEY REFERENCES calls (id) ON DELETE CASCADE,
    span_id TEXT, parent_span_id TEXT, name TEXT,
    attributes TEXT NOT NULL,    -- JSON, everything that was sent
    events TEXT NOT NULL         -- JSON
) STRICT;
CREATE TABLE levels (            -- spans that are no calls: what stands above them in a trace
    trace_id TEXT NOT NULL, span_id TEXT NOT NULL, parent_span_id TEXT, name TEXT NOT NULL,
    start INTEGER NOT NULL, duration INTEGER NOT NULL, failed INTEGER NOT NULL, attributes TEXT NOT NULL,
    PRIMARY KEY (trace_id, span_id)
) STRICT, WITHOUT ROWID;
"""

_PLACES = ", ".join("?" * len(COLUMNS))
_UPDATES = ", ".join(f"{column} = excluded.{column}" for column in COLUMNS if column not in ("source", "event_id"))

PUT_CALL: Final = f"""
INSERT INTO calls ({", ".join(COLUMNS)}) VALUES ({_PLACES})
ON CONFLICT (source, event_id) DO UPDATE SET {_UPDATES} RETURNING id
"""

PUT_DETAILS: Final = "INSERT OR REPLACE INTO details VALUES (?, ?, ?, ?, ?, ?)"

PUT_METADATA: Final = "INSERT INTO metadata VALUES (?, ?, ?)"

PUT_LEVEL: Final = "INSERT OR REPLACE INTO levels VALUES (?, ?, ?, ?, ?, ?, ?, ?)"
