"""What the applications of one row share: a receiver, a ledger, a state directory."""

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Generator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from .calls import PROVIDER_VARIABLE
from .ledger import MARKER, VARIABLE, Pages
from .model_server import model_server
from .program import Program
from .receiver import FaultyReceiver
from .troubles import STATE_VARIABLE, TROUBLES

ROOT: Final = Path(__file__).resolve().parents[2]
KEY: Final = "ramp-canary-key-8842"
"""It must be found nowhere but in the requests."""

END_SECONDS: Final = 90.0
"""Whoever takes longer to start or to end is killed; nothing here is meant to."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Stage:
    """
    One row's surroundings.

    Attributes:
        receiver: Where records go.
        folder: Everything else is in here.
        state: The state directory of the applications.
        provider: The address of a model server.
    """

    receiver: FaultyReceiver
    folder: Path
    state: Path
    provider: str

    @property
    def ledger(self) -> Path:
        """What the applications say of their records."""
        return self.folder / "ledger"

    @property
    def said(self) -> Path:
        """What they wrote to standard error."""
        return self.folder / "stderr"

    @property
    def environment(self) -> dict[str, str]:
        """Of the applications: nothing that the runner does not mean."""
        kept = {name: os.environ[name] for name in ("PATH", "HOME", "LANG", "TMPDIR") if name in os.environ}
        return {
            **kept,
            "PYTHONPATH": os.pathsep.join([str(ROOT), str(ROOT / "src")]),
            "RAMP_API_KEY": KEY,
            "RAMP_BASE_URL": self.receiver.url,
            STATE_VARIABLE: str(self.state),
            VARIABLE: str(self.ledger),
            PROVIDER_VARIABLE: self.provider,
        }

    def returned(self) -> set[str]:
        """The markers of the calls that returned to an application."""
        return Pages(self.ledger).returned

    def dead(self) -> set[str]:
        """The markers of the records that lie in the directory of dead letters."""
        letters = [path for path in self.files() if "dead" in path.relative_to(self.state).parts[:-1]]
        return {found for path in letters for found in MARKER.findall(path.read_text(errors="replace"))}

    def files(self) -> list[Path]:
        """What is in the state directory."""
        return [path for path in self.state.rglob("*") if path.is_file()] if self.state.is_dir() else []


@contextmanager
def stage(trouble: str = "") -> Generator[Stage]:
    """Surroundings for one row, which are gone afterwards."""
    with (
        tempfile.TemporaryDirectory(prefix="ramp-tracing-faults-") as name,
        TROUBLES[trouble].place(Path(name)) as state,
        FaultyReceiver() as receiver,
        model_server() as provider,
    ):
        yield Stage(receiver=receiver, folder=Path(name), state=state, provider=provider)


class Application:
    """
    A process that runs a program, as long as its ``with`` block at most. It waits at its beginning for `go`.

    Args:
        scene: Where it runs.
        program: What it does.
    """

    def __init__(self, scene: Stage, program: Program) -> None:
        with scene.said.open("ab") as said:
            self._running = subprocess.Popen(
                [sys.executable, "-m", "tests.faults.app", program.as_text()],
                cwd=ROOT,
                env=scene.environment,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=said,
            )

    def __enter__(self) -> "Application":
        assert self._running.stdout is not None
        self._running.stdout.readline()
        return self

    def __exit__(self, *exc: object) -> None:
        self.kill()
        self._running.wait()
        for each in (self._running.stdin, self._running.stdout):
            assert each is not None
            try:
                each.close()
            except BrokenPipeError:
                pass

    def go(self) -> None:
        """Let it begin."""
        self._tell(b"go\n")

    def kill(self) -> None:
        """End it from outside, without a warning."""
        self._running.kill()

    def end(self) -> tuple[int | None, float]:
        """
        Wait for its end; one that lingers is told to go on.

        Returns:
            Its exit status, `None` if it had to be killed, and the instant of its end.
        """
        assert self._running.stdin is not None
        ...


def wait_until(true: Callable[[], bool], *, seconds: float) -> bool:
    """Look until it is so; False if it does not come to that."""
    deadline = time.monotonic() + seconds
    while not true():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.02)
    return True
