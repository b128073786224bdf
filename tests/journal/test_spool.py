"""Looking into a journal, and tidying up, while others use it."""

import os
from dataclasses import replace
from pathlib import Path

import orjson
import pytest

from ramp_tracing._journal import (
    SegmentStatus,
    SpoolStatus,
    Stats,
    dead_letters,
    open_journal,
    purge,
    replay,
    spool_of,
    spools_in,
)
from ramp_tracing._journal._directory import UnsafeDirectoryError
from ramp_tracing._record import GenerationId

from .samples import DESTINATION, bytes_below, drain, files, generation, ids, journal_in, kill, program, run


def segments_of(status: SpoolStatus) -> list[tuple[bool, int]]:
    return [(segment.alive, segment.waiting) for segment in status.segments]


def test_what_is_not_there_is_empty(state: Path) -> None:
    """And is not made by looking."""
    status = spool_of(state / DESTINATION)
    assert (status.waiting, status.dead, status.size_bytes, status.oldest, status.segments) == (0, 0, 0, None, [])
    assert (spools_in(state), dead_letters(state / DESTINATION), replay(state / DESTINATION)) == ([], [], 0)
    assert purge(state / DESTINATION, waiting=True) == 0
    assert not state.exists()


def test_a_spool_says_what_is_in_it(state: Path) -> None:
    """Of the living and of the dead; what is settled counts no more."""
    run("journal = journal_in(state)\nfor number in range(5, 8): journal.append(generation(number))", state)
    journal = journal_in(state)
    for number in range(4):
        journal.append(generation(number))
    journal.acknowledge(journal.read(2))
    (entry,) = journal.read(1)
    journal.bury(entry, "refused")
    dead, alive = files(state)
    before = bytes_below(state)
    assert spool_of(state / DESTINATION) == SpoolStatus(
        directory=state / DESTINATION,
        address="",
        waiting=4,
        dead=1,
        doubtful=0,
        size_bytes=dead.stat().st_size + alive.stat().st_size,
        oldest=generation(3).timing.started,
        segments=[
            SegmentStatus(
                name=dead.stem,
                pid=int(dead.stem.split("-")[1]),
                alive=False,
                waiting=3,
                size_bytes=dead.stat().st_size,
                oldest=generation(5).timing.started,
            ),
            SegmentStatus(
                name=alive.stem,
                pid=os.getpid(),
                alive=True,
                waiting=1,
                size_bytes=alive.stat().st_size,
                oldest=generation(3).timing.started,
            ),
        ],
    )
    assert bytes_below(state) == before


def test_a_spool_says_where_it_goes(state: Path) -> None:
    """By the note that a journal leaves."""
    open_journal(state_dir=str(state), base_url="https://api.example.com/x?key=1", key="k")
    (directory,) = spools_in(state)
    assert spool_of(directory).address == "https://api.example.com/x"


def test_looking_disturbs_nobody(state: Path) -> None:
    """A process that records meanwhile is seen to be alive, then dead; nothing of it is lost."""
    code = """
    journal = journal_in(state)
    number = 0
    while True:
        journal.append(generation(number))
        number += 1
        if number == 50:
            say("going")
    """
    with program(code, state) as process:
        assert process.stdout is not None
        process.stdout.readline()
        for _ in range(20):
            ((alive, waiting),) = segments_of(spool_of(state / DESTINATION))
            assert (alive, waiting >= 50) == (True, True)
        kill(process)
    status = spool_of(state / DESTINATION)
    assert segments_of(status) == [(False, status.waiting)]
    journal = journal_in(state)
    journal.tend()
    assert drain(journal) == ids(*range(status.waiting))


def test_a_directory_that_others_can_write_to_is_not_looked_into(state: Path) -> None:
    """The command line says so."""
    state.mkdir()
    state.chmod(0o777)
    with pytest.raises(UnsafeDirectoryError):
        spool_of(state / DESTINATION)


# -- replay


@pytest.fixture
def with_letters(state: Path) -> Path:
    """A destination with three dead letters, the last of them doubtful."""
    journal = journal_in(state)
    for number in range(3):
        journal.append(generation(number, text="asked"))
    first, second, third = journal.read(3)
    journal.bury(first, "refused")
    journal.bury(second, "refused")
    journal.append(generation(9))
    journal.acknowledge([third, *journal.read(1)], refused=1)
    journal.close()
    return state / DESTINATION


