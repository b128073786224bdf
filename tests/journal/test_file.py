"""A journal on disk, within one process."""

import logging
import os
import sys
import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from ramp_tracing._journal import FileJournal, Stats
from ramp_tracing._journal._line import decode

from .samples import DESTINATION, drain, files, full_generation, generation, ids, ids_of, journal_in, lines, wait_until


@pytest.fixture
def busy_switches() -> Iterator[None]:
    """Threads take turns a thousand times as often as usual."""
    before = sys.getswitchinterval()
    sys.setswitchinterval(5e-6)
    yield
    sys.setswitchinterval(before)


def in_sum(counts: Stats) -> bool:
    return counts.recorded == counts.acknowledged + counts.waiting + counts.dead + counts.lost


def written(state: Path) -> list[str]:
    """The ids of what is on disk, in order."""
    return [record.generation.id for line in lines(state) if (record := decode(line)) is not None]


# -- the life of a record


def test_a_record_is_on_disk_when_append_returns(journal: FileJournal, state: Path) -> None:
    """In a file that is called after the time, the process and chance."""
    assert not state.exists()
    for number in range(3):
        journal.append(generation(number))
        assert written(state)[-1] == f"gen-{number}"
    (path,) = files(state)
    milliseconds, pid, chance = path.stem.split("-")
    assert (int(pid), len(chance)) == (os.getpid(), 8)
    assert abs(time.time() - int(milliseconds) / 1000) < 60


def test_records_come_back_whole_and_in_order(journal: FileJournal) -> None:
    """In pieces of any size, once each."""
    records = [full_generation(), generation(1, text="asked"), generation(2)]
    for record in records:
        journal.append(record)
    first, second = journal.read(2), journal.read(2)
    assert [entry.generation for entry in [*first, *second]] == records
    assert list(journal.read(2)) == []


def test_a_record_waits_until_it_is_settled(journal: FileJournal) -> None:
    """Reading and freezing change nothing for those who count."""
    for number in range(3):
        journal.append(generation(number))
    assert journal.counts() == Stats(recorded=3, waiting=3)
    first, second, third = journal.read(3)
    journal.freeze([first, second])
    assert journal.counts() == Stats(recorded=3, waiting=3)
    journal.acknowledge([first, second])
    journal.bury(third, "refused")
    assert journal.counts() == Stats(recorded=3, acknowledged=2, dead=1)


def test_a_frozen_batch_lets_go_of_content(journal: FileJournal) -> None:
    """Its bytes hold it."""
    journal.append(generation(1, text="asked"))
    entries = journal.read(1)
    assert entries[0].generation.content is not None
    journal.freeze(entries)
    assert (entries[0].generation.content, len(journal._contents._contents)) == (None, 0)


def test_content_has_a_bound(state: Path, caplog: pytest.LogCaptureFixture) -> None:
    """The oldest goes, its usage stays, one warning is said."""
    journal = journal_in(state, content_bytes=2000)
    for number in range(5):
        journal.append(generation(number, text="x" * 500))
    with caplog.at_level(logging.WARNING, "ramp_tracing"):
        journal.tend()
        journal.tend()
    assert [entry.generation.content_lost for entry in journal.read(9)] == [True, True, True, False, False]
    assert caplog.text.count("the oldest calls are sent as usage only") == 1


def test_a_watch_waits_for_what_was_there(journal: FileJournal) -> None:
    """Whatever comes after it, and in whatever order things are settled."""
    for number in range(2):
        journal.append(generation(number))
    settled = journal.watch()
    journal.append(generation(2))
    entries = journal.read(9)
    journal.acknowledge(entries[2:])
    assert not settled()
    journal.acknowledge(entries[:1])
    assert not settled()
    journal.bury(entries[1], "refused")
    assert settled()
    assert journal.watch()()


def test_a_watch_on_nothing_is_over(journal: FileJournal) -> None:
    """And makes no file."""
    assert journal.watch()()


# -- segments


