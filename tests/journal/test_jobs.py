"""Notes of paid work that goes on after its call, for all processes of a machine."""

import os
import time
from dataclasses import replace
from pathlib import Path

import pytest

from ramp_tracing._journal import FileJournal, _jobs, pending_jobs, replay
from ramp_tracing._journal._directory import Directory
from ramp_tracing._journal._jobs import MAX_AGE_SECONDS, Jobs
from ramp_tracing._record import UNKNOWN_JOB, Attribution, Generation, JobNote, UnixNanos

from .samples import DESTINATION, bytes_below, drain, generation, ids, journal_in, run

BEGUN = replace(generation(1, text="a secret prompt"), pending=True, job=True, attribution=Attribution(user="ada"))
ENDED = replace(BEGUN, pending=False, content=None, timing=replace(BEGUN.timing, ended=BEGUN.timing.ended + 10**9))


def notes(state: Path) -> list[Path]:
    return sorted((state / DESTINATION / "jobs").iterdir())


def later(job: Generation, *, seconds: int) -> Generation:
    """The same id, used again by a server that counts from one."""
    at = UnixNanos(job.timing.ended + seconds * 10**9)
    return replace(job, timing=replace(job.timing, started=at, ended=at))


def test_who_created_a_job_is_known_to_others(journal: FileJournal, state: Path) -> None:
    """With everything that the record says, and without content, which is nowhere on the disk."""
    journal.append(BEGUN)
    created = journal_in(state).job(BEGUN.id).created
    assert created == replace(BEGUN, content=None)
    assert b"secret" not in bytes_below(state)
    assert [note.stat().st_mode & 0o777 for note in notes(state)] == [0o600]


def test_other_records_leave_no_notes(journal: FileJournal, state: Path) -> None:
    """A note costs a file."""
    journal.append(generation(1))
    assert not (state / DESTINATION / "jobs").exists()
    assert journal.job(generation(1).id) == UNKNOWN_JOB


def test_nor_do_records_that_were_held(journal: FileJournal, state: Path) -> None:
    """They would push out the notes of jobs; a job that was held has one."""
    journal.hold(generation(1)).settle(generation(1))
    journal.hold(generation(2)).release()
    assert not (state / DESTINATION / "jobs").exists()
    journal.hold(BEGUN).release()
    assert journal_in(state).job(BEGUN.id).created == replace(BEGUN, content=None)


def test_a_settled_job_is_not_listed(journal: FileJournal, state: Path) -> None:
    """And nobody settles it again."""
    other = replace(BEGUN, id=generation(2).id)
    for record in (BEGUN, other, ENDED):
        journal.append(record)
    assert [job.id for job in pending_jobs(state / DESTINATION)] == [other.id]
    assert journal_in(state).job(BEGUN.id) == JobNote(settled=True)


def test_a_job_is_known_after_its_process_was_killed(state: Path) -> None:
    """The note is there when the call returns."""
    run(
        """
        from tests.journal.test_jobs import BEGUN
        journal_in(state).append(BEGUN)
        os.kill(os.getpid(), signal.SIGKILL)
        """,
        state,
    )
    assert journal_in(state).job(BEGUN.id).created == replace(BEGUN, content=None)


def test_the_end_is_not_forgotten_over_a_late_beginning(journal: FileJournal, state: Path) -> None:
    """A record of the beginning that was held back says nothing new; one of a later job with the same id does."""
    journal.append(ENDED)
    journal.append(BEGUN)
    assert journal.job(BEGUN.id) == JobNote(settled=True)
    journal.append(later(BEGUN, seconds=60))
    assert journal.job(BEGUN.id).created is not None


def test_the_end_comes_last_at_the_receiver(state: Path) -> None:
    """Of one id it keeps what comes last: the end is sent again if the beginning may have overtaken it."""
    creator, poller = journal_in(state), journal_in(state)
    creator.append(BEGUN)
    on_their_way = creator.read(50)
    poller.append(ENDED)
    assert drain(poller) == ids(1)
    creator.acknowledge(on_their_way)
    assert [(entry.generation.id, entry.generation.pending) for entry in creator.read(50)] == [(BEGUN.id, False)]


