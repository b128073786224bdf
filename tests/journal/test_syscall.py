"""One write(2)."""

import errno
import os
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from ramp_tracing._journal._syscall import Write, write_keeping_gil


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
