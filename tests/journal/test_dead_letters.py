"""Records that will not be sent."""

import json
import os
import re
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from ramp_tracing._journal import FileJournal, Stats, dead_letters
from ramp_tracing._journal import _letters as letters
from ramp_tracing._record import Failure, GenerationId, UnixNanos

from .samples import DESTINATION, bytes_below, drain, files, full_generation, generation, ids, journal_in

REASON = "Ramp answered 400 (x-trace-id abc)"


def letters_in(state: Path) -> list[Path]:
    return sorted((state / DESTINATION / "dead").glob("*"))


def bury(journal: FileJournal, *records: object, reason: str = REASON) -> None:
    for record in records:
        journal.append(record)  # type: ignore[arg-type]
    for entry in journal.read(99):
        journal.bury(entry, reason)


def test_a_dead_letter_can_be_read_by_a_person(journal: FileJournal, state: Path) -> None:
    """When, why, and the record as it was written down; without content and without the provider's words."""
    record = replace(full_generation(), failure=Failure(type="E", message="CANARY"))
    bury(journal, record)
    (path,) = letters_in(state)
    assert re.fullmatch(r"\d{13}-gen-full\.json", path.name)
    letter = json.loads(path.read_text())
    assert list(letter) == ["reason", "time", "certain", "record"]
    assert (letter["reason"], letter["certain"], letter["record"]["usage"]["input"]) == (REASON, True, 14)
    assert abs((datetime.now(UTC) - datetime.fromisoformat(letter["time"])).total_seconds()) < 60
    assert path.read_text().count("\n") > 20
    assert b"CANARY" not in bytes_below(state)
    assert journal.counts() == Stats(recorded=1, dead=1)


def test_what_was_buried_is_not_sent_again(journal: FileJournal, state: Path) -> None:
    """Neither here nor after a restart."""
    bury(journal, generation(1))
    journal.append(generation(2))
    assert drain(journal) == ids(2)
    journal.close()
    assert files(state) == []


def test_a_record_that_is_buried_twice_is_one_letter(state: Path) -> None:
    """The process was killed between the letter and the mark."""
    journal = journal_in(state)
    bury(journal, generation(1))
    bury(journal, generation(1))
    assert len(letters_in(state)) == 1


def test_a_job_and_its_end_are_two_letters(journal: FileJournal, state: Path) -> None:
    """Though they have one id."""
    begun = replace(generation(1), pending=True)
    bury(journal, begun, replace(begun, pending=False, timing=replace(begun.timing, ended=begun.timing.ended + 10**7)))
    assert [letter.generation and letter.generation.pending for letter in dead_letters(state / DESTINATION)] == [
        True,
        False,
    ]


@pytest.mark.parametrize("name", ["../../../etc/x", "a/b", "\0", "\ud800", "x" * 500, "", ".", "ü", "a\nb"])
def test_an_id_cannot_choose_the_file(state: Path, name: str) -> None:
    """It comes from a provider."""
    bury(journal_in(state), replace(generation(), id=GenerationId(name)))
    (path,) = letters_in(state)
    assert re.fullmatch(r"\d{13}-[\w.-]*\.json", path.name, re.ASCII)
    assert len(path.name) < 200


def test_two_ids_that_look_alike_in_a_name_are_two_letters(state: Path) -> None:
    """The name of a file holds fewer characters than an id."""
    bury(journal_in(state), *(replace(generation(), id=GenerationId(name)) for name in ("a/b", "a_b", "a\\b")))
    assert len(letters_in(state)) == 3


def test_of_a_request_that_was_refused_in_part_every_record_is_kept(journal: FileJournal, state: Path) -> None:
    """Nobody knows which they are; the numbers are right all the same."""
    for number in range(4):
        journal.append(generation(number))
    entries = journal.read(4)
    journal.freeze(entries)
    journal.acknowledge(entries, refused=1)
    found = dead_letters(state / DESTINATION)
    assert [(letter.certain, letter.reason) for letter in found] == [
        (False, "the receiver refused 1 of the 4 records of a request without saying which")
    ] * 4
    assert journal.counts() == Stats(recorded=4, acknowledged=3, dead=1)


def test_of_a_request_that_was_refused_in_full_every_record_is_dead(journal: FileJournal, state: Path) -> None:
    """For certain."""
    journal.append(generation(1))
    entries = journal.read(4)
    journal.acknowledge(entries, refused=1)
    assert [letter.certain for letter in dead_letters(state / DESTINATION)] == [True]
    assert journal.counts() == Stats(recorded=1, dead=1)


def test_a_record_in_memory_can_be_buried_too(state: Path) -> None:
    """When the disk is there again."""
    state.write_text("")
    journal = journal_in(state)
    journal.append(generation(1))
    state.unlink()
    bury(journal)
    assert [letter.generation for letter in dead_letters(state / DESTINATION)] == [generation(1)]
    assert journal.counts() == Stats(recorded=1, dead=1)


def test_without_a_letter_a_refused_record_is_lost(state: Path, caplog: pytest.LogCaptureFixture) -> None:
    """It counts as dead only if somebody can look at it."""
    journal = journal_in(state)
    journal.append(generation(1))
    (state / DESTINATION / "dead").write_text("")
    bury(journal)
    with caplog.at_level("WARNING", "ramp_tracing"):
        journal.tend()
    assert journal.counts() == Stats(recorded=1, lost=1)
    assert "records that were refused and are lost: 1" in caplog.text


def test_there_are_only_so_many_letters(state: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The oldest go."""
    monkeypatch.setattr(letters, "MAX_LETTERS", 10)
    monkeypatch.setattr(letters, "SPARE_LETTERS", 3)
    journal = journal_in(state)
    for number in range(12):
        record = generation(number)
        timing = replace(record.timing, ended=UnixNanos(record.timing.ended + number * 10**7))
        bury(journal, replace(record, timing=timing))
    found = [letter.generation.id for letter in dead_letters(state / DESTINATION) if letter.generation]
    assert found == ids(*range(4, 12))
    assert journal.counts() == Stats(recorded=12, dead=12)


def test_what_is_no_letter_is_passed_over(journal: FileJournal, state: Path, tmp_path: Path) -> None:
    """Whatever people put there."""
    bury(journal, generation(1))
    folder = state / DESTINATION / "dead"
    (folder / "0-a.json").write_text("{")
    (folder / "0-b.json").write_text("[]")
    (folder / "0-c.json").write_text('{"record": 7}')
    (folder / "0-d.json").mkdir()
    (folder / "0-e.json").symlink_to(tmp_path / "nowhere")
    os.mkfifo(folder / "0-f.json")
    (folder / "notes.txt").write_text("call them")
    assert [letter.generation for letter in dead_letters(state / DESTINATION)] == [generation(1)]
