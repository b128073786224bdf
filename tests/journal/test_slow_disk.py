"""A disk that keeps the application waiting."""

import logging
import time
from pathlib import Path

import pytest

from ramp_tracing._journal import FileJournal, Stats
from ramp_tracing._journal._disk_speed import SLOW_SECONDS, DiskSpeed, waits_of_this_thread

from .samples import drain, files, generation, ids, lines


class Thread:
    """A thread that writes, with a clock and a count of waits of its own."""

    def __init__(self, *, counts: bool = True) -> None:
        self.seconds = 1000.0
        self.waits: int | None = 0 if counts else None
        self.speed = DiskSpeed(clock=lambda: self.seconds, waits=lambda: self.waits, interval=lambda: 0.005)

    def write(self, *, seconds: float, waits: int = 1) -> bool:
        """Write a line; whether the disk is too slow by then."""
        began = self.seconds
        before = self.speed.waits() if began < self.speed.watched_until else None
        self.seconds += seconds
        if self.waits is not None:
            self.waits += waits
        if seconds >= SLOW_SECONDS:
            self.speed.was_slow(began, before)
        return self.speed.too_slow


def test_three_waits_in_a_minute_make_a_slow_disk() -> None:
    """Counted from the second slow write on, which is the first that is watched; for a minute."""
    thread = Thread()
    assert [thread.write(seconds=1.5) for _ in range(5)] == [False, False, False, True, True]
    thread.seconds += 61
    assert not thread.speed.too_slow
    assert not thread.write(seconds=1.5)


def test_slow_writes_now_and_then_are_no_slow_disk() -> None:
    """Three within a minute are."""
    thread = Thread()
    for _ in range(10):
        assert not thread.write(seconds=1.5)
        thread.seconds += 35


@pytest.mark.parametrize(
    ("seconds", "waits"),
    [
        pytest.param(0.9, 1, id="not slow"),
        pytest.param(5.0, 0, id="a thread that did not get its turn"),
        pytest.param(1.3, 252, id="the interpreter's lock, as measured"),
        pytest.param(5.0, 300, id="the lock, on a crowded machine"),
    ],
)
def test_a_busy_machine_is_not_a_slow_disk(seconds: float, waits: int) -> None:
    """Whoever waits for a disk does so by its own will, and not at every interval of the interpreter's."""
    thread = Thread()
    assert not any(thread.write(seconds=seconds, waits=waits) for _ in range(20))


@pytest.mark.parametrize("waits", [1, 5, 20])
def test_a_wait_may_be_in_pieces(waits: int) -> None:
    """The kernel holds writers back a fifth of a second at a time."""
    thread = Thread()
    assert [thread.write(seconds=1.5, waits=waits) for _ in range(4)][-1]


def test_where_nobody_counts_every_slow_write_does() -> None:
    """Not every system counts the waits of a thread."""
    thread = Thread(counts=False)
    assert [thread.write(seconds=1.5) for _ in range(4)] == [False, False, False, True]


def test_the_waits_of_a_thread_are_counted() -> None:
    """Its own, one by one."""
    before = waits_of_this_thread()
    time.sleep(0.001)
    after = waits_of_this_thread()
    assert before is not None
    assert after is not None
    assert after > before


@pytest.fixture
def slow(journal: FileJournal) -> FileJournal:
    """A journal on a slow disk."""
    journal._writer.speed._too_slow_until = time.monotonic() + 60
    return journal


def test_a_slow_disk_is_written_to_in_the_background(
    slow: FileJournal, state: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """By the thread that drains; counts are right in between; it is said once."""
    for number in range(3):
        slow.append(generation(number, text="asked"))
    assert (files(state), slow.counts()) == ([], Stats(recorded=3, waiting=3))
    with caplog.at_level(logging.WARNING, "ramp_tracing"):
        slow.tend()
        slow.tend()
    assert (len(lines(state)), slow.counts()) == (3, Stats(recorded=3, waiting=3))
    assert caplog.text.count("is slow: for a while") == 1
    entries = slow.read(9)
    assert [entry.generation for entry in entries] == [generation(number, text="asked") for number in range(3)]


def test_whoever_waits_or_ends_writes_for_a_slow_disk(slow: FileJournal, state: Path) -> None:
    """So nothing is forgotten."""
    slow.append(generation(1))
    settled = slow.watch()
    assert not settled()
    assert len(lines(state)) == 1
    slow.append(generation(2))
    slow.close()
    assert len(lines(state)) == 2
    assert drain(slow) == ids(1, 2)


def test_a_slow_disk_may_also_be_full(slow: FileJournal, state: Path) -> None:
    """Then its lines go to memory, as ever."""
    state.write_text("")
    slow.append(generation(1, text="asked"))
    slow.tend()
    assert slow.counts() == Stats(recorded=1, waiting=1)
    assert [entry.generation for entry in slow.read(9)] == [generation(1, text="asked")]
