import logging
import threading

import pytest

from ramp_tracing._guard import log
from ramp_tracing._journal import Entry, MemoryJournal, Stats
from ramp_tracing._record import Content, Generation, GenerationId, Timing, UnixNanos


@pytest.fixture(autouse=True)
def nothing_said_yet(monkeypatch: pytest.MonkeyPatch) -> None:
    """Another test may have said the same within the minute."""
    monkeypatch.setattr(log, "_next", {})


def generation(number: int, *, size_bytes: int = 0) -> Generation:
    return Generation(
        id=GenerationId(str(number)),
        operation="chat",
        library="openai",
        timing=Timing(started=UnixNanos(1), ended=UnixNanos(2)),
        content=Content(input="asked", output="answered", size_bytes=size_bytes) if size_bytes else None,
    )


def journal_with(*sizes: int, **bounds: int) -> MemoryJournal:
    journal = MemoryJournal(**bounds)
    for number, size in enumerate(sizes):
        journal.append(generation(number, size_bytes=size))
    return journal


def ids(entries: object) -> list[str]:
    assert isinstance(entries, list)
    return [entry.generation.id for entry in entries if isinstance(entry, Entry)]


def kept_contents(journal: MemoryJournal) -> list[bool]:
    return [entry.generation.content is not None for entry in journal.read(1000)]


def test_entries_are_read_once_oldest_first() -> None:
    """In pieces of any size."""
    journal = journal_with(0, 0, 0)
    assert [ids(journal.read(2)), ids(journal.read(2)), ids(journal.read(2))] == [["0", "1"], ["2"], []]


def test_a_record_waits_until_it_is_settled() -> None:
    """Reading and freezing change nothing for those who count."""
    journal = journal_with(0, 0, 0)
    assert journal.counts() == Stats(recorded=3, waiting=3)
    first, second, third = journal.read(3)
    journal.freeze([first, second])
    assert journal.counts() == Stats(recorded=3, waiting=3)
    journal.acknowledge([first, second])
    journal.bury(third, "refused")
    assert journal.counts() == Stats(recorded=3, acknowledged=2, dead=1)


def test_refused_records_of_an_acknowledged_batch_are_dead() -> None:
    """The receiver does not say which they are; the numbers are right all the same."""
    journal = journal_with(0, 0, 0)
    journal.acknowledge(journal.read(3), refused=1)
    assert journal.counts() == Stats(recorded=3, acknowledged=2, dead=1)


def test_a_dead_record_can_be_looked_at() -> None:
    """With the reason, and without content."""
    journal = journal_with(5)
    (entry,) = journal.read(1)
    journal.bury(entry, "Ramp answered 400")
    (letter,) = journal.dead_letters
    assert (letter.generation, letter.reason) == (generation(0, size_bytes=5).without_content(), "Ramp answered 400")


def test_over_the_bound_on_bytes_the_oldest_content_goes() -> None:
    """And no usage goes with it."""
    journal = journal_with(40, 40, 40, 0, max_content_bytes=100)
    assert kept_contents(journal) == [False, True, True, False]
    assert journal.counts() == Stats(recorded=4, waiting=4)


def test_content_over_the_bound_by_itself_is_not_kept() -> None:
    """Nor anything that came before."""
    assert kept_contents(journal_with(40, 400, 40, max_content_bytes=100)) == [False, False, True]


def test_a_frozen_batch_gives_its_room_to_others() -> None:
    """Its bytes hold the content; the journal lets go of it."""
    journal = journal_with(40, 40, max_content_bytes=100)
    entries = journal.read(2)
    journal.freeze(entries)
    assert [entry.generation.content for entry in entries] == [None, None]
    for number in (2, 3):
        journal.append(generation(number, size_bytes=40))
    assert kept_contents(journal) == [True, True]


def test_dropped_content_is_said_once(caplog: pytest.LogCaptureFixture) -> None:
    """However much it is."""
    journal = journal_with(*[40] * 50, max_content_bytes=100)
    with caplog.at_level(logging.WARNING, "ramp_tracing"):
        for _ in range(3):
            journal.counts()
    assert [record.levelname for record in caplog.records] == ["WARNING"]
    assert "the oldest calls are sent as usage only" in caplog.text


def test_over_the_bound_on_records_the_newest_is_lost_and_counted(caplog: pytest.LogCaptureFixture) -> None:
    """With one warning."""
    journal = journal_with(*[0] * 5, max_records=3)
    with caplog.at_level(logging.WARNING, "ramp_tracing"):
        assert journal.counts() == Stats(recorded=5, waiting=3, lost=2)
    assert "2 were lost so far" in caplog.text
    assert ids(journal.read(10)) == ["0", "1", "2"]


def test_what_is_being_sent_takes_room_until_it_is_settled() -> None:
    """The bound is on everything that waits."""
    journal = journal_with(0, 0, max_records=2)
    entries = journal.read(2)
    journal.append(generation(2))
    journal.acknowledge(entries)
    journal.append(generation(3))
    assert journal.counts() == Stats(recorded=4, acknowledged=2, waiting=1, lost=1)


def test_a_forked_child_begins_with_nothing() -> None:
    """What the parent recorded is the parent's to send."""
    journal = journal_with(5, 5, 5, max_records=2)
    journal.after_fork()
    assert journal.counts() == Stats()
    assert journal.read(1) == []


def test_the_counts_add_up_at_every_moment(busy_switches: None) -> None:
    """While threads record, one settles and one looks."""
    journal = MemoryJournal(max_records=40, max_content_bytes=300)
    ended = threading.Event()
    wrong: list[Stats] = []

    def record() -> None:
        for number in range(2000):
            journal.append(generation(number, size_bytes=number % 3 * 50))

    def settle() -> None:
        while not ended.is_set() or journal.counts().waiting:
            entries = journal.read(7)
            journal.freeze(entries)
            journal.acknowledge(entries[1:], refused=min(1, len(entries[1:])))
            for entry in entries[:1]:
                journal.bury(entry, "bad")

    def look() -> None:
        while not ended.is_set():
            seen = journal.counts()
            if seen.recorded != seen.acknowledged + seen.waiting + seen.dead + seen.lost:
                wrong.append(seen)

    recorders = [threading.Thread(target=record) for _ in range(4)]
    others = [threading.Thread(target=settle), threading.Thread(target=look)]
    for thread in [*recorders, *others]:
        thread.start()
    for thread in recorders:
        thread.join()
    ended.set()
    for thread in others:
        thread.join()
    counts = journal.counts()
    assert wrong == []
    assert (counts.recorded, counts.waiting) == (8000, 0)
    assert counts.acknowledged + counts.dead + counts.lost == 8000


def test_no_content_is_held_when_nothing_waits() -> None:
    """The room for content does not shrink as time goes by."""
    journal = MemoryJournal(max_content_bytes=100)
    for number in range(100):
        journal.append(generation(number, size_bytes=60))
        entries = journal.read(10)
        assert entries[0].generation.content is not None
        journal.freeze(entries)
        journal.acknowledge(entries)
    assert (len(journal._contents), journal._contents._size_bytes) == (0, 0)
