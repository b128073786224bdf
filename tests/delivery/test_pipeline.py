import gc
import logging
import os
import random
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator
from itertools import count
from pathlib import Path

import pytest

from ramp_tracing._delivery import Pipeline
from ramp_tracing._delivery._stages import Stages, load_stages
from ramp_tracing._journal import FileJournal, Stats
from ramp_tracing._journal._directory import Directory
from ramp_tracing._state import Sink, state

from .conftest import PipelineMaker
from .receiver import Behaviour, Receiver, answer, endless, hang, raw, refuse_spans, wait_until
from .records import config_for, generation, span_ids
from .test_transport import HOSTILE

OK = answer(200)


def test_a_pipeline_is_a_sink(pipeline_for: PipelineMaker) -> None:
    """What the recorder writes to."""
    sink: Sink = pipeline_for("http://127.0.0.1:9/")
    assert sink.keeps_content is True
    assert pipeline_for("http://127.0.0.1:9/", privacy_mode=True).keeps_content is False


def test_what_is_recorded_arrives_by_itself(pipeline_for: PipelineMaker) -> None:
    """Together, after a moment in which others may join."""
    with Receiver.which(OK) as receiver:
        pipeline = pipeline_for(receiver.url)
        for number in range(5):
            pipeline.record(generation(number))
        wait_until(lambda: pipeline.stats() == Stats(recorded=5, acknowledged=5))
    assert receiver.span_ids == span_ids(*range(5))
    assert len(receiver.requests) < 5


def test_a_full_batch_does_not_wait() -> None:
    """There is nobody left to wait for."""
    with Receiver.which(OK) as receiver:
        pipeline = Pipeline(config_for(receiver.url, max_batch_spans=3), linger_seconds=60)
        for number in range(3):
            pipeline.record(generation(number))
        receiver.wait_for(1)
        pipeline.shutdown(1)


def test_nobody_waits_for_company_when_hurried() -> None:
    """By `wake`, or by a flush."""
    with Receiver.which(OK) as receiver:
        pipeline = Pipeline(config_for(receiver.url), linger_seconds=60)
        pipeline.record(generation(1))
        pipeline.wake()
        receiver.wait_for(1)
        pipeline.record(generation(2))
        assert pipeline.flush(30) is True
        pipeline.shutdown(1)
    assert receiver.span_ids == span_ids(1, 2)


def test_no_thread_before_the_first_record(pipeline_for: PipelineMaker) -> None:
    """Whoever forks before it calls a model forks a process with one thread."""
    before = set(threading.enumerate())
    pipeline = pipeline_for("http://127.0.0.1:9/")
    pipeline.stats()
    assert pipeline.flush(1) is True
    assert set(threading.enumerate()) <= before


def test_a_record_is_taken_after_a_shutdown(pipeline_for: PipelineMaker) -> None:
    """A stream that was open may end at any time."""
    with Receiver.which(OK) as receiver:
        pipeline = pipeline_for(receiver.url)
        for number in range(3):
            pipeline.record(generation(number))
            assert pipeline.shutdown(30) is True
        assert pipeline.stats() == Stats(recorded=3, acknowledged=3)
    assert receiver.span_ids == span_ids(0, 1, 2)


def test_the_thread_ends_with_a_shutdown(pipeline_for: PipelineMaker) -> None:
    """And takes its connection with it."""
    before = set(threading.enumerate())
    with Receiver.which(OK) as receiver:
        pipeline = pipeline_for(receiver.url)
        pipeline.record(generation(1))
        assert pipeline.shutdown(30) is True
        wait_until(lambda: "ramp-tracing" not in [thread.name for thread in threading.enumerate()])
    wait_until(lambda: set(threading.enumerate()) <= before)


# -- flush


def bomb(exchange: object) -> None:
    raise ConnectionError


STATES: dict[str, Behaviour] = {
    "redirects": answer(302, Location="http://127.0.0.1:9/"),
    "401": answer(401),
    "500": answer(500),
    "400": answer(400),
    "413": answer(413),
    "503 and wait": answer(503, Retry_After="60"),
    "partly refuses": answer(200, b'{"partialSuccess":{"rejectedSpans":"1"}}'),
    "hangs": hang,
    "drips": endless(b"HTTP/1.1 200 OK\r\nX: ", b"y", every_seconds=0.05),
    "drops": raw(),
    "junk": raw(b"\x00\xff\r\n\r\n"),
}


