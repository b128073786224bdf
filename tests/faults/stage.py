"""What the applications of one row share: a receiver, a model server, a ledger, a state directory."""

import os
import tempfile
import time
from collections.abc import Callable, Generator, Iterable
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from .calls import PROMPT, PROVIDER_VARIABLE
from .ledger import MARKER, VARIABLE, Pages
from .model_server import model_server
from .receiver import FaultyReceiver
from .troubles import STATE_VARIABLE, TROUBLES

ROOT: Final = Path(__file__).resolve().parents[2]
KEY: Final = "ramp-canary-key-8842"
"""It must be found nowhere but in the requests."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Stage:
    """
    One row's surroundings.

    Attributes:
        receiver: Where records go.
        provider: The address of a model server.
        folder: Everything else is in here.
        state: The state directory of the applications.
    """

    receiver: FaultyReceiver
    provider: str
    folder: Path
    state: Path

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
        """Of the applications: nothing that is not meant."""
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
        """The markers of the records that lie in a directory of dead letters."""
        return _markers_in(path for path in self._files() if "dead" in path.relative_to(self.state).parts[:-1])

    def on_disk(self) -> set[str]:
        """The markers that are in any file of the state directory."""
        return _markers_in(self._files())

    def leaks(self) -> list[str]:
        """What must not be on the disk or in the output, and is."""
        found = [f"the key is in {path.name}" for path in [*self._files(), self.said] if KEY in _text(path)]
        return found + [f"a prompt is in {path.name}" for path in self._files() if PROMPT in _text(path)]

    def _files(self) -> list[Path]:
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
        yield Stage(receiver=receiver, provider=provider.base_url, folder=Path(name), state=state)


def wait_until(true: Callable[[], bool], *, seconds: float) -> bool:
    """Look until it is so; False if it does not come to that."""
    deadline = time.monotonic() + seconds
    while not true():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.02)
    return True


def _markers_in(paths: Iterable[Path]) -> set[str]:
    return {found for path in paths for found in MARKER.findall(_text(path))}


def _text(path: Path) -> str:
    """What a file holds; nothing if it was removed meanwhile."""
    try:
        return path.read_text(errors="replace")
    except FileNotFoundError:
        return ""
