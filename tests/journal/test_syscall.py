"""What is asked of the system with the lock of the interpreter kept."""

import errno
import gc
import os
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from ramp_tracing._journal._syscall import Identify, Write, identify, identify_keeping_gil, write_keeping_gil

from .samples import generation, journal_in, wait_until


@pytest.fixture(params=["ctypes", "os"])
def write(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[Write]:
    """The function as it is, and as it is where there is no ctypes."""
    write_keeping_gil.cache_clear()
    if request.param == "os":
        monkeypatch.setitem(sys.modules, "ctypes", None)
    yield write_keeping_gil()
    write_keeping_gil.cache_clear()


def test_all_bytes_are_written(write: Write, tmp_path: Path) -> None:
    """Zeros too, which end a text of C."""
    descriptor = os.open(tmp_path / "file", os.O_CREAT | os.O_WRONLY)
    assert write(descriptor, b"a\0b\n") == 4
    os.close(descriptor)
    assert (tmp_path / "file").read_bytes() == b"a\0b\n"


def test_a_failure_is_an_error_with_its_number(write: Write) -> None:
    """As of any other function of the system."""
    with pytest.raises(OSError, match="Bad file descriptor") as caught:
        write(-1, b"a")
    assert caught.value.errno == errno.EBADF


@pytest.fixture
def another_thread() -> Iterator[list[int]]:
    """What a thread notes each time it gets the interpreter's lock, which is never taken away by force meanwhile."""
    noted: list[int] = []
    ended = threading.Event()
    before = sys.getswitchinterval()

    def note() -> None:
        while not ended.is_set():
            noted.append(0)
            time.sleep(0)

    gc.collect()  # closing what somebody left, in the middle of the test, would give the lock away
    gc.disable()
    sys.setswitchinterval(1000)
    thread = threading.Thread(target=note)
    thread.start()
    wait_until(lambda: noted)
    yield noted
    sys.setswitchinterval(before)
    gc.enable()
    ended.set()
    thread.join()


def test_the_lock_of_the_interpreter_is_kept_for_a_record(state: Path, another_thread: list[int]) -> None:
    """Whoever gives it away gets it back when busy threads see fit: a tenth of a second later."""
    journal = journal_in(state)
    records = [generation(number, text="asked") for number in range(200)]
    journal.append(records[0])  # opens the file
    before = len(another_thread)
    for record in records:
        journal.append(record)
    assert len(another_thread) == before


def test_giving_the_lock_away_is_noticed(another_thread: list[int]) -> None:
    """Or the test above could not fail."""
    before = len(another_thread)
    for _ in range(20):
        time.sleep(0.001)
    assert len(another_thread) > before


@pytest.mark.parametrize("identify", [identify, identify_keeping_gil()])
def test_a_file_is_told_from_others(tmp_path: Path, identify: Identify) -> None:
    """By what the system says of its descriptor."""
    with (tmp_path / "one").open("w") as one, (tmp_path / "two").open("w") as two:
        again = os.dup(one.fileno())
        assert identify(one.fileno()) == identify(again)
        os.close(again)
        assert identify(one.fileno()) != identify(two.fileno())
        number = one.fileno()
    with pytest.raises(OSError, match="Bad file descriptor"):
        identify(number)
