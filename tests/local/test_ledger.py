"""The file and what follows it."""

import sqlite3
import stat
from contextlib import closing
from pathlib import Path

import pytest

from ramp_tracing.local._entry import Entry
from ramp_tracing.local._keys import Filter
from ramp_tracing.local._ledger import Ledger, LedgerError, open_for_reading
from ramp_tracing.local._mirror import MAX_KEYS, SUFFIX, Mirror
from ramp_tracing.local._report import file_rows, mirror_rows

ALL = Filter()


def entry(number: int, *, cost: int | None = 1, **metadata: str) -> Entry:
    return Entry(
        source="openrouter",
        event_id=f"gen-{number}",
        start=number,
        duration=1,
        failed=False,
        texts={"model": f"model-{number % 3}"},
        numbers={} if cost is None else {"cost": cost},
        metadata=metadata,
    )


def calls_by(mirror: Mirror, key: str) -> dict[str | None, int]:
    return {row["value"]: row["calls"] for row in mirror_rows(mirror, ALL, by=key, per=None)}


def test_only_its_user_may_read_it(tmp_path: Path) -> None:
    """The file and its directory are for this user only."""
    path = tmp_path / "new" / "ledger.sqlite3"
    Ledger(path).close()
    assert (0o600, 0o700) == (stat.S_IMODE(path.stat().st_mode), stat.S_IMODE(path.parent.stat().st_mode))


def test_is_durable(tmp_path: Path) -> None:
    """What was kept is on disk in a form that a power cut leaves whole, and is there at the next start."""
    with Ledger(tmp_path / "ledger.sqlite3") as ledger:
        ledger.keep([entry(1)])
        pragmas = ("journal_mode", "synchronous", "foreign_keys")
        assert ["wal", 2, 1] == [ledger._connection.execute(f"PRAGMA {name}").fetchone()[0] for name in pragmas]
    with Ledger(tmp_path / "ledger.sqlite3") as ledger:
        assert 1 == ledger.change


def test_keeps_all_or_none(tmp_path: Path) -> None:
    """Where one of several cannot be kept, none is, and the next ones are."""
    with Ledger(tmp_path / "ledger.sqlite3") as ledger:
        broken = entry(2, cost=2**64)
        with pytest.raises(OverflowError):
            ledger.keep([entry(1), broken])
        assert 0 == ledger.change
        ledger.keep([entry(1)])
        assert 1 == ledger.change


@pytest.mark.parametrize("content", [b"", b"SQLite is something else" * 100])
def test_leaves_other_files_alone(tmp_path: Path, content: bytes) -> None:
    """Another program's database, or a file that is none, is refused and not written to."""
    path = tmp_path / "theirs"
    if content:
        path.write_bytes(content)
    else:
        with closing(sqlite3.connect(path)) as theirs:
            theirs.execute("CREATE TABLE calls (theirs)")
    before = path.read_bytes()
    with pytest.raises(LedgerError, match="another file"):
        Ledger(path)
    with pytest.raises(LedgerError):
        open_for_reading(path)
    assert before == path.read_bytes()


def test_the_mirror_follows(tmp_path: Path) -> None:
    """What comes and what is replaced shows at the next question, also after a restart, and with new keys."""
    path = tmp_path / "ledger.sqlite3"
    with Ledger(path) as ledger:
        mirror = Mirror(ledger)
        ledger.keep([entry(number, team="search") for number in range(5)])
        assert {"search": 5} == calls_by(mirror, "meta.team")
        ledger.keep([entry(1, team="billing"), entry(5, stage="live"), entry(5, stage="live")])
        assert {"search": 4, "billing": 1, None: 1} == calls_by(mirror, "meta.team")
        mirror.close()
        ledger.keep([entry(6, stage="live")])
    with Ledger(path) as ledger:
        mirror = Mirror(ledger)
        assert {"live": 2, None: 5} == calls_by(mirror, "meta.stage")
        assert ["stage", "team"] == mirror.metadata_keys
        mirror.close()


@pytest.mark.parametrize("spoil", ["broken", "of another ledger", "ahead"])
def test_a_mirror_that_does_not_fit_is_made_anew(tmp_path: Path, spoil: str) -> None:
    """A broken file, one of another ledger, and one that knows more than its ledger: the ledger counts."""
    path, other = tmp_path / "ledger.sqlite3", tmp_path / "other.sqlite3"
    with Ledger(path) as ledger, Ledger(other) as elsewhere:
        ledger.keep([entry(1), entry(2)])
        elsewhere.keep([entry(number) for number in range(4)])
        columns = path.with_name(path.name + SUFFIX)
        if spoil == "broken":
            columns.write_bytes(b"not at all")
        elif spoil == "of another ledger":
            mirror = Mirror(elsewhere)
            mirror.follow()
            mirror.close()
            other.with_name(other.name + SUFFIX).rename(columns)
        else:
            mirror = Mirror(ledger)
            mirror.follow()
            mirror._connection.execute("UPDATE progress SET change = 99")
            mirror.close()
        mirror = Mirror(ledger)
        assert 2 == sum(calls_by(mirror, "model").values())
        mirror.close()


def test_names_of_keys_are_no_sql(tmp_path: Path) -> None:
    """A key or a value that looks like SQL is a key or a value."""
    hostile = """x') FROM calls; DROP TABLE calls; --"'"""
    with Ledger(tmp_path / "ledger.sqlite3") as ledger:
        mirror = Mirror(ledger)
        ledger.keep([entry(1, **{hostile: hostile})])
        chosen = Filter(values={f"meta.{hostile}": (hostile,)})
        for rows in (
            mirror_rows(mirror, chosen, by=f"meta.{hostile}", per="day"),
            file_rows(ledger.path, chosen, by=f"meta.{hostile}", per="day"),
        ):
            assert [(hostile, 1)] == [(row["value"], row["calls"]) for row in rows]
        mirror.close()


def test_too_many_keys_are_counted(tmp_path: Path) -> None:
    """Whoever uses values as keys fills no columns without end; what is left out is said, and is in the ledger."""
    with Ledger(tmp_path / "ledger.sqlite3") as ledger:
        mirror = Mirror(ledger)
        ledger.keep([entry(number, **{f"key-{number}": "1"}) for number in range(MAX_KEYS + 3)])
        mirror.follow()
        assert (MAX_KEYS, 3) == (len(mirror.metadata_keys), mirror.keys_left_out)
        assert MAX_KEYS + 3 == sum(calls_by(mirror, "model").values())
        mirror.close()


def test_a_portion_that_fails_is_taken_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """If the disk is full in the middle of following, nothing is half taken over, and the next question has it all."""
    with Ledger(tmp_path / "ledger.sqlite3") as ledger:
        mirror = Mirror(ledger)
        ledger.keep([entry(1, team="search"), entry(2, team="search")])

        def full(*_: object) -> tuple[int, int]:
            raise OSError("no space left on device")

        with monkeypatch.context() as patched:
            patched.setattr(mirror, "_take_over", full)
            with pytest.raises(OSError, match="no space"):
                mirror.follow()
        assert {"search": 2} == calls_by(mirror, "meta.team")
        mirror.close()
