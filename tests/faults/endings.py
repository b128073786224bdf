"""How a process ends."""

import os
import signal
import threading
from collections.abc import Callable, Mapping
from typing import Final

from .program import Ending


def normal() -> None:
    """The last line of the program is reached."""


def exception() -> None:
    raise RuntimeError("the application has a bug")


def thread_exception() -> None:
    """A thread dies of a bug; the program goes on to its last line."""
    thread = threading.Thread(target=exception)
    thread.start()
    thread.join()


def sigterm() -> None:
    """What a container gets first; nobody here has a handler."""
    os.kill(os.getpid(), signal.SIGTERM)


def sigkill() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def os_exit() -> None:
    os._exit(0)


ENDINGS: Final[Mapping[Ending, Callable[[], None]]] = {
    "normal": normal,
    "exception": exception,
    "thread_exception": thread_exception,
    "sigterm": sigterm,
    "sigkill": sigkill,
    "os_exit": os_exit,
    "endless": normal,
}