@pytest.mark.parametrize("name", STATES)
def test_flush_is_honest_and_keeps_its_time(name: str, pipeline_for: PipelineMaker) -> None:
    """It is False where the receiver did not take everything, and never late."""
    with Receiver.which(STATES[name]) as receiver:
        pipeline = pipeline_for(receiver.url, timeout_seconds=50)
        for number in range(3):
            pipeline.record(generation(number))
        started = time.monotonic()
        flushed = pipeline.flush(1.0)
        assert time.monotonic() - started < 20
        assert flushed is False
        counts = pipeline.stats()
    assert counts.recorded == 3 == counts.acknowledged + counts.waiting + counts.dead + counts.lost
    assert counts.acknowledged < 3


def test_flush_against_nobody(pipeline_for: PipelineMaker) -> None:
    """The same where nothing listens."""
    with Receiver.which(OK) as receiver:
        url = receiver.url
    pipeline = pipeline_for(url)
    pipeline.record(generation(1))
    started = time.monotonic()
    assert pipeline.flush(1.0) is False
    assert time.monotonic() - started < 20


def test_an_answer_without_its_body_is_an_answer(pipeline_for: PipelineMaker) -> None:
    """A huge, compressed or endless body after a 200 costs nobody a second copy."""
    huge = endless(b"HTTP/1.1 200 OK\r\n\r\n", b" " * 65536)
    packed = answer(200, b"\x1f\x8b" + bytes(100_000), Content_Encoding="gzip")
    with Receiver.which(huge, packed) as receiver:
        pipeline = pipeline_for(receiver.url)
        for number in range(2):
            pipeline.record(generation(number))
            assert pipeline.flush(30) is True
    assert receiver.span_ids == span_ids(0, 1)


def test_flush_does_not_mind_what_was_dead_before(pipeline_for: PipelineMaker) -> None:
    """It says what became of the records that were waiting."""
    bad = span_ids(0)[0]
    with Receiver.which(refuse_spans(lambda each: each == bad)) as receiver:
        pipeline = pipeline_for(receiver.url)
        pipeline.record(generation(0))
        assert pipeline.flush(30) is False
        pipeline.record(generation(1))
        assert pipeline.flush(30) is True


def test_flush_without_time_says_how_it_stands() -> None:
    """At once."""
    with Receiver.which(OK) as receiver:
        pipeline = Pipeline(config_for(receiver.url), linger_seconds=60)
        assert pipeline.flush(0) is True
        pipeline.record(generation(1))
        assert pipeline.flush(-1) is False
        assert pipeline.flush(30) is True
        pipeline.shutdown(0)


def test_everyone_may_flush_at_once(pipeline_for: PipelineMaker) -> None:
    """While others record."""
    flushed: list[bool] = []
    with Receiver.which(OK) as receiver:
        pipeline = pipeline_for(receiver.url)

        def use(numbers: range) -> None:
            for number in numbers:
                pipeline.record(generation(number))
            flushed.append(pipeline.flush(30))

        threads = [threading.Thread(target=use, args=(range(at, at + 20),)) for at in range(0, 100, 20)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert flushed == [True] * 5
    assert sorted(receiver.span_ids) == sorted(span_ids(*range(100)))


# -- deferred calls


def test_a_deferred_call_runs_on_the_thread_that_sends(pipeline_for: PipelineMaker) -> None:
    """And what it records is sent."""
    ran_on: list[str] = []
    with Receiver.which(OK) as receiver:
        pipeline = pipeline_for(receiver.url)
        pipeline.record(generation(1))

        def finish() -> None:
            ran_on.append(threading.current_thread().name)
            pipeline.record(generation(2))

        pipeline.defer(finish)
        wait_until(lambda: len(receiver.span_ids) == 2)
    assert ran_on == ["ramp-tracing"]


@pytest.mark.parametrize("ask", [Pipeline.stats, lambda each: each.flush(30), lambda each: each.shutdown(30)])
def test_a_deferred_call_runs_where_there_is_no_thread(
    ask: Callable[[Pipeline], object], pipeline_for: PipelineMaker
) -> None:
    """Whoever asks sees what it recorded."""
    with Receiver.which(OK) as receiver:
        pipeline = pipeline_for(receiver.url)
        pipeline.defer(lambda: pipeline.record(generation(1)))
        ask(pipeline)
        assert pipeline.stats().recorded == 1


def test_a_deferred_call_may_fail(pipeline_for: PipelineMaker, caplog: pytest.LogCaptureFixture) -> None:
    """The next one runs all the same."""
    state.strict = False
    with Receiver.which(OK) as receiver:
        pipeline = pipeline_for(receiver.url)
        pipeline.defer(lambda: [][0])
        pipeline.defer(lambda: pipeline.record(generation(1)))
        assert pipeline.flush(30) is True
    assert receiver.span_ids == span_ids(1)
    assert "finishing a call failed with IndexError" in caplog.text


def test_finalizers_may_defer_anywhere(pipeline_for: PipelineMaker) -> None:
    """The collector runs them in the middle of whatever we do, on any thread."""
    numbers = count(1000)
    before = gc.get_threshold()
    with Receiver.which(OK) as receiver:
        pipeline = pipeline_for(receiver.url)

        class Abandoned:
            def __init__(self) -> None:
                self.me = self

            def __del__(self) -> None:
                number = next(numbers)
                pipeline.defer(lambda: pipeline.record(generation(number)))

        gc.set_threshold(5)
        try:
            for number in range(300):
                Abandoned()
                pipeline.record(generation(number))
                pipeline.stats()
        finally:
            gc.set_threshold(*before)
        deadline = time.monotonic() + 60
        # `collect` returns at once where another thread is collecting, which then has finalizers still to call.
        while pipeline.stats().recorded < 600 and time.monotonic() < deadline:
            gc.collect()
        assert pipeline.flush(30) is True
        assert pipeline.stats() == Stats(recorded=600, acknowledged=600)
    assert len(set(receiver.span_ids)) == 600


def test_a_signal_handler_may_do_anything(pipeline_for: PipelineMaker) -> None:
    """It interrupts the main thread between any two steps, and must not wait for a lock that this very thread holds."""
    numbers = count(10_000)
    over = threading.Event()
    with Receiver.which(OK) as receiver:
        pipeline = pipeline_for(receiver.url)

        def interrupt(number: int, frame: object) -> None:
            pipeline.record(generation(next(numbers)))
            pipeline.stats()
            pipeline.flush(0.05)
            if not over.is_set():  # else it would come when this handler is gone, and end the whole run of tests
                signal.setitimer(signal.ITIMER_REAL, 0.002)

        before = signal.signal(signal.SIGALRM, interrupt)
        signal.setitimer(signal.ITIMER_REAL, 0.001)
        try:
            for number in range(2000):
                pipeline.record(generation(number))
                pipeline.stats()
        finally:
            over.set()
            signal.setitimer(signal.ITIMER_REAL, 0)
            signal.signal(signal.SIGALRM, before)
        assert pipeline.flush(30) is True
        assert pipeline.stats().acknowledged == next(numbers) - 10_000 + 2000


# -- counts


@pytest.fixture
def busy_switches() -> Iterator[None]:
    """Threads take turns much more often than usual."""
    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-4)
    yield
    sys.setswitchinterval(before)


