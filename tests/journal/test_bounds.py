"""A journal on disk that is too long, too old, or taken away."""

import logging
import os
import socket
import threading
from pathlib import Path

import pytest

from ramp_tracing._journal import FileJournal, Stats, _descriptor
from ramp_tracing._journal._descriptor import Descriptor
from ramp_tracing._journal._line import decode

from .samples import drain, files, generation, ids, journal_in, lines, wait_until


def in_sum(counts: Stats) -> bool:
    return counts.recorded == counts.acknowledged + counts.waiting + counts.dead + counts.lost


def written(state: Path) -> list[str]:
    """The ids of what is on disk, in order."""
    return [record.generation.id for line in lines(state) if (record := decode(line)) is not None]


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
    assert "so many were deleted, and lost: 1" in caplog.text


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
    (old,) = (path for path in files(state) if b"gen-0" in path.read_bytes())
    os.utime(old, (1, 1))
    journal = journal_in(state, trial_seconds=0)
    journal.tend()
    assert journal.counts() == Stats(recorded=2, waiting=1, lost=1)
    assert drain(journal) == ids(1)


def test_what_is_too_old_is_sent_if_it_can_be(state: Path) -> None:
    """A machine that was off for two months, or whose clock said 1970, has lost nothing."""
    journal_in(state).append(generation(0))
    (old,) = files(state)
    os.utime(old, (1, 1))
    journal = journal_in(state)
    journal.tend()
    assert drain(journal) == ids(0)
    assert journal.counts() == Stats(recorded=1, acknowledged=1)


def test_a_living_neighbour_is_left_alone(state: Path) -> None:
    """What it has is its own to send, and to delete."""
    neighbour = journal_in(state)
    neighbour.append(generation(1))
    journal = journal_in(state, total_bytes=1)
    journal.tend()
    assert not journal.has_leftovers()
    assert journal.counts() == Stats()
    assert drain(neighbour) == ids(1)


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


@pytest.mark.parametrize("knows_marks", [True, False])
def test_a_closed_descriptor_is_noticed_before_a_write(
    state: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, knows_marks: bool
) -> None:
    """By the first record after it, whoever has the number now: a file, a connection, or marks of our own."""
    if not knows_marks:
        monkeypatch.setattr(_descriptor, "put_mark", lambda _: False)
    journal = journal_in(state, round_seconds=1000)
    other, peer = socket.socketpair()
    opened = {
        "nobody": lambda: None,
        "a file": lambda: os.open(tmp_path / "theirs", os.O_CREAT | os.O_RDWR),
        "a connection": lambda: os.dup(other.fileno()),
        "ours, for marks": lambda: Descriptor(os.open(tmp_path / "marks", os.O_CREAT | os.O_RDWR)),
    }
    kept = []
    for number, what in enumerate(opened):
        journal.append(generation(2 * number))
        current = journal._writer.current
        assert current is not None
        os.close(current.file.number)
        kept.append(opened[what]())
        assert not current.file.is_marked()
        journal.append(generation(2 * number + 1))
        assert journal._overflow.waiting == number + 1, what
        journal._writer.retry()  # not in five seconds
    peer.setblocking(False)
    with pytest.raises(BlockingIOError):
        peer.recv(1)
    assert {(tmp_path / name).stat().st_size for name in ("theirs", "marks")} == {0}
    other.close()
    peer.close()
    os.close(kept[1])
    os.close(kept[2])


def test_a_system_with_other_marks_than_ours_takes_lines_all_the_same(
    state: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It may take the mark and not say it again: kernels number their questions differently, and some are no Linux."""
    monkeypatch.setattr(_descriptor, "put_mark", lambda _: True)
    journal = journal_in(state, round_seconds=1000)
    journal.append(generation(1))
    assert journal._overflow.waiting == 0
    assert sorted(drain(journal)) == ids(1)


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
    assert 5 < journal.tend() <= 10
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
