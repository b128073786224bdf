"""What every test stands on: our own faults are raised, and nothing of ours is left over."""

import os
import threading
import time
from collections.abc import Iterator
from importlib.metadata import version

import pytest

import ramp_tracing
from ramp_tracing._state import state

CLAIMED_MAJOR = os.environ.get("RAMP_TRACING_TEST_OPENAI_MAJOR")
"""The major version of openai that this lane claims to run."""


def pytest_configure() -> None:
    """Refuse to run a lane that is not what it claims to be."""
    if CLAIMED_MAJOR is not None:
        assert version("openai").partition(".")[0] == CLAIMED_MAJOR


@pytest.fixture(autouse=True)
def nothing_left_over(monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """A test starts without our environment and with faults raised; at its end nothing is active, claimed or queued."""
    before = threads_of_ours()
    for name in [name for name in os.environ if name.startswith(("RAMP_", "OTEL_"))]:
        if name != "RAMP_TRACING_TEST_OPENAI_MAJOR" and name != "RAMP_TRACING_SHARED":
            monkeypatch.delenv(name)
    place = str(tmp_path_factory.mktemp("state"))
    monkeypatch.setenv("RAMP_TRACING_STATE_DIR", place)
    monkeypatch.setenv("XDG_STATE_HOME", place)  # for programs that are started without the variables of ours
    state.strict = True
    yield
    left = (state.sink, state.enabled, state.installed, dict(state.jobs), dict(state.open_streams), dict(state.by_hand))
    ramp_tracing.uninstrument()
    until = time.monotonic() + 60
    while (running := threads_of_ours() - before) and time.monotonic() < until:
        time.sleep(0.002)
    state.strict = False
    assert left == (None, set(), set(), {}, {}, {})
    assert running == set()


def threads_of_ours() -> set[threading.Thread]:
    """Those that send. One that is left over logs, and asks for random numbers, in the middle of another test."""
    return {thread for thread in threading.enumerate() if thread.name == "ramp-tracing"}
