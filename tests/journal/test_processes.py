"""A journal on disk, among processes that are killed, fork, and take over from each other."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from ramp_tracing._journal import Stats
from ramp_tracing._journal._segment_files import owner_of

from .samples import drain, files, generation, ids, journal_in, kill, open_files, program, run, wait_until

RECORD_FOR_EVER = """
journal = journal_in(state)
number = 0
while True:
    journal.append(generation(number, text="asked"))
    number += 1
    if number == 100:
        say("going")
"""


def sent_after(state: Path) -> list[str]:
    """What the next process sends."""
    journal = journal_in(state)
    sent: list[str] = []
    while True:
        journal.tend()
        if not (more := drain(journal)):
            break
        sent += more
    counts = journal.counts()
    assert counts == Stats(recorded=len(sent), acknowledged=len(sent))
    assert files(state) == files(state, ".ack") == []
    return sent


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
        "threading.Thread(target=lambda: os._exit(0)).start(); time.sleep(9)",
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
        run(f"journal = journal_in(state)\nfor number in range({first}, {first} + 10): journal.append(generation(number))", state)
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
    sent = [line for heir in heirs for line in heir.communicate(timeout=30)[0].split()]
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


# -- forks


def test_a_forked_child_has_a_file_of_its_own(state: Path) -> None:
    """And none of its parent's; each settles what it recorded, the parent's lock stays."""
    code = """
    journal = journal_in(state)
    journal.append(generation(1, text="asked"))
    if os.fork() == 0:
        journal.after_fork()
        say(journal.counts().recorded, open_files(state))
        journal.append(generation(2))
        say(*drain(journal))
        journal.tend()
        say(journal.counts().recorded)
        journal.close()
        os._exit(0)
    os.wait()
    say(*drain(journal), journal.read(9))
    say(len(files(state)))
    """
    assert run(code, state).splitlines() == ["0 []", "gen-2", "1", "gen-1 []", "1"]


def test_a_child_does_not_keep_its_dead_parent_alive(state: Path) -> None:
    """Its parent's lock went with its parent, though the child has inherited the descriptor."""
    code = """
    journal = journal_in(state)
    journal.append(generation(1))
    child = os.fork()
    if child == 0:
        journal.after_fork()
        say("child")
        time.sleep(30)
    say(child)
    time.sleep(30)
    """
    with program(code, state) as process:
        assert process.stdout is not None
        said = {process.stdout.readline().strip() for _ in range(2)}
        process.kill()
        process.wait()
        child = int(max(said - {"child"}))
        journal = journal_in(state)
        journal.tend()
        assert drain(journal) == ids(1)
        os.kill(child, signal.SIGKILL)


def test_a_fork_that_nobody_was_told_of_is_noticed(state: Path) -> None:
    """Some servers fork outside of Python: the first record of the child does what the hook would have done."""
    code = """
    journal = journal_in(state)
    journal.append(generation(1))
    if os.fork() == 0:
        journal.append(generation(2))
        say(*sorted(path.stem.split("-")[1] == str(os.getpid()) for path in files(state)), journal.counts().recorded)
        os._exit(0)
    os.wait()
    say(*drain(journal))
    """
    assert run(code, state).splitlines() == ["False True 1", "gen-1"]
    assert sent_after(state) == ids(2)


@pytest.mark.parametrize("end", ["os._exit(0)", "os.kill(os.getpid(), signal.SIGKILL)", "sys.exit()"])
def test_children_and_children_of_children(state: Path, end: str) -> None:
    """However they end, each record is there once."""
    code = f"""
    journal = journal_in(state)
    os.register_at_fork(after_in_child=journal.after_fork)
    journal.append(generation(0))
    for number in range(1, 5):
        if os.fork() == 0:
            journal.append(generation(number))
            if os.fork() == 0:
                journal.append(generation(number + 10))
            else:
                os.wait()
            {end}
    for _ in range(4):
        os.wait()
    journal.append(generation(100))
    """
    run(code, state)
    assert sorted(sent_after(state)) == sorted(ids(0, 1, 2, 3, 4, 11, 12, 13, 14, 100))


@pytest.mark.parametrize("method", ["fork", "spawn", "forkserver"])
def test_workers_of_multiprocessing(state: Path, tmp_path: Path, method: str) -> None:
    """They end without `atexit`; their records are there all the same."""
    script = tmp_path / "script.py"
    script.write_text(
        f"""
import multiprocessing, os, sys
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from tests.journal.samples import journal_in, generation

STATE = Path({str(state)!r})
journal = journal_in(STATE)
os.register_at_fork(after_in_child=journal.after_fork)

def work(number):
    journal.append(generation(number))

if __name__ == "__main__":
    journal.append(generation(0))
    context = multiprocessing.get_context({method!r})
    workers = [context.Process(target=work, args=(number,)) for number in range(1, 4)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    with ProcessPoolExecutor(2, mp_context=context) as pool:
        list(pool.map(work, range(10, 20)))
"""
    )
    root = Path(__file__).parents[2]
    environment = {**os.environ, "PYTHONPATH": f"{root / 'src'}:{root}", "PYTHONWARNINGS": "ignore::DeprecationWarning"}
    subprocess.run([sys.executable, str(script)], env=environment, check=True, timeout=50)
    assert sorted(sent_after(state)) == sorted(ids(*range(4), *range(10, 20)))


def test_forks_while_threads_record(state: Path) -> None:
    """Each process sees its own records only, and no line is torn or lost."""
    code = """
    journal = journal_in(state)
    os.register_at_fork(after_in_child=journal.after_fork)
    ended = False
    def record(first):
        number = first
        while not ended:
            journal.append(generation(number))
            number += 1
        counted.append(number - first)
    counted = []
    threads = [threading.Thread(target=record, args=(1_000_000 * number,)) for number in (1, 2)]
    for thread in threads:
        thread.start()
    for number in range(10):
        if os.fork() == 0:
            journal.append(generation(number))
            os._exit(0)
        os.wait()
    ended = True
    for thread in threads:
        thread.join()
    say(*counted)
    """
    counted = [int(word) for word in run(code, state).split()]
    sent = sent_after(state)
    assert len(sent) == len(set(sent)) == sum(counted) + 10
    assert set(ids(*range(10))) <= set(sent)


def test_a_started_program_inherits_nothing(state: Path) -> None:
    """No descriptor of ours, so no lock."""
    journal = journal_in(state)
    journal.append(generation(1))
    journal.acknowledge(journal.read(1))
    listing = subprocess.run(
        [sys.executable, "-c", "import os; [print(os.path.realpath(f'/proc/self/fd/{n}')) for n in range(99)]"],
        close_fds=False,
        capture_output=True,
        text=True,
        check=True,
    )
    assert len(open_files(state)) == 2
    assert str(state) not in listing.stdout


def test_the_name_of_a_file_tells_its_owner(state: Path) -> None:
    """For people, and for the command line; the lock is what decides."""
    run("journal_in(state).append(generation(1))\nsay(os.getpid())", state)
    with program("journal = journal_in(state)\njournal.append(generation(2))\nsay('ready')\ntime.sleep(30)", state) as process:
        assert process.stdout is not None
        process.stdout.readline()
        wait_until(lambda: len(files(state)) == 2)
        assert owner_of(files(state)[1].stem) == process.pid
        kill(process)
    assert [owner_of(name) for name in ("", "1", "1-", "1-x-y", "1-2-y")] == [None, None, None, None, 2]
