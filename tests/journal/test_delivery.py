"""A journal on disk and what drains it, together."""

import json
import logging
import os
import signal
import textwrap
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from ramp_tracing._delivery import Pipeline
from ramp_tracing._journal import Stats, dead_letters, open_journal
from ramp_tracing._journal._bounds import Bounds
from ramp_tracing._journal._place import destination_name
from ramp_tracing._record import Failure
from tests.delivery.receiver import Received, Receiver, answer, hang, refuse_spans
from tests.delivery.records import config_for, span_id, span_ids

from .samples import (
    DESTINATION,
    bytes_below,
    files,
    full_generation,
    generation,
    journal_in,
    kill,
    program,
    run,
    wait_until,
)

OK = answer(200)
BUSY = answer(503)

SEND = """
from ramp_tracing._delivery import Pipeline
from tests.delivery.records import config_for
config = config_for(os.environ["URL"], exit_timeout_seconds=25)
pipeline = Pipeline(config, journal=journal_in(state), linger_seconds=0.05)
"""


@contextmanager
def sending(url: str, state: Path, **options: object) -> Iterator[Pipeline]:
    """A pipeline with a journal in *state*."""
    pipeline = Pipeline(config_for(url, **options), journal=journal_in(state), linger_seconds=0.05)
    try:
        yield pipeline
    finally:
        pipeline.shutdown(0)


def attributes(request: Received) -> list[dict[str, object]]:
    """The attributes of each span of a request."""
    spans = json.loads(request.body)["resourceSpans"][0]["scopeSpans"][0]["spans"]
    return [{each["key"]: next(iter(each["value"].values())) for each in span["attributes"]} for span in spans]


def test_what_is_recorded_is_sent_and_leaves_nothing(state: Path) -> None:
    """With its content; when the process ends, the directory is empty."""
    with Receiver.which(OK) as receiver, sending(receiver.url, state) as pipeline:
        for number in range(120):
            pipeline.record(generation(number, text="asked"))
        assert pipeline.flush(30)
        assert pipeline.stats() == Stats(recorded=120, acknowledged=120)
        assert sorted(receiver.span_ids) == sorted(span_ids(*range(120)))
        assert "gen_ai.prompt" in attributes(receiver.requests[0])[0]
        pipeline.shutdown(5)
        assert list((state / DESTINATION).iterdir()) == []


def test_what_an_earlier_process_left_is_sent_without_a_new_record(state: Path) -> None:
    """The next start is enough; its content is gone, and the record says so."""
    run("journal = journal_in(state)\nfor number in range(3): journal.append(generation(number, text='asked'))", state)
    with Receiver.which(OK) as receiver, sending(receiver.url, state) as pipeline:
        receiver.wait_for(1)
        wait_until(lambda: pipeline.stats() == Stats(recorded=3, acknowledged=3))
        assert receiver.span_ids == span_ids(0, 1, 2)
        assert [each["ramp.content.lost"] for each in attributes(receiver.requests[0])] == [True] * 3
        wait_until(lambda: not files(state))


def test_nothing_left_starts_no_thread(state: Path) -> None:
    """A server that forks its workers has none yet."""
    before = set(threading.enumerate())
    with Receiver.which(OK) as receiver, sending(receiver.url, state):
        new = set(threading.enumerate()) - before
        assert "ramp-tracing" not in {thread.name for thread in new}


def test_a_dead_neighbour_is_noticed_without_a_new_record(state: Path) -> None:
    """By a process that has nothing to do."""
    with Receiver.which(OK) as receiver:
        journal = journal_in(state, round_seconds=0.1)
        pipeline = Pipeline(config_for(receiver.url), journal=journal, linger_seconds=0.05)
        pipeline.record(generation(1))
        assert pipeline.flush(30)
        run("journal_in(state).append(generation(2))", state)
        wait_until(lambda: span_id(2) in receiver.span_ids)
        pipeline.shutdown(5)


