"""A journal on disk, among processes that fork."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from ramp_tracing._journal._segment_files import owner_of

from .samples import drain, files, generation, ids, journal_in, kill, open_files, program, run, sent_after, wait_until


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
        time.sleep(120)
    say(child)
    time.sleep(120)
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
    subprocess.run([sys.executable, str(script)], env=environment, check=True, timeout=120)
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
    with program(
        "journal = journal_in(state)\njournal.append(generation(2))\nsay('ready')\ntime.sleep(120)", state
    ) as process:
        assert process.stdout is not None
        process.stdout.readline()
        wait_until(lambda: len(files(state)) == 2)
        assert owner_of(files(state)[1].stem) == process.pid
        kill(process)
    assert [owner_of(name) for name in ("", "1", "1-", "1-x-y", "1-2-y")] == [None, None, None, None, 2]
