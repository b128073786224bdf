"""A journal on disk that an earlier process left."""

import logging
import os
from dataclasses import replace
from pathlib import Path

import pytest

from ramp_tracing._journal import Stats

from .samples import (
    DESTINATION,
    drain,
    files,
    generation,
    ids,
    ids_of,
    journal_in,
    restarted,
)


def test_what_waits_is_sent_after_a_restart(state: Path) -> None:
    """Under the same ids, without content, and says so."""
    journal = journal_in(state)
    for number in range(3):
        journal.append(generation(number, text="asked"))
    journal.acknowledge(journal.read(1))
    del journal
    journal = restarted(state)
    assert journal.counts() == Stats(recorded=2, waiting=2)
    entries = journal.read(9)
    assert [entry.generation for entry in entries] == [replace(generation(n), content_lost=True) for n in (1, 2)]
    journal.acknowledge(entries)
    assert (files(state), journal.counts()) == ([], Stats(recorded=2, acknowledged=2))


def test_a_journal_knows_whether_it_has_something_to_do(state: Path) -> None:
    """Before any record comes: what nobody has sent, and not what a process left that has sent it."""
    assert not journal_in(state).has_leftovers()
    journal = journal_in(state)
    journal.append(generation(1))
    assert not journal_in(state).has_leftovers()
    del journal
    assert journal_in(state).has_leftovers()
    drain(restarted(state))
    journal = journal_in(state)
    journal.append(generation(2))
    journal.acknowledge(journal.read(1))
    del journal
    assert len(files(state)) == 1
    assert not journal_in(state).has_leftovers()
    restarted(state)
    assert files(state) == []


def test_a_batch_that_was_tried_is_tried_again_as_it_was(state: Path) -> None:
    """Exactly its records, alone; so a receiver that knows the batch is not confused."""
    journal = journal_in(state)
    for number in range(10):
        journal.append(generation(number))
    entries = journal.read(6)
    journal.freeze(entries[:4])
    journal.acknowledge(entries[:1])
    del journal, entries
    journal = restarted(state)
    first, second = journal.read(9), journal.read(9)
    assert (ids_of(first), ids_of(second)) == (ids(1, 2, 3), ids(4, 5, 6, 7, 8, 9))
    assert len({entry.batch for entry in first}) == len({entry.batch for entry in second}) == 1
    assert first[0].batch is not second[0].batch


def test_records_of_different_files_are_not_of_one_batch(state: Path) -> None:
    """A batch is a stretch of one file, so that it can be noted there."""
    journal = journal_in(state, segment_bytes=1)
    for number in range(2):
        journal.append(generation(number))
        journal.tend()
    first, second = journal.read(9), journal.read(9)
    assert (ids_of(first), ids_of(second)) == (ids(0), ids(1))
    assert first[0].batch is not second[0].batch


def test_what_is_settled_out_of_order_is_kept_until_its_turn(state: Path) -> None:
    """On disk there is one mark; records behind the first that waits are sent once more, under the same ids."""
    journal = journal_in(state)
    for number in range(4):
        journal.append(generation(number))
    entries = journal.read(4)
    journal.acknowledge([entries[0], entries[2]])
    assert journal.counts().waiting == 2
    del journal, entries
    assert drain(restarted(state)) == ids(1, 2, 3)


@pytest.mark.parametrize(
    "marks", [b"", b"x" * 41, b"%020d %020d\n" % (3, 9), b"%020d %020d\n" % (10**9, 10**9), b"-5 7"]
)
def test_marks_that_cannot_be_true_mean_that_nothing_is_settled(state: Path, marks: bytes) -> None:
    """Rather twice than not at all."""
    journal = journal_in(state)
    for number in range(2):
        journal.append(generation(number))
    journal.acknowledge(journal.read(1))
    del journal
    (path,) = files(state, ".ack")
    path.write_bytes(marks)
    assert drain(restarted(state)) == ids(0, 1)


def test_a_torn_tail_is_skipped(state: Path) -> None:
    """It is no record: the machine stopped while it was written."""
    journal = journal_in(state)
    for number in range(3):
        journal.append(generation(number))
    del journal
    (path,) = files(state)
    path.write_bytes(path.read_bytes()[:-10])
    journal = restarted(state)
    assert drain(journal) == ids(0, 1)
    assert (journal.counts(), files(state)) == (Stats(recorded=2, acknowledged=2), [])


@pytest.mark.parametrize("garbage", [b"\0" * 5000, b"nonsense", b"v1 00000000 {}", b"v1 " * 3000, os.urandom(200)])
def test_garbage_in_the_middle_is_skipped_and_counted(
    state: Path, garbage: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    """One line, one record that is lost, one warning."""
    journal = journal_in(state)
    for number in range(3):
        journal.append(generation(number))
    del journal
    (path,) = files(state)
    first, _, third, _ = path.read_bytes().split(b"\n")
    path.write_bytes(b"\n".join([first, garbage.replace(b"\n", b""), third, b""]))
    with caplog.at_level(logging.WARNING, "ramp_tracing"):
        journal = restarted(state)
        journal.tend()
    assert journal.counts() == Stats(recorded=3, waiting=2, lost=1)
    assert drain(journal) == ids(0, 2)
    assert (journal.counts(), files(state)) == (Stats(recorded=3, acknowledged=2, lost=1), [])
    assert caplog.text.count("damaged lines; records that are lost: 1") == 1


def test_a_line_without_end_takes_no_memory(state: Path) -> None:
    """Ten megabytes of garbage are passed over page by page."""
    journal = journal_in(state)
    journal.append(generation(1))
    del journal
    (path,) = files(state)
    with path.open("ab") as file:
        file.write(b"x" * (10 << 20) + b"\n" + path.read_bytes())
    journal = restarted(state)
    assert drain(journal) == ids(1, 1)
    assert journal.counts().lost == 1


def test_a_record_that_nobody_can_read_is_lost_and_not_waited_for(state: Path) -> None:
    """Its checksum is right, but it is none of ours."""
    journal = journal_in(state)
    journal.append(generation(1))
    del journal
    (path,) = files(state)
    import zlib

    path.write_bytes(b"v1 %08x []\n" % zlib.crc32(b"[]") + path.read_bytes())
    journal = restarted(state)
    settled = journal.watch()
    assert drain(journal) == ids(1)
    assert settled()
    assert (journal.counts(), files(state)) == (Stats(recorded=2, acknowledged=1, lost=1), [])


def test_litter_is_cleared(state: Path) -> None:
    """New files that never became segments, and marks without one; a minute after they were made."""
    journal = journal_in(state)
    journal.append(generation(1))
    folder = state / DESTINATION
    for name in ("1-1-a.new", "1-1-b.ack", "1-1-c.new"):
        (folder / name).write_bytes(b"")
    for name in ("1-1-a.new", "1-1-b.ack"):
        os.utime(folder / name, (1, 1))
    journal.tend()
    assert {path.name for path in folder.iterdir()} == {files(state)[0].name, "1-1-c.new"}


def test_only_so_many_files_are_taken_over_at_once(state: Path) -> None:
    """Each costs a descriptor; the next ones follow at once."""
    for number in range(7):
        journal_in(state).append(generation(number))
    before = len(os.listdir("/proc/self/fd"))
    journal = restarted(state, adopted=3)
    assert len(os.listdir("/proc/self/fd")) == before + 3
    assert journal.counts().waiting == 3
    sent: list[str] = []
    while len(sent) < 7:
        sent += drain(journal)
        assert journal.tend() <= 10
    assert (sorted(sent), journal.counts()) == (ids(*range(7)), Stats(recorded=7, acknowledged=7))
