"""A journal on disk, within one process."""

import gc
import logging
import os
import threading
import time
import weakref
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import cast

import pytest

from ramp_tracing._journal import FileJournal, Stats
from ramp_tracing._journal._contents import OVERHEAD_BYTES
from ramp_tracing._journal._journal import SMALL_BYTES
from ramp_tracing._journal._line import RECORD_BYTES, decode
from ramp_tracing._record import Content

from .samples import DESTINATION, drain, files, full_generation, generation, ids, journal_in, lines


def in_sum(counts: Stats) -> bool:
    return counts.recorded == counts.acknowledged + counts.waiting + counts.dead + counts.lost


def written(state: Path) -> list[str]:
    """The ids of what is on disk, in order."""
    return [record.generation.id for line in lines(state) if (record := decode(line)) is not None]


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


class Asked(dict[str, str]):
    """A request's content, of which can be said whether anybody still has it."""


def test_and_nobody_has_it_any_more(journal: FileJournal) -> None:
    """A batch may wait for hours: the bound counts what nobody has frozen. What is small may stay as long."""
    content = Content(input=Asked(text="asked"), output=None, size_bytes=SMALL_BYTES + 1)
    asked = weakref.ref(cast("Asked", content.input))
    journal.append(replace(generation(1), content=content))
    del content
    entries = journal.read(1)
    assert asked() is not None
    journal.freeze(entries)
    gc.collect()
    assert (len(entries), asked()) == (1, None)


def test_content_has_a_bound(state: Path, caplog: pytest.LogCaptureFixture) -> None:
    """The oldest goes, its usage stays, one warning is said."""
    journal = journal_in(state, content_bytes=2 * (500 + RECORD_BYTES + OVERHEAD_BYTES))
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


def test_a_watch_is_not_over_while_records_are_read(journal: FileJournal, busy_switches: None) -> None:
    """Whoever waits looks all the time, from another thread."""
    too_early: list[int] = []
    for number in range(300):
        journal.append(generation(number))
        settled, done = journal.watch(), threading.Event()

        def wait(settled: Callable[[], bool] = settled, done: threading.Event = done, number: int = number) -> None:
            while not settled():
                pass
            if not done.is_set():
                too_early.append(number)

        thread = threading.Thread(target=wait)
        thread.start()
        entries = journal.read(50)
        journal.freeze(entries)
        done.set()
        journal.acknowledge(entries)
        thread.join()
    assert too_early == []
