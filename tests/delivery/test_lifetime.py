"""Whole processes: how they end, and what they leave."""

import os
import subprocess
import sys
import textwrap
import threading
import time
from pathlib import Path

import pytest

from ramp_tracing._lazy import make_lock

from .receiver import Behaviour, Receiver, answer, endless, hang
from .records import span_ids

ROOT = Path(__file__).parents[2]
OK = answer(200)

BEGINNING = """
import os, sys
from ramp_tracing._delivery import Pipeline
from tests.delivery.records import config_for, generation
pipeline = Pipeline(config_for(sys.argv[1], exit_timeout_seconds=float(sys.argv[2])), linger_seconds=60)
"""


def run(code: str, url: str, *, exit_timeout_seconds: float = 25.0) -> float:
    """Run a program to its end; the seconds between its last statement and that."""
    program = BEGINNING + textwrap.dedent(code) + "\nimport time; print(time.time(), flush=True)\n"
    paths = os.pathsep.join([str(ROOT / "src"), str(ROOT)])
    ended = subprocess.run(
        [sys.executable, "-c", program, url, str(exit_timeout_seconds)],
        # Python 3.12 warns of every fork of a process with threads; ours is one.
        env={**os.environ, "PYTHONPATH": paths, "PYTHONWARNINGS": "ignore::DeprecationWarning"},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert (ended.returncode, ended.stderr) == (0, "")
    return time.time() - float(ended.stdout)


def test_a_process_that_ends_sends_what_waits() -> None:
    """By itself."""
    with Receiver.which(OK) as receiver:
        run("pipeline.record(generation(1))", receiver.url)
    assert receiver.span_ids == span_ids(1)


def test_a_process_that_has_nothing_to_send_ends_at_once() -> None:
    """The receiver may be dead."""
    with Receiver.which(hang) as receiver:
        assert run("", receiver.url) < 20


def test_a_record_made_while_the_process_ends_is_sent() -> None:
    """Whatever can be started at that time."""
    code = """
    import atexit, threading
    def refuse(self): raise RuntimeError("can't start new thread at interpreter shutdown")
    def late():
        threading.Thread.start = refuse
        pipeline.record(generation(1))
    atexit.register(late)
    """
    with Receiver.which(OK) as receiver:
        run(code, receiver.url)
    assert receiver.span_ids == span_ids(1)


def test_a_deferred_call_is_made_while_the_process_ends() -> None:
    """Although no thread was ever started."""
    with Receiver.which(OK) as receiver:
        run("pipeline.defer(lambda: pipeline.record(generation(1)))", receiver.url)
    assert receiver.span_ids == span_ids(1)


@pytest.mark.parametrize(
    "behave",
    [
        hang,
        endless(b"HTTP/1.1 200 OK\r\nX: ", b"y", every_seconds=0.05),
        answer(503, Retry_After="60"),
        answer(401),
    ],
    ids=["hangs", "drips", "is busy", "refuses the key"],
)
def test_no_receiver_keeps_a_process_from_ending(behave: Behaviour) -> None:
    """Two seconds at most, and what a busy machine adds; some of these would take for ever."""
    with Receiver.which(behave) as receiver:
        program = "import logging; logging.disable()\nfor number in range(100): pipeline.record(generation(number))"
        assert run(program, receiver.url, exit_timeout_seconds=2.0) < 20


def test_children_of_multiprocessing_send_what_waits() -> None:
    """They end without `atexit`."""
    code = """
    import multiprocessing
    def work(number): pipeline.record(generation(number))
    context = multiprocessing.get_context("fork")
    children = [context.Process(target=work, args=(number,)) for number in (2, 3)]
    for child in children: child.start()
    for child in children: child.join()
    pipeline.record(generation(1))
    """
    with Receiver.which(OK) as receiver:
        run(code, receiver.url)
    assert sorted(receiver.span_ids) == sorted(span_ids(1, 2, 3))


def test_a_fork_waits_for_our_imports() -> None:
    """Else the child could never import what was half imported."""
    code = """
    from ramp_tracing._delivery import _worker
    _worker.MAX_FORK_WAIT_SECONDS = 60
    pipeline.record(generation(1))
    pipeline.wake()
    import time
    deadline = time.monotonic() + 30
    while "ramp_tracing._delivery._drainer" not in sys.modules and time.monotonic() < deadline: time.sleep(0)
    child = os.fork()
    if child == 0:
        pipeline.record(generation(2))
        os._exit(0 if pipeline.flush(30) else 1)
    assert os.waitpid(child, 0)[1] == 0
    """
    with Receiver.which(OK) as receiver:
        run(code, receiver.url)
    assert sorted(receiver.span_ids) == sorted(span_ids(1, 2))


@pytest.mark.parametrize("begun", ["before", "after"])
def test_threads_that_became_greenlets_meanwhile(begun: str) -> None:
    """
    They are replaced in place by gevent and eventlet, under a server that loaded the application before (--preload).

    A greenlet runs on the thread that starts it, which then would wait with it for ever.
    """
    first = "pipeline.record(generation(1)); assert pipeline.flush(30)"
    code = f"""
    import _thread, threading
    {first if begun == "before" else ""}
    def run_here(function, arguments, named={{}}):
        function(*arguments, **named)
        return _thread.get_ident()
    _thread.start_new_thread = threading._start_new_thread = run_here
    {first if begun == "after" else "pipeline.shutdown(30)"}
    pipeline.record(generation(2))
    assert pipeline.flush(30)
    assert pipeline.stats().acknowledged == 2
    """
    with Receiver.which(OK) as receiver:
        run(code, receiver.url)
    assert sorted(receiver.span_ids) == sorted(span_ids(1, 2))


def test_locks_stay_the_systems(monkeypatch: pytest.MonkeyPatch) -> None:
    """Gevent has `threading.RLock`, which is a function, make others: who waits for one may wait on a greenlet."""
    kind = type(threading.RLock())
    monkeypatch.setattr("threading._CRLock", None)
    assert type(threading.RLock()) is not kind
    assert type(make_lock()) is kind


def test_pipelines_that_are_gone_leave_nothing_behind() -> None:
    """The hooks are registered once and hold nobody."""
    code = """
    import gc, weakref
    from ramp_tracing._delivery._lifetime import _watched
    gone = weakref.ref(Pipeline(config_for(sys.argv[1])))
    for _ in range(100): Pipeline(config_for(sys.argv[1]))
    gc.collect()
    assert gone() is None and list(_watched()) == [pipeline]
    """
    with Receiver.which(OK) as receiver:
        run(code, receiver.url)


def test_importing_the_pipeline_imports_nothing_dear() -> None:
    """And recording does so on another thread."""
    code = """
    dear = {"http.client", "ssl", "genai_prices", "opentelemetry", "google.protobuf", "urllib.request"}
    assert dear.isdisjoint(sys.modules), dear.intersection(sys.modules)
    """
    with Receiver.which(OK) as receiver:
        run(code, receiver.url)
