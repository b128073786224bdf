"""A disk that keeps the application waiting."""

import logging
import time
from pathlib import Path

import pytest

from ramp_tracing._journal import FileJournal, Stats
from ramp_tracing._journal import _disk_speed as disk_speed
from ramp_tracing._journal._disk_speed import DiskSpeed

from .samples import drain, files, generation, ids, lines


def test_three_waits_in_a_minute_make_a_slow_disk(monkeypatch: pytest.MonkeyPatch) -> None:
    """Counted from the second slow write on, which is the first that is watched."""
    speed = DiskSpeed()
    monkeypatch.setattr(disk_speed, "SLOW_SECONDS", 0.002)
    seen: list[bool] = []
    for _ in range(5):
        start = speed.started()
        time.sleep(0.003)  # gives the turn away, as waiting for a disk does
        speed.ended(start)
        seen.append(speed.too_slow)
    assert seen == [False, False, False, True, True]


def test_a_busy_machine_is_not_a_slow_disk(monkeypatch: pytest.MonkeyPatch) -> None:
    """A thread that does not get its turn waits for nothing."""
    monkeypatch.setattr(disk_speed, "SLOW_SECONDS", 0.002)
    speed = DiskSpeed()
    slow = 0
    for _ in range(20):
        start = speed.started()
        end = time.monotonic() + 0.003
        while time.monotonic() < end:
            pass
        speed.ended(start)
        slow += speed.too_slow
    assert slow == 0


def test_fast_writes_are_not_slow() -> None:
    """Whatever their number."""
    speed = DiskSpeed()
    for _ in range(100):
        speed.ended(speed.started())
    assert not speed.too_slow


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
