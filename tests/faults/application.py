"""The application as its runner sees it: a process that is started, let go, and ends."""

import subprocess
import sys
import threading
import time
from contextlib import suppress
from dataclasses import dataclass
from typing import Final, Self

from .ledger import Pages
from .program import Program
from .stage import ROOT, Stage

MAX_SECONDS: Final = 90.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Ended:
    """
    How a process ended.

    Attributes:
        status: As `subprocess` says it: negative for a signal.
        exit_seconds: How long it took from its last statement until it was gone; `None` if it did not come to that.
    """

    status: int
    exit_seconds: float | None


class Application:
    """
    A process that runs a program; at the end of its ``with`` block it is gone. It waits for `go`.

    Args:
        scene: Where it runs.
        program: What it does.
        max_seconds: Whoever takes longer is killed; nobody here is meant to.
    """

    def __init__(self, scene: Stage, program: Program, *, max_seconds: float = MAX_SECONDS) -> None:
        self._scene = scene
        self._before = len(Pages(scene.ledger).last_statements)
        with scene.said.open("ab") as said:
            self._running = subprocess.Popen(
                [sys.executable, "-m", "tests.faults.app", program.as_text()],
                cwd=ROOT,
                env=scene.environment,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=said,
            )
        self._patience = threading.Timer(max_seconds, self.kill)
        self._patience.start()

    def __enter__(self) -> Self:
        """Wait until it is ready."""
        assert self._running.stdout is not None
        self._running.stdout.readline()
        return self

    def __exit__(self, *exc: object) -> None:
        self.kill()
        self.end()
        assert self._running.stdout is not None
        self._running.stdout.close()

    def go(self) -> None:
        """Let it begin."""
        assert self._running.stdin is not None
        with suppress(BrokenPipeError):
            self._running.stdin.write(b"go\n")
            self._running.stdin.flush()

    def kill(self) -> None:
        """End it from outside, without a warning."""
        self._running.kill()

    def end(self) -> Ended:
        """Tell one that lingers to go on, and wait for the end."""
        assert self._running.stdin is not None
        with suppress(BrokenPipeError):
            self._running.stdin.close()
        # Without a timeout of its own, which would look at it only every now and then.
        status = self._running.wait()
        gone = time.monotonic()
        self._patience.cancel()
        last = Pages(self._scene.ledger).last_statements[self._before :]
        return Ended(status=status, exit_seconds=gone - last[-1] if last else None)
