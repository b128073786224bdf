"""A disk that is full, read-only, broken or slow."""

import errno
import logging
import resource
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from ramp_tracing._journal import FileJournal, Stats
from ramp_tracing._record import Failure

from .samples import drain, files, generation, ids, ids_of, journal_in, lines, run


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of 64 kB."""
    place = tmp_path / "disk"
    place.mkdir()
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=64k,mode=700", "tmpfs", str(place)], check=False)
    if mounted.returncode:
        pytest.skip("nothing can be mounted here")
    yield place
    subprocess.run(["umount", "--lazy", str(place)], check=True)


@contextmanager
def files_no_longer_than(size_bytes: int) -> Iterator[None]:
    """
    A limit on the length of files, which cuts a write short as a full disk does.

    It is that of the whole process, so nothing may be reported inside: the output of the tests may be such a file.
    """
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size_bytes, resource.RLIM_INFINITY))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


def at_once(journal: FileJournal) -> FileJournal:
    """Let the disk be tried again now, not in five seconds."""
    journal._writer.retry()
    return journal


def fill(place: Path) -> Path:
    """Take all the room there is."""
    filler = place / "filler"
    with filler.open("wb", buffering=0) as file:
        try:
            while file.write(b"x" * 4096):
                pass
        except OSError:
            pass
    return filler


def test_a_full_disk_loses_nothing(small_disk: Path, caplog: pytest.LogCaptureFixture) -> None:
    """Records wait in memory, with their content; the disk is tried again; one warning."""
    journal = journal_in(small_disk)
    journal.append(generation(0, text="asked"))
    filler = fill(small_disk)
    with caplog.at_level(logging.WARNING, "ramp_tracing"):
        for number in range(1, 41):
            at_once(journal).append(generation(number, text="asked"))
            journal.tend()
        assert journal.counts() == Stats(recorded=41, waiting=41)
        filler.unlink()
        at_once(journal).append(generation(41, text="asked"))
    assert caplog.text.count("cannot be written (No space left on device)") == 1
    entries = [*journal.read(99), *journal.read(99), *journal.read(99)]
    assert sorted(ids_of(entries)) == sorted(ids(*range(42)))
    assert [entry.generation.content_lost for entry in entries] == [False] * 42
    for entry in entries:
        journal.acknowledge([entry])
    assert journal.counts() == Stats(recorded=42, acknowledged=42)


def test_a_full_disk_that_is_emptied_before_the_end_keeps_what_memory_held(small_disk: Path) -> None:
    """Closing tries once more: the next process sends it."""
    journal = journal_in(small_disk)
    filler = fill(small_disk)
    for number in range(3):
        journal.append(generation(number))
    tried = journal.read(1)
    journal.freeze(tried)
    filler.unlink()
    settled = journal.watch()
    journal.close()
    assert journal.counts() == Stats(recorded=3, waiting=3)
    assert not settled()
    journal.acknowledge(tried)
    assert journal.counts() == Stats(recorded=3, waiting=3)
    del journal, settled
    successor = journal_in(small_disk)
    successor.tend()
    assert sorted(drain(successor)) == ids(0, 1, 2)


@contextmanager
def read_only(place: Path) -> Iterator[None]:
    """Nothing new can be written below *place*; what is open already stays so."""
    subprocess.run(["mount", "--bind", str(place), str(place)], check=True)
    try:
        subprocess.run(["mount", "-o", "remount,bind,ro", str(place)], check=True)
        yield
    finally:
        subprocess.run(["umount", str(place)], check=True)


def test_what_the_disk_refuses_at_the_end_is_still_in_memory(state: Path) -> None:
    """Closing is not the end if the application goes on."""
    state.write_text("")
    journal = journal_in(state)
    for number in range(3):
        journal.append(generation(number))
    settled = journal.watch()
    journal.close()
    assert journal.counts() == Stats(recorded=3, waiting=3)
    assert not settled()
    assert [*ids_of(journal.read(2)), *ids_of(journal.read(2))] == ids(0, 1, 2)


def test_marks_that_cannot_be_written_stop_nothing(small_disk: Path, caplog: pytest.LogCaptureFixture) -> None:
    """Perhaps something is sent twice after a restart; here it is settled."""
    journal = journal_in(small_disk)
    journal.append(generation(0))
    with read_only(small_disk), caplog.at_level(logging.WARNING, "ramp_tracing"):
        assert drain(journal) == ids(0)
        assert journal.counts() == Stats(recorded=1, acknowledged=1)
        journal._tell()
    assert "cannot be looked after (Read-only file system)" in caplog.text


def test_a_disk_that_is_read_only_loses_nothing(small_disk: Path, caplog: pytest.LogCaptureFixture) -> None:
    """As with a full one."""
    journal = journal_in(small_disk)
    with read_only(small_disk), caplog.at_level(logging.WARNING, "ramp_tracing"):
        journal.append(generation(1))
        journal.tend()
    at_once(journal).append(generation(2))
    assert "cannot be written (Read-only file system)" in caplog.text
    assert len(lines(small_disk)) == 1
    assert sorted(drain(journal)) == ids(1, 2)


def test_a_write_that_is_cut_short_tears_no_other_line(state: Path) -> None:
    """The record goes to memory; the file is not written to any more; its torn piece is passed over."""
    journal = journal_in(state)
    with files_no_longer_than(1000):
        for number in range(30):
            at_once(journal).append(generation(number))
    assert len(files(state)) > 3
    assert any(path.stat().st_size == 1000 for path in files(state))
    assert journal.counts() == Stats(recorded=30, waiting=30)
    assert sorted(drain(journal)) == sorted(ids(*range(30)))
    journal.close()
    assert (journal.counts(), files(state)) == (Stats(recorded=30, acknowledged=30), [])


def test_a_torn_piece_is_not_counted_as_lost_after_a_restart(state: Path) -> None:
    """The process that tore it had the record in memory."""
    code = """
    import resource
    resource.setrlimit(resource.RLIMIT_FSIZE, (1000, resource.RLIM_INFINITY))
    journal = journal_in(state)
    for number in range(7):
        journal.append(generation(number))
    say(journal.counts().waiting, len(lines(state)))
    """
    waiting, on_disk = map(int, run(code, state).split())
    assert (waiting, on_disk < 7) == (7, True)
    journal = journal_in(state)
    journal.tend()
    assert journal.counts() == Stats(recorded=on_disk, waiting=on_disk)


def test_the_disk_is_left_alone_for_a_while(state: Path) -> None:
    """Opening a file with each call would cost more than the call."""
    state.write_text("")
    journal = journal_in(state)
    journal.append(generation(1))
    state.unlink()
    journal.append(generation(2))
    assert not state.exists()
    at_once(journal).append(generation(3))
    assert len(lines(state)) == 1
    assert journal.counts() == Stats(recorded=3, waiting=3)


def test_a_directory_that_became_unsafe_is_not_written_to(state: Path, caplog: pytest.LogCaptureFixture) -> None:
    """While the process runs nothing is raised; records wait in memory."""
    state.mkdir()
    state.chmod(0o777)
    journal = journal_in(state)
    journal.append(generation(1))
    with caplog.at_level(logging.WARNING, "ramp_tracing"):
        journal.tend()
    assert "other users may write" in caplog.text
    assert (list(state.iterdir()), journal.counts()) == ([], Stats(recorded=1, waiting=1))
    assert not journal.has_leftovers()


def test_what_has_no_room_in_memory_either_is_lost_and_counted(state: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """With disk and memory full there is no place left."""
    state.write_text("")
    journal = journal_in(state)
    monkeypatch.setattr(journal._overflow._memory, "_max_records", 3)
    for number in range(5):
        journal.append(generation(number))
    assert journal.counts() == Stats(recorded=5, waiting=3, lost=2)


def test_a_failing_disk_keeps_content_and_message_together(state: Path) -> None:
    """The record in memory is the whole record."""
    state.write_text("")
    record = replace(generation(1, text="asked"), failure=Failure(type="E", message="said"))
    journal = journal_in(state)
    journal.append(record)
    entries = journal.read(9)
    assert [entry.generation for entry in entries] == [record]
    journal.freeze(entries)
    journal.acknowledge(entries, refused=0)
    assert (len(journal._contents._contents), len(journal._contents._extras)) == (0, 0)


def test_a_file_that_cannot_be_read_is_let_go(
    journal: FileJournal, state: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It stays on disk for the next; everything else is sent."""
    journal.append(generation(1))
    current = journal._writer.current
    assert current is not None
    journal._writer.leave(current)
    journal.append(generation(2))
    path = files(state)[0] if current.name in files(state)[0].name else files(state)[1]

    def broken() -> None:
        raise OSError(errno.EIO, "Input/output error")

    monkeypatch.setattr(current, "count", broken)
    assert drain(journal) == ids(2)
    assert journal.counts() == Stats(recorded=1, acknowledged=1)
    assert path.exists()
