"""The wall between our code and the application's."""

import signal

import pytest

from ramp_tracing._guard import guarded
from ramp_tracing._state import state


class TimeLimitError(Exception):
    """Such as a task queue raises from a signal handler."""


@pytest.fixture(autouse=True)
def as_in_production(monkeypatch: pytest.MonkeyPatch) -> None:
    """Faults are swallowed."""
    monkeypatch.setattr(state, "strict", False)


def test_a_fault_of_ours_is_swallowed() -> None:
    """It is one log line."""
    with guarded("testing"):
        raise ValueError


@pytest.mark.parametrize("error", [KeyboardInterrupt, SystemExit, GeneratorExit])
def test_what_ends_a_program_is_not(error: type[BaseException]) -> None:
    """It is the application's."""
    with pytest.raises(error), guarded("testing"):
        raise error


def test_what_a_signal_handler_raises_is_the_applications() -> None:
    """A time limit that goes off while we work must end what it was set for."""

    def handler(number: int, frame: object) -> None:
        raise TimeLimitError

    before = signal.signal(signal.SIGUSR1, handler)
    try:
        with pytest.raises(TimeLimitError), guarded("testing"):
            signal.raise_signal(signal.SIGUSR1)
    finally:
        signal.signal(signal.SIGUSR1, before)
