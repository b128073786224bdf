"""A journal on disk, among processes that are killed, fork, and take over from each other."""

from pathlib import Path

import pytest

from ramp_tracing._journal import Stats

from .samples import drain, files, generation, ids, journal_in, kill, program, run, sent_after

RECORD_FOR_EVER = """
journal = journal_in(state)
number = 0
while True:
    journal.append(generation(number, text="asked"))
    number += 1
    if number == 100:
        say("going")
"""


# -- ends of a process


def test_a_killed_process_loses_nothing(state: Path) -> None:
    """Each record whose `append` had returned is there, wherever the kill came."""
    with program(RECORD_FOR_EVER, state) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "going\n"
        kill(process)
    sent = sent_after(state)
    assert sent == ids(*range(len(sent)))
    assert len(sent) >= 100


@pytest.mark.parametrize(
    "end",
    [
        "os._exit(3)",
        "os.kill(os.getpid(), signal.SIGTERM)",
        "os.abort()",
        "threading.Thread(target=lambda: os._exit(0)).start(); time.sleep(60)",
        "raise SystemExit",
        "pass",
    ],
)
def test_a_process_may_end_as_it_likes(state: Path, end: str) -> None:
    """Also with a thread that goes on recording."""
    code = f"""
    journal = journal_in(state)
    for number in range(5):
        journal.append(generation(number))
    import resource
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    {end}
    """
    run(code, state)
    assert sent_after(state) == ids(*range(5))


def test_records_that_were_acknowledged_are_not_sent_again(state: Path) -> None:
    """A killed process leaves at most the batch that it was about to have acknowledged."""
    code = """
    journal = journal_in(state)
    for number in range(100):
        journal.append(generation(number))
    for _ in range(3):
        entries = journal.read(20)
        journal.freeze(entries)
        journal.acknowledge(entries)
    entries = journal.read(20)
    journal.freeze(entries)
    os.kill(os.getpid(), signal.SIGKILL)
    """
    run(code, state)
    journal = journal_in(state)
    journal.tend()
    assert [entry.generation.id for entry in journal.read(50)] == ids(*range(60, 80))
    assert [entry.generation.id for entry in journal.read(50)] == ids(*range(80, 100))


def test_content_does_not_survive_and_the_record_says_so(state: Path) -> None:
    """The usage does."""
    run("journal_in(state).append(generation(1, text='asked'))", state)
    journal = journal_in(state)
    journal.tend()
    (entry,) = journal.read(9)
    assert (entry.generation.usage, entry.generation.content_lost) == (generation(1).usage, True)


# -- adoption


def test_a_living_process_takes_over_from_a_dead_one(state: Path) -> None:
    """Not before; and then within one round."""
    journal = journal_in(state, round_seconds=0)
    with program(RECORD_FOR_EVER, state) as process:
        assert process.stdout is not None
        process.stdout.readline()
        journal.tend()
        assert journal.counts() == Stats()
        kill(process)
    journal.tend()
    assert journal.counts().waiting >= 100
    assert len(drain(journal)) >= 100
    assert files(state) == []


def test_of_two_that_want_to_take_over_one_does(state: Path) -> None:
    """No record is sent by both, none by neither."""
    for first in range(0, 60, 10):
        run(f"journal = journal_in(state)\nfor n in range({first}, {first} + 10): journal.append(generation(n))", state)
    code = """
    journal = journal_in(state, adopted=2)
    say("ready")
    sys.stdin.readline()
    for _ in range(10):
        journal.tend()
        for each in drain(journal):
            say(each)
    """
    heirs = [program(code, state) for _ in range(3)]
    for heir in heirs:
        assert heir.stdout is not None
        assert heir.stdout.readline() == "ready\n"
    for heir in heirs:
        assert heir.stdin is not None
        heir.stdin.write("go\n")
        heir.stdin.flush()
    sent = [line for heir in heirs for line in heir.communicate(timeout=120)[0].split()]
    assert sorted(sent) == sorted(ids(*range(60)))
    assert files(state) == []


def test_an_heir_that_dies_leaves_the_rest_to_the_next(state: Path) -> None:
    """With what it had acknowledged."""
    run("journal = journal_in(state)\nfor number in range(10): journal.append(generation(number))", state)
    code = """
    journal = journal_in(state)
    journal.tend()
    journal.acknowledge(journal.read(4))
    os.kill(os.getpid(), signal.SIGKILL)
    """
    run(code, state)
    assert sent_after(state) == ids(*range(4, 10))


def test_twenty_killed_processes_lose_nothing(state: Path) -> None:
    """All at once, while they record; the next one sends it all, once."""
    code = RECORD_FOR_EVER.replace("generation(number,", "generation(number + 1_000_000 * int(sys.argv[1][-2:]),")
    code = code.replace("journal_in(state)", "journal_in(state.parent / 'state')")
    processes = [program(code, state.with_name(f"state{number:02}")) for number in range(6)]
    for process in processes:
        assert process.stdout is not None
        process.stdout.readline()
    for process in processes:
        kill(process)
    sent = sent_after(state)
    assert len(sent) == len(set(sent))
    for number in range(6):
        its = [each for each in sent if int(each[4:]) // 1_000_000 == number]
        assert its == ids(*(1_000_000 * number + each for each in range(len(its))))
        assert len(its) >= 100