def test_a_long_segment_is_followed_by_another(state: Path) -> None:
    """Each is deleted when all in it is settled; the last one when the journal is closed."""
    journal = journal_in(state, segment_bytes=1000)
    for number in range(30):
        journal.append(generation(number))
        journal.tend()
    assert len(files(state)) > 3
    assert drain(journal, 7) == ids(*range(30))
    assert len(files(state)) == 1
    journal.close()
    assert list((state / DESTINATION).iterdir()) == []
    assert journal.counts() == Stats(recorded=30, acknowledged=30)


def test_no_line_is_lost_while_segments_change(state: Path, busy_switches: None) -> None:
    """Threads write, one drains and begins new segments all the time, lines do not mix."""
    journal = journal_in(state, segment_bytes=500)
    ended = threading.Event()
    sent: list[str] = []
    wrong: list[Stats] = []

    def record(first: int) -> None:
        for number in range(first, first + 500):
            journal.append(generation(number, text="x" if number % 3 else None))

    def send() -> None:
        while not ended.is_set() or journal.counts().waiting:
            journal.tend()
            sent.extend(drain(journal, 20))

    def look() -> None:
        while not ended.is_set():
            if not in_sum(counts := journal.counts()):
                wrong.append(counts)

    writers = [threading.Thread(target=record, args=(1000 * number,)) for number in range(4)]
    others = [threading.Thread(target=send), threading.Thread(target=look)]
    for thread in [*writers, *others]:
        thread.start()
    for thread in writers:
        thread.join()
    ended.set()
    for thread in others:
        thread.join()
    journal.close()
    assert sorted(sent) == sorted(ids(*(1000 * number + each for number in range(4) for each in range(500))))
    assert (wrong, journal.counts()) == ([], Stats(recorded=2000, acknowledged=2000))
    assert files(state) == []
    assert len(journal._contents._contents) == 0


def test_after_closing_it_goes_on(journal: FileJournal, state: Path) -> None:
    """Handlers at the end of the process may still make calls."""
    journal.append(generation(1))
    journal.close()
    assert len(files(state)) == 1
    journal.append(generation(2))
    assert len(files(state)) == 2
    assert drain(journal) == ids(1, 2)
    journal.close()
    assert (files(state), journal.counts()) == ([], Stats(recorded=2, acknowledged=2))


def test_an_answer_that_comes_after_closing_counts(journal: FileJournal, state: Path) -> None:
    """The thread was in the middle of a request."""
    journal.append(generation(1))
    entries = journal.read(1)
    journal.freeze(entries)
    journal.close()
    assert len(files(state)) == 1
    journal.acknowledge(entries)
    assert (files(state), files(state, ".ack")) == ([], [])


def test_a_journal_that_nobody_holds_lets_go_of_its_files(state: Path) -> None:
    """So another one in the same process takes them over."""
    first = journal_in(state)
    first.append(generation(1))
    second = journal_in(state)
    second.tend()
    assert second.counts() == Stats()
    del first
    third = journal_in(state)
    third.tend()
    assert drain(third) == ids(1)


# -- after a restart


def restarted(state: Path, **bounds: object) -> FileJournal:
    """A journal of the next process; whoever held the last one does not."""
    journal = journal_in(state, **bounds)
    journal.tend()
    return journal


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


@pytest.mark.parametrize("marks", [b"", b"x" * 41, b"%020d %020d\n" % (3, 9), b"%020d %020d\n" % (10**9, 10**9), b"-5 7"])
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
    first, second, third, _ = path.read_bytes().split(b"\n")
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


# -- too much


def test_over_the_bound_the_oldest_go_and_are_counted(state: Path, caplog: pytest.LogCaptureFixture) -> None:
    """Own files and those of dead processes, but not the one that is written to."""
    abandoned = journal_in(state)
    abandoned.append(generation(0))
    del abandoned
    journal = journal_in(state, segment_bytes=1, total_bytes=450, round_seconds=0)
    with caplog.at_level(logging.WARNING, "ramp_tracing"):
        for number in range(1, 6):
            journal.append(generation(number))
            journal.tend()
    counts = journal.counts()
    assert (counts.recorded, in_sum(counts)) == (6, True)
    assert counts.lost == 6 - counts.waiting > 0
    assert sum(path.stat().st_size for path in files(state)) <= 450
    assert drain(journal) == ids(*range(counts.lost, 6))
    assert "so many were deleted, and are lost: 1" in caplog.text


