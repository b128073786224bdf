import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from ramp_tracing._guard import log
from ramp_tracing._journal import FileJournal

from .samples import journal_in

JournalMaker = Callable[..., FileJournal]


@pytest.fixture(autouse=True)
def nothing_said_yet(monkeypatch: pytest.MonkeyPatch) -> None:
    """Another test may have said the same within the minute."""
    monkeypatch.setattr(log, "_next", {})


@pytest.fixture
def state(tmp_path: Path) -> Path:
    """A directory that does not exist yet."""
    return tmp_path / "state"


@pytest.fixture
def journal(state: Path) -> FileJournal:
    """A journal in `state`."""
    return journal_in(state)


@pytest.fixture
def busy_switches() -> Iterator[None]:
    """Threads take turns a thousand times as often as usual."""
    before = sys.getswitchinterval()
    sys.setswitchinterval(5e-6)
    yield
    sys.setswitchinterval(before)