def test_a_batch_is_sent_again_as_it_was_after_a_kill(state: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Byte for byte, under the same key; a receiver that has it already need not look into it."""
    code = f"""
    {SEND.strip().replace(chr(10), chr(10) + "    ")}
    for number in range(30):
        pipeline.record(generation(number))
    say("recorded")
    time.sleep(120)
    """
    with Receiver.which(hang) as receiver:
        monkeypatch.setenv("URL", receiver.url)
        with program(code, state) as process:
            assert process.stdout is not None
            assert process.stdout.readline() == "recorded\n"
            receiver.wait_for(1)
            kill(process)
        first = receiver.requests[0]
    with Receiver.which(OK) as receiver, sending(receiver.url, state) as pipeline:
        pipeline.record(generation(100))
        wait_until(lambda: len(receiver.span_ids) >= 31)
        assert pipeline.flush(30)
        assert sorted(receiver.span_ids) == sorted(span_ids(*range(30), 100))
        again = next(each for each in receiver.requests if span_id(0) in each.span_ids)
        assert again.body == first.body
        assert again.headers["idempotency-key"] == first.headers["idempotency-key"]


def test_flush_is_true_only_when_all_of_it_was_acknowledged(state: Path) -> None:
    """Also when the disk is full and some of it is in memory, and more comes while it waits."""
    with Receiver.which(answer(503, Retry_After="1")) as receiver, sending(receiver.url, state) as pipeline:
        pipeline.record(generation(0))
        assert not pipeline.flush(0.3)
        receiver.behaviours[0] = OK
        assert pipeline.flush(30)
        assert pipeline.stats() == Stats(recorded=1, acknowledged=1)


def test_flush_is_false_when_a_record_died(state: Path) -> None:
    """Its neighbours arrive; it can be looked at."""
    bad = span_id(1)
    with Receiver.which(refuse_spans(lambda each: each == bad)) as receiver, sending(receiver.url, state) as pipeline:
        for number in range(3):
            pipeline.record(generation(number))
        assert not pipeline.flush(30)
        assert pipeline.stats() == Stats(recorded=3, acknowledged=2, dead=1)
        (letter,) = dead_letters(state / DESTINATION)
        assert letter.generation == generation(1)
        assert letter.reason.startswith("Ramp answered 400")


def test_at_the_end_what_could_not_be_sent_stays(state: Path) -> None:
    """And the end is not put off. As soon as nobody holds the pipeline, another one takes over what it left."""
    with Receiver.which(BUSY) as receiver:
        with sending(receiver.url, state) as pipeline:
            for number in range(5):
                pipeline.record(generation(number))
            receiver.wait_for(1)
            started = time.monotonic()
            assert not pipeline.shutdown(0.5)
            assert time.monotonic() - started < 20
        assert pipeline.stats() == Stats(recorded=5, waiting=5)
    del pipeline
    with Receiver.which(OK) as receiver, sending(receiver.url, state):
        wait_until(lambda: sorted(receiver.span_ids) == sorted(span_ids(*range(5))))


def test_after_shutdown_a_record_is_still_taken(state: Path) -> None:
    """And sent."""
    with Receiver.which(OK) as receiver, sending(receiver.url, state) as pipeline:
        pipeline.record(generation(1))
        assert pipeline.shutdown(30)
        assert files(state) == []
        pipeline.record(generation(2))
        assert pipeline.flush(30)
        assert receiver.span_ids == span_ids(1, 2)


@pytest.mark.parametrize("end", ["os._exit(0)", "os.kill(os.getpid(), signal.SIGKILL)", "pass", "raise SystemExit"])
def test_forked_children_lose_nothing(state: Path, end: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """However they and their parent end; one start later everything has arrived, once."""
    code = f"""
    {SEND.strip().replace(chr(10), chr(10) + "    ")}
    for number in range(20):
        pipeline.record(generation(number))
    for child in range(1, 4):
        if os.fork() == 0:
            for number in range(20):
                pipeline.record(generation(100 * child + number))
            {end}
            sys.exit()
    for _ in range(3):
        os.wait()
    {end}
    """
    with Receiver.which(OK) as receiver:
        monkeypatch.setenv("URL", receiver.url)
        run(code, state)
        with sending(receiver.url, state) as pipeline:
            expected = {span_id(100 * child + number) for child in range(4) for number in range(20)}
            wait_until(lambda: set(receiver.span_ids) == expected)
            assert pipeline.flush(30)
        if end in ("pass", "raise SystemExit"):
            assert len(receiver.span_ids) == len(expected)


@pytest.mark.parametrize("own", [0, 1])
@pytest.mark.parametrize("way", ["say(pipeline.flush(30))\nos._exit(0)", "pass"])
def test_a_parent_sends_what_its_children_have_left(
    state: Path, way: str, own: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """
    Those of task queues end by `os._exit`; at the latest when it flushes or ends, if it called nothing itself.

    There are more of them than files may be open.
    """
    children = range(1, Bounds().adopted + 3)
    code = SEND.replace("0.05", "60") + textwrap.dedent(f"""
    for number in range(100, 100 + {own}):
        pipeline.record(generation(number))
    say(pipeline.flush(30))
    for child in {children}:
        if os.fork() == 0:
            pipeline.record(generation(child))
            os._exit(0)
        os.wait()
    """)
    with Receiver.which(OK) as receiver:
        monkeypatch.setenv("URL", receiver.url)
        assert set(run(code + way, state).split()) == {"True"}
        assert sorted(receiver.span_ids) == sorted(span_ids(*children, *range(100, 100 + own)))


# -- secrets

CANARY = "CANARY-prompt"
KEY = "ramp_CANARY-key_0123456789abcdef"


@pytest.mark.parametrize("privacy_mode", [False, True])
def test_neither_key_nor_content_is_on_disk_or_in_the_log(
    state: Path, privacy_mode: bool, caplog: pytest.LogCaptureFixture
) -> None:
    """Not in a segment, a mark, a dead letter or a name; not at DEBUG; in good times and in bad."""

    def record(number: int) -> object:
        failure = Failure(type="E", message=CANARY, status_code=400)
        call = replace(full_generation(), id=generation(number).id, failure=failure)
        call = replace(call, content=generation(0, text=CANARY).content)
        return replace(call, content=None, failure=replace(failure, message=None)) if privacy_mode else call

    seen: list[bytes] = []
    with Receiver.which(answer(500), answer(400), answer(400), OK) as receiver, caplog.at_level(logging.DEBUG):
        journal = open_journal(state_dir=str(state), base_url=receiver.url, key=KEY)
        config = config_for(receiver.url, api_key=KEY, privacy_mode=privacy_mode)
        pipeline = Pipeline(config, journal=journal, linger_seconds=0.05)
        for number in range(3):
            pipeline.record(record(number))  # type: ignore[arg-type]
            seen.append(bytes_below(state))
        pipeline.flush(30)
        seen.append(bytes_below(state))
        pipeline.shutdown(30)
        seen.append(bytes_below(state))
        assert pipeline.stats().dead >= 1
        assert len(dead_letters(state / destination_name(receiver.url, KEY))) >= 1
        shown = repr([journal, pipeline, journal.counts()]) + caplog.text
    assert b"CANARY" not in b"".join(seen)
    assert "CANARY" not in shown
    sent = b"".join(request.body for request in receiver.requests)
    assert (CANARY.encode() in sent) is not privacy_mode
    assert KEY.encode() not in sent


def test_content_is_not_on_disk_after_a_kill(state: Path) -> None:
    """Wherever the kill came."""
    code = f"""
    journal = journal_in(state)
    number = 0
    while True:
        journal.append(generation(number, text="{CANARY}"))
        number += 1
        if number == 50:
            say("going")
    """
    with program(code, state) as process:
        assert process.stdout is not None
        process.stdout.readline()
        process.send_signal(signal.SIGKILL)
        process.communicate()
    assert len(files(state)) == 1
    assert CANARY.encode() not in bytes_below(state)
    assert os.path.getsize(files(state)[0]) > 1000