@pytest.mark.usefixtures("busy_switches")
def test_the_counts_add_up_at_every_moment(pipeline_for: PipelineMaker) -> None:
    """Whatever the receiver does meanwhile; and everything that was recorded ends somewhere."""
    dice = random.Random(7)
    good, bad = answer(200), span_ids(*range(0, 160, 40))
    moods = [good, good, good, raw(), answer(500), answer(413), answer(400), refuse_spans(lambda each: each in bad)]
    behaviours = [dice.choice(moods) for _ in range(30)]
    wrong: list[Stats] = []
    with Receiver.which(*behaviours, refuse_spans(lambda each: each in bad)) as receiver:
        pipeline = pipeline_for(receiver.url)
        ended = threading.Event()

        def look() -> None:
            while not ended.is_set():
                seen = pipeline.stats()
                if seen.recorded != seen.acknowledged + seen.waiting + seen.dead + seen.lost:
                    wrong.append(seen)

        def record(at: int) -> None:
            for number in range(at, at + 40):
                pipeline.record(generation(number))
                assert pipeline.stats().recorded > 0

        threads = [threading.Thread(target=record, args=(at,)) for at in range(0, 160, 40)]
        looking = threading.Thread(target=look)
        for thread in [*threads, looking]:
            thread.start()
        for thread in threads:
            thread.join()
        assert pipeline.stats().recorded == 160
        wait_until(lambda: pipeline.stats().waiting == 0)
        ended.set()
        looking.join()
        counts = pipeline.stats()
    assert wrong == []
    assert counts.acknowledged + counts.dead == counts.recorded == 160
    assert set(receiver.span_ids) == set(span_ids(*range(160)))


def test_a_fault_of_ours_costs_no_record(caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch) -> None:
    """The thread goes on after a rest."""
    state.strict = False
    monkeypatch.setattr("ramp_tracing._delivery._worker.FAULT_REST_SECONDS", 0.05)
    attempts = count()

    def load(config: object) -> Stages:
        if next(attempts) < 2:
            raise ImportError("half an installation")
        return load_stages(config_for(receiver.url))

    with Receiver.which(OK) as receiver:
        pipeline = Pipeline(config_for(receiver.url), load=load, linger_seconds=0)
        pipeline.record(generation(1))
        wait_until(lambda: pipeline.stats() == Stats(recorded=1, acknowledged=1))
        pipeline.shutdown(1)
    assert "delivering records failed with ImportError" in caplog.text