def test_what_is_being_sent_is_not_deleted(state: Path) -> None:
    """It may have arrived already; the next oldest goes."""
    journal = journal_in(state, segment_bytes=1, total_bytes=300, round_seconds=0)
    journal.append(generation(0))
    journal.tend()
    entries = journal.read(1)
    for number in range(1, 4):
        journal.append(generation(number))
        journal.tend()
    journal.acknowledge(entries)
    counts = journal.counts()
    assert (counts.acknowledged, counts.lost > 0, in_sum(counts)) == (1, True, True)
    assert "gen-1" not in drain(journal)


def test_what_is_too_old_goes(state: Path) -> None:
    """By the last line in a file."""
    for number in range(2):
        journal_in(state).append(generation(number))
    os.utime(files(state)[0], (1, 1))
    journal = journal_in(state)
    journal.tend()
    assert journal.counts() == Stats(recorded=2, waiting=1, lost=1)
    assert drain(journal) == ids(1)


def test_a_living_neighbour_is_left_alone(state: Path) -> None:
    """What it has is its own to send, and to delete."""
    neighbour = journal_in(state)
    neighbour.append(generation(1))
    journal = journal_in(state, total_bytes=1)
    journal.tend()
    assert not journal.has_leftovers()
    assert journal.counts() == Stats()
    assert drain(neighbour) == ids(1)


# -- a file under our feet


def test_a_deleted_file_is_noticed(state: Path) -> None:
    """What was in there is sent all the same; what comes after is in a new one."""
    journal = journal_in(state, round_seconds=0)
    journal.append(generation(1))
    files(state)[0].unlink()
    journal.tend()
    journal.append(generation(2))
    assert written(state) == ids(2)
    assert drain(journal) == ids(1, 2)
    assert journal.counts() == Stats(recorded=2, acknowledged=2)


def test_a_deleted_directory_is_noticed(state: Path) -> None:
    """It is made again."""
    import shutil

    journal = journal_in(state, round_seconds=0)
    journal.append(generation(1))
    shutil.rmtree(state)
    journal.tend()
    journal.append(generation(2))
    assert written(state) == ids(2)
    assert drain(journal) == ids(1, 2)
    journal.close()
    assert (files(state), journal.counts()) == ([], Stats(recorded=2, acknowledged=2))


def test_a_descriptor_that_somebody_closed_is_left_alone(state: Path, tmp_path: Path) -> None:
    """Its number may be another file's by now: nothing is written to it, and it is not closed."""
    journal = journal_in(state, round_seconds=0)
    journal.append(generation(1))
    current = journal._writer.current
    assert current is not None
    number = current.file.number
    os.close(number)
    theirs = os.open(tmp_path / "theirs", os.O_CREAT | os.O_RDWR)
    assert theirs == number
    del current
    journal.tend()
    journal.append(generation(2))
    assert os.fstat(theirs).st_size == 0
    os.close(theirs)
    journal.tend()
    assert sorted(drain(journal)) == ids(1, 2)


def test_standard_output_is_never_ours(state: Path) -> None:
    """A process without one gives its number to the next file that it opens."""
    saved = os.dup(1)
    os.close(1)
    try:
        journal = journal_in(state)
        journal.append(generation(1))
        current = journal._writer.current
        assert current is not None
        assert current.file.number > 2
    finally:
        os.dup2(saved, 1)
        os.close(saved)


def test_rounds_come_every_ten_seconds(journal: FileJournal) -> None:
    """The thread that drains is told when to come back."""
    assert 9 < journal.tend() <= 10
    assert journal.tend() <= 10


def test_a_new_segment_is_never_seen_without_its_lock(state: Path) -> None:
    """A neighbour that looks all the time adopts nothing that lives."""
    stop = threading.Event()
    adopted: list[int] = []

    def look() -> None:
        neighbour = journal_in(state, round_seconds=0)
        while not stop.is_set():
            neighbour.tend()
            adopted.append(neighbour.counts().recorded)

    thread = threading.Thread(target=look)
    thread.start()
    journals = []
    for number in range(60):
        journals.append(journal_in(state))
        journals[-1].append(generation(number))
    wait_until(lambda: len(adopted) > 3)
    stop.set()
    thread.join()
    assert max(adopted) == 0