def test_the_end_of_a_job_whose_process_died_comes_last_too(state: Path) -> None:
    """Who settles it may send that before it takes over what the dead one left."""
    run("from tests.journal.test_jobs import BEGUN\njournal_in(state).append(BEGUN)", state)
    poller = journal_in(state)
    poller.append(ENDED)
    sent: list[bool] = []
    for _ in range(3):
        while entries := poller.read(50):
            sent += [entry.generation.pending for entry in entries]
            poller.acknowledge(entries)
        poller.tend()
    assert sent == [False, True, False]


def test_what_one_process_records_is_sent_once(journal: FileJournal) -> None:
    """In its own file the end is behind the beginning."""
    journal.append(BEGUN)
    journal.append(ENDED)
    assert drain(journal) == ids(1, 1)
    journal.append(replace(BEGUN, id=generation(2).id))
    assert drain(journal) == ids(2)
    journal.append(replace(ENDED, id=generation(2).id))
    assert drain(journal) == ids(2)


def test_a_letter_that_is_replayed_does_not_come_last(state: Path) -> None:
    """The beginning was refused, the end was taken, and a person lets the beginning be sent again."""
    journal = journal_in(state, round_seconds=0.0)
    journal.append(BEGUN)
    journal.bury(journal.read(1)[0], "refused")
    journal.append(ENDED)
    assert drain(journal) == ids(1)
    assert replay(state / DESTINATION) == 1
    sent: list[bool] = []
    for _ in range(3):
        journal.tend()
        while entries := journal.read(50):
            sent += [entry.generation.pending for entry in entries]
            journal.acknowledge(entries)
    assert sent == [True, False]


def test_old_notes_are_not_believed(journal: FileJournal, state: Path) -> None:
    """A batch ends within a day; what is a month old, nobody will settle any more."""
    journal.append(BEGUN)
    long_ago = time.time() - MAX_AGE_SECONDS - 60
    os.utime(notes(state)[0], (long_ago, long_ago))
    assert (journal.job(BEGUN.id), pending_jobs(state / DESTINATION)) == (UNKNOWN_JOB, [])
    newer = journal_in(state)
    newer.append(replace(BEGUN, id=generation(2).id))
    newer.tend()
    assert len(notes(state)) == 1


def test_notes_are_bounded(state: Path) -> None:
    """The oldest go."""
    jobs = Jobs(Directory(state, DESTINATION, "jobs"), max_notes=4)
    for number in range(20):
        jobs.note(replace(BEGUN, id=generation(number).id))
        newest = max(notes(state), key=lambda note: note.stat().st_ctime_ns)
        os.utime(newest, (time.time() - 1000 + number,) * 2)
        jobs.make_room()
        assert len(notes(state)) <= 4
    assert jobs.find(generation(19).id).created is not None
    assert jobs.find(generation(0).id) == UNKNOWN_JOB


def test_the_applications_threads_look_at_no_other_notes(
    journal: FileJournal, state: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """There may be ten thousand, which takes a tenth of a second."""
    listed: list[int] = []
    names_in = _jobs._names_in

    def noticed(opened: int) -> list[str]:
        listed.append(opened)
        return names_in(opened)

    monkeypatch.setattr(_jobs, "_names_in", noticed)
    journal.append(BEGUN)
    journal.append(ENDED)
    journal.job(BEGUN.id)
    assert (len(notes(state)), len(listed)) == (1, 0)
    journal.tend()
    assert len(listed) == 1


@pytest.mark.parametrize("text", [b"", b"v1 00000000 {}\n", b"\xff" * 9000])
def test_a_damaged_note_says_nothing(text: bytes, journal: FileJournal, state: Path) -> None:
    """The job is then settled by whoever asks."""
    journal.append(BEGUN)
    notes(state)[0].write_bytes(text)
    assert journal.job(BEGUN.id) == UNKNOWN_JOB
    assert pending_jobs(state / DESTINATION) == []
    journal.append(ENDED)
    assert journal.job(BEGUN.id) == JobNote(settled=True)


def test_without_room_for_notes_records_are_kept(journal: FileJournal, state: Path) -> None:
    """A file where their directory should be; the money is in the journal all the same."""
    journal.append(generation(0))
    (state / DESTINATION / "jobs").write_text("in the way")
    journal.append(BEGUN)
    assert journal.job(BEGUN.id) == UNKNOWN_JOB
    assert drain(journal) == ids(0, 1)