def test_the_lines_of_a_pipeline_are_on_one_logger(
    pipeline_for: PipelineMaker, caplog: pytest.LogCaptureFixture
) -> None:
    """`ramp_tracing`, at any level."""
    with caplog.at_level(logging.DEBUG), Receiver.which(answer(503), OK) as receiver:
        pipeline = pipeline_for(receiver.url)
        pipeline.record(generation(1))
        wait_until(lambda: pipeline.stats().acknowledged == 1)
    ours = [record.name for record in caplog.records]
    assert set(ours) == {"ramp_tracing"}


def test_a_hostile_environment_changes_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither where records go nor one byte of them, and none is sampled away."""
    with Receiver.which(OK) as receiver:
        for environment in ({}, HOSTILE):
            for name, value in environment.items():
                monkeypatch.setenv(name, value)
            pipeline = Pipeline(config_for(receiver.url), linger_seconds=60)
            for number in range(20):
                pipeline.record(generation(number, text="hello"))
            assert pipeline.shutdown(30) is True
    before, after = receiver.requests
    assert (before.head, before.body) == (after.head, after.body)


# -- fork


def in_child(check: Callable[[], bool]) -> int:
    """The exit status of a forked child that has 10 seconds to make *check* true."""
    child = os.fork()
    if child == 0:
        status = 1
        try:
            status = 0 if check() else 2
        finally:
            os._exit(status)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


@pytest.mark.filterwarnings("ignore:.*fork:DeprecationWarning")
def test_a_forked_child_sends_its_own_records_and_no_other(pipeline_for: PipelineMaker) -> None:
    """Those that waited in the parent are sent by the parent, once."""
    with Receiver.which(OK) as receiver:
        pipeline = pipeline_for(receiver.url)
        pipeline.record(generation(0))
        assert pipeline.flush(30)
        pipeline.record(generation(1))

        def child() -> bool:
            empty = pipeline.stats() == Stats()
            pipeline.record(generation(2))
            return empty and pipeline.flush(30) and pipeline.stats() == Stats(recorded=1, acknowledged=1)

        assert in_child(child) == 0
        assert pipeline.flush(30)
        assert pipeline.stats() == Stats(recorded=2, acknowledged=2)
    assert sorted(receiver.span_ids) == sorted(span_ids(0, 1, 2))


@pytest.mark.filterwarnings("ignore:.*fork:DeprecationWarning")
def test_a_fork_in_the_middle_of_a_request(pipeline_for: PipelineMaker) -> None:
    """Leaves the child without a lock that nobody will ever release."""
    with Receiver.which(hang, OK) as receiver:
        pipeline = pipeline_for(receiver.url, timeout_seconds=2.0)
        pipeline.record(generation(1))
        receiver.wait_for(1)

        def child() -> bool:
            pipeline.record(generation(2))
            return pipeline.shutdown(30)

        assert in_child(child) == 0
        wait_until(lambda: pipeline.stats().acknowledged == 1)
    assert sorted(receiver.span_ids) == sorted(span_ids(1, 2, 1))


# -- the last moment of what is in memory


def test_what_is_in_memory_is_tried_once_more_at_the_end() -> None:
    """Our own backoff does not matter when there is no later."""
    with Receiver.which(answer(401), answer(200)) as receiver:
        pipeline = Pipeline(config_for(receiver.url), linger_seconds=0.0)
        pipeline.record(generation(1))
        wait_until(lambda: pipeline._worker.may_not_send_within(1))
        assert pipeline.shutdown(30)
        assert pipeline.stats() == Stats(recorded=1, acknowledged=1)


def test_a_receiver_that_asked_to_wait_is_not_asked_once_more() -> None:
    """Nobody waits for it either."""
    with Receiver.which(answer(503, Retry_After="60")) as receiver:
        pipeline = Pipeline(config_for(receiver.url), linger_seconds=0.0)
        pipeline.record(generation(1))
        wait_until(lambda: pipeline._worker.may_not_send_within(1))
        assert not pipeline.shutdown(1)
        assert len(receiver.requests) == 1


def test_what_is_on_disk_is_left_to_the_next_start(tmp_path: Path) -> None:
    """A receiver in trouble is spared one more request from each process that ends."""
    with Receiver.which(answer(401)) as receiver:
        journal = FileJournal(Directory(tmp_path / "state", "destination"))
        pipeline = Pipeline(config_for(receiver.url), journal=journal, linger_seconds=0.0)
        pipeline.record(generation(1))
        wait_until(lambda: pipeline._worker.may_not_send_within(1))
        assert not pipeline.shutdown(1)
        assert len(receiver.requests) == 1