def test_letters_are_counted_by_what_is_known_of_them(with_letters: Path) -> None:
    """Some were refused, some only may have been."""
    status = spool_of(with_letters)
    assert (status.dead, status.doubtful, status.waiting) == (2, 2, 0)


def test_a_replayed_letter_is_sent_again(with_letters: Path, state: Path) -> None:
    """Under its old id, by whoever comes next; its content is gone."""
    assert replay(with_letters) == 4
    assert dead_letters(with_letters) == []
    assert segments_of(spool_of(with_letters)) == [(False, 4)]
    journal = journal_in(state)
    journal.tend()
    entries = journal.read(9)
    assert [entry.generation.id for entry in entries] == ids(0, 1, 2, 9)
    assert [entry.generation.content_lost for entry in entries] == [True, True, True, False]
    journal.acknowledge(entries)
    assert journal.counts() == Stats(recorded=4, acknowledged=4)


def test_a_living_process_takes_replayed_letters_over(with_letters: Path, state: Path) -> None:
    """It needs no restart."""
    journal = journal_in(state, round_seconds=0)
    journal.tend()
    replay(with_letters)
    journal.tend()
    assert drain(journal) == ids(0, 1, 2, 9)


def test_one_letter_may_be_chosen(with_letters: Path) -> None:
    """By the name of its file; the others stay."""
    first, *rest = dead_letters(with_letters)
    assert replay(with_letters, [first.file]) == 1
    assert dead_letters(with_letters) == rest
    assert replay(with_letters, ["nowhere.json"]) == 0


def test_a_letter_may_be_put_right_by_hand(with_letters: Path, state: Path) -> None:
    """There is no checksum in it; what became too long stays where it is."""
    first, second, *_ = sorted((with_letters / "dead").iterdir())
    letter = orjson.loads(first.read_bytes())
    letter["record"]["provider"] = "openai"
    first.write_bytes(orjson.dumps(letter))
    letter["record"]["provider"] = "x" * 5000
    second.write_bytes(orjson.dumps(letter))
    assert replay(with_letters, [first.name, second.name]) == 1
    assert second.exists()
    journal = journal_in(state)
    journal.tend()
    assert [entry.generation.provider for entry in journal.read(9)] == ["openai"]


# -- purge


def test_purging_deletes_letters_only(with_letters: Path, state: Path) -> None:
    """Unless more is asked for."""
    run("journal_in(state).append(generation(5))", state)
    assert purge(with_letters) == 4
    status = spool_of(with_letters)
    assert (status.dead, status.doubtful, status.waiting) == (0, 0, 1)


def test_purging_what_waits_leaves_the_living_alone(with_letters: Path, state: Path) -> None:
    """They are about to send it."""
    run("journal = journal_in(state)\nfor number in range(3): journal.append(generation(number))", state)
    journal = journal_in(state)
    journal.append(generation(7))
    assert purge(with_letters, waiting=True) == 7
    assert spool_of(with_letters).waiting == 1
    assert drain(journal) == ids(7)


def test_a_replay_that_does_not_fit_on_the_disk_changes_nothing(with_letters: Path) -> None:
    """Every letter is still there."""
    code = """
    import resource
    resource.setrlimit(resource.RLIMIT_FSIZE, (300, resource.RLIM_INFINITY))
    from ramp_tracing._journal import replay
    try:
        replay(state / DESTINATION)
    except OSError as error:
        say(error.strerror)
    """
    assert run(code, with_letters.parent).strip()
    assert len(dead_letters(with_letters)) == 4
    assert spool_of(with_letters).segments == []


def test_a_replayed_id_may_be_odd(state: Path) -> None:
    """Whatever the provider called it."""
    journal = journal_in(state)
    journal.append(replace(generation(), id=GenerationId("a/../b\0\ud800")))
    (entry,) = journal.read(1)
    identity = entry.generation.id
    journal.bury(entry, "refused")
    journal.close()
    assert replay(state / DESTINATION) == 1
    journal.tend()
    del journal
    heir = journal_in(state)
    heir.tend()
    assert drain(heir) == [identity]
