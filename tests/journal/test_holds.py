"""Provisional records: written down at once, sent once, as what they have become."""

import os
import threading
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from ramp_tracing._delivery import Pipeline
from ramp_tracing._journal import FileJournal, Journal, MemoryJournal, Stats, spool_of
from ramp_tracing._record import Generation, Unread, Usage
from tests.delivery.receiver import Receiver, answer
from tests.delivery.records import config_for, span_ids

from .samples import (
    DESTINATION,
    drain,
    files,
    generation,
    ids,
    ids_of,
    journal_in,
    kill,
    lines,
    program,
    restarted,
    run,
    wait_until,
)
from .test_delivery import SEND, sending
from .test_disk_trouble import at_once, files_no_longer_than
from .test_unread import answer as answered
from .test_unread import unread

OK = answer(200)


def final(number: int, *, text: str | None = None) -> Generation:
    """What becomes of the `generation` of a number: the same call, better known."""
    return replace(generation(number, text=text), usage=Usage(input_tokens=1000 + number, output_tokens=7))


@pytest.fixture(params=["file", "memory"])
def either(request: pytest.FixtureRequest, state: Path) -> Journal:
    """Each kind of journal."""
    return journal_in(state) if request.param == "file" else MemoryJournal()


def read(journal: Journal) -> list[Generation]:
    """All that may be sent."""
    return [entry.generation for entry in journal.read(99)]


def acknowledge_all(journal: Journal) -> None:
    """Send all that may be sent."""
    while entries := journal.read(99):
        journal.freeze(entries)
        journal.acknowledge(entries)


@pytest.mark.parametrize("when", ["before it is read", "after its place was read"])
def test_only_the_final_record_is_sent(either: Journal, when: str) -> None:
    """Once, with its content; until then the call waits, once."""
    hold = either.hold(generation(1, text="asked"))
    if when == "after its place was read":
        assert read(either) == []
    assert (either.counts(), either.held) == (Stats(recorded=1, waiting=1), 1)
    hold.settle(final(1, text="asked"))
    assert (either.counts(), either.held) == (Stats(recorded=1, waiting=1), 0)
    assert read(either) == [final(1, text="asked")]


def test_a_record_that_is_let_go_is_sent_as_it_is(either: Journal) -> None:
    """With its content, and once however often it is said."""
    hold = either.hold(generation(1, text="asked"))
    hold.release()
    hold.release()
    hold.settle(final(1))
    assert read(either) == [generation(1, text="asked")]
    assert either.counts() == Stats(recorded=1, waiting=1)


def test_others_do_not_wait_for_it(either: Journal) -> None:
    """Neither those before nor those behind it, nor whoever waits for them."""
    either.append(generation(1))
    hold = either.hold(generation(2))
    either.append(generation(3))
    settled = either.watch()
    acknowledge_all(either)
    assert settled()
    assert either.counts() == Stats(recorded=3, acknowledged=2, waiting=1)
    hold.settle(final(2))
    settled = either.watch()
    assert not settled()
    acknowledge_all(either)
    assert settled()
    assert (either.counts(), either.held) == (Stats(recorded=3, acknowledged=3), 0)


def test_the_file_stays_as_long_as_something_is_held(state: Path) -> None:
    """And no longer; a new one may have been begun meanwhile."""
    journal = journal_in(state, segment_bytes=1)
    hold = journal.hold(generation(1))
    journal.tend()
    journal.append(generation(2))
    assert drain(journal) == ids(2)
    journal.close()
    assert len(files(state)) == 1
    hold.settle(final(1))
    assert drain(journal) == ids(1)
    assert files(state) == []


def test_nothing_is_left_of_it(state: Path) -> None:
    """Neither files nor memory."""
    journal = journal_in(state)
    for number in range(50):
        journal.hold(generation(number)).settle(final(number, text="asked"))
        drain(journal)
    journal.close()
    assert (files(state), files(state, ".ack")) == ([], [])
    assert journal.counts() == Stats(recorded=50, acknowledged=50)
    assert len(journal._contents._contents) == 0


# -- a process that dies

BEGIN = """
def final(number):
    return replace(generation(number), usage=Usage(input_tokens=1000 + number, output_tokens=7))
journal = journal_in(state)
journal.append(generation(0))
hold = journal.hold(generation(1, text="asked"))
journal.append(generation(2))
def send():
    entries = journal.read(50)
    journal.freeze(entries)
    journal.acknowledge(entries)
"""
KILL = "os.kill(os.getpid(), signal.SIGKILL)"

DEATHS = {
    "held": ("", [0, 1, 2], generation(1, text="asked")),
    "held, its place read": ("send()", [1, 2], generation(1, text="asked")),
    "settled": ("hold.settle(final(1))", [0, 1, 2], final(1)),
    "settled, its place read": ("send(); hold.settle(final(1))", [1, 2], final(1)),
    "settled and read": ("send(); hold.settle(final(1)); journal.read(50)", [1, 2], final(1)),
    "settled and sent": ("hold.settle(final(1)); send()", [], None),
    "settled and sent afterwards": ("send(); hold.settle(final(1)); send()", [], None),
    "let go": ("hold.release()", [0, 1, 2], generation(1, text="asked")),
    "let go and sent": ("hold.release(); send()", [], None),
}


@pytest.mark.parametrize("death", DEATHS)
def test_whatever_a_process_was_doing_when_it_died_each_call_is_sent_once(state: Path, death: str) -> None:
    """The final record where there is one, else the provisional one. What had been sent behind it comes again."""
    code, left, expected = DEATHS[death]
    run(f"{BEGIN}\n{code}\n{KILL}", state)
    journal = restarted(state)
    assert journal.counts() == Stats(recorded=len(left), waiting=len(left))
    assert spool_of(state / DESTINATION).waiting == len(left)
    sent = {each.id: each for _ in range(3) for each in read(journal)}
    assert sorted(sent) == ids(*left)
    if expected is not None:
        lost = expected.content is not None
        assert sent[expected.id] == replace(expected, content=None, content_lost=lost)


def test_a_kill_at_any_moment_leaves_each_call_once(state: Path) -> None:
    """While one thread holds and settles, and another sends."""
    code = """
    journal = journal_in(state)
    def send():
        while True:
            journal.tend()
            entries = journal.read(50)
            for each in ids_of(entries):
                say("sent", each)
            journal.acknowledge(entries)
    threading.Thread(target=send, daemon=True).start()
    number = 0
    while True:
        holds = [journal.hold(generation(number + each)) for each in range(3)]
        for each, hold in enumerate(holds):
            hold.settle(replace(generation(number + each), retries=1))
        number += 3
        if number == 300:
            say("going")
    """
    with program(code, state) as process:
        assert process.stdout is not None
        said = [process.stdout.readline().split()]
        while said[-1] != ["going"]:
            said.append(process.stdout.readline().split())
        process.kill()
        said += [line.split() for line in process.stdout.read().splitlines()]
    sent = [each[1] for each in said if len(each) == 2 and each[0] == "sent"]
    journal, left = restarted(state), list[Generation]()
    while entries := journal.read(50):
        left += [entry.generation for entry in entries]
    assert len(left) == journal.counts().waiting
    numbers = sorted({int(each.removeprefix("gen-")) for each in [*sent, *[one.id for one in left]]})
    assert numbers == list(range(len(numbers)))
    assert len(numbers) >= 299
    provisional = [each for each in left if each.retries is None]
    assert len(provisional) <= 3
    assert len({each.id for each in left}) == len(left)
    assert not {each.id for each in provisional} & set(sent)


def test_it_is_part_of_no_batch_that_was_tried(state: Path) -> None:
    """So that the batch is sent again as it was."""
    journal = journal_in(state)
    journal.append(generation(0))
    hold = journal.hold(generation(1))
    journal.append(generation(2))
    journal.freeze(journal.read(9))
    del journal, hold
    journal = restarted(state)
    assert [ids_of(journal.read(9)), ids_of(journal.read(9)), ids_of(journal.read(9))] == [ids(0, 2), ids(1), []]


def test_a_forked_child_has_no_part_in_it(state: Path) -> None:
    """Its copy of the hold is without effect, whichever way it ends."""
    code = """
    journal = journal_in(state)
    hold = journal.hold(generation(1))
    if os.fork() == 0:
        hold.settle(generation(2))
        journal.after_fork()
        say(journal.counts().recorded, journal.held)
        os._exit(0)
    os.wait()
    hold.settle(replace(generation(1), retries=3))
    say(*[each.retries for each in [entry.generation for entry in journal.read(9)]])
    """
    assert run(code, state).splitlines() == ["0 0", "3"]


# -- records that are read later


def in_line(recorded: Unread) -> Generation:
    """What is left of it when its process has died."""
    lean = replace(recorded.whole(), content=None, content_lost=True, finish_reasons=(), parameters={})
    assert recorded.whole() != lean
    return lean


def test_an_unread_record_is_held_and_settled_by_another(either: Journal) -> None:
    """Which is read when it is sent, with its content."""
    hold = either.hold(unread(answered(1)))
    assert read(either) == []
    last = unread(answered(2))
    hold.settle(last)
    [sent] = read(either)
    assert sent == last.whole()
    assert sent.content is not None


def test_let_go_it_is_sent_whole(either: Journal) -> None:
    """Nobody has told of it."""
    record = unread(answered(1))
    either.hold(record).release()
    assert read(either) == [record.whole()]


@pytest.mark.parametrize("is_settled", [False, True])
def test_a_process_that_dies_leaves_of_it_what_was_known(state: Path, *, is_settled: bool) -> None:
    """Once: the provisional one, or the one that it has become."""
    first, last = unread(answered(1)), unread(answered(2))
    journal = journal_in(state)
    hold = journal.hold(first)
    if is_settled:
        hold.settle(last)
    del journal, hold
    assert read(restarted(state)) == [in_line(last if is_settled else first)]


def test_an_unread_record_for_which_the_disk_has_no_room_is_sent_in_place_of_the_other(state: Path) -> None:
    """From memory, read."""
    journal, last = journal_in(state), unread(answered(2))
    hold = journal.hold(unread(answered(1)))
    (path,) = files(state)
    with files_no_longer_than(path.stat().st_size + 10):
        hold.settle(last)
    assert read(journal) == [last.whole()]


# -- trouble


def test_a_final_record_for_which_the_disk_has_no_room_is_sent_in_place_of_the_other(state: Path) -> None:
    """From memory, with its content; the provisional one is on disk until then."""
    journal = journal_in(state)
    journal.append(generation(0))
    hold = journal.hold(generation(1))
    first = read(journal)
    (path,) = files(state)
    with files_no_longer_than(path.stat().st_size + 10):
        hold.settle(final(1, text="asked"))
    assert (journal.counts(), journal.held) == (Stats(recorded=2, waiting=2), 0)
    settled = journal.watch()
    entries = journal.read(9)
    assert first + [entry.generation for entry in entries] == [generation(0), final(1, text="asked")]
    assert not settled()
    journal.acknowledge(entries)
    assert journal.counts() == Stats(recorded=2, acknowledged=1, waiting=1)


def test_a_provisional_record_for_which_the_disk_has_no_room_waits_in_memory(state: Path) -> None:
    """And its final one with it."""
    state.write_text("in the way")
    journal = journal_in(state)
    hold = journal.hold(generation(1))
    assert (journal.counts(), journal.held) == (Stats(recorded=1, waiting=1), 1)
    assert read(journal) == []
    state.unlink()
    at_once(journal).append(generation(2))
    hold.settle(final(1))
    assert [*read(journal), *read(journal)] == [generation(2), final(1)]
    assert (len(lines(state)), journal.held) == (1, 0)


def test_a_file_that_is_gone_takes_nothing_with_it(journal: FileJournal, state: Path) -> None:
    """The final record of a call whose line somebody deleted is sent."""
    hold = journal.hold(generation(1))
    (path,) = files(state)
    path.unlink()
    journal._holdings.round()
    hold.settle(final(1))
    assert read(journal) == [final(1)]


def test_over_the_bound_on_records_what_is_held_takes_room() -> None:
    """What had none gets what there is when its hold ends."""
    journal = MemoryJournal(max_records=2)
    holds = [journal.hold(generation(number)) for number in range(3)]
    journal.append(generation(3))
    assert journal.counts() == Stats(recorded=3, waiting=2, lost=1)
    for number, hold in enumerate(holds):
        hold.settle(final(number))
    assert journal.counts() == Stats(recorded=4, waiting=2, lost=2)
    assert read(journal) == [final(0), final(1)]


def test_the_counts_add_up_at_every_moment(either: Journal, busy_switches: None) -> None:
    """While threads hold and settle, one sends and one looks: never more waits than was recorded, never less."""
    ended = threading.Event()
    begun = [0, 0, 0]
    wrong: list[Stats] = []

    def record(thread: int) -> None:
        for number in range(300):
            begun[thread] += 1
            hold = either.hold(generation(1000 * thread + number))
            hold.settle(final(1000 * thread + number))

    def send() -> None:
        while not ended.is_set() or either.counts().waiting:
            acknowledge_all(either)

    def look() -> None:
        while not ended.is_set():
            seen = either.counts()
            if seen.recorded != seen.acknowledged + seen.waiting or seen.recorded > sum(begun):
                wrong.append(seen)

    recorders = [threading.Thread(target=record, args=(number,)) for number in range(3)]
    others = [threading.Thread(target=send), threading.Thread(target=look)]
    run_to_the_end(recorders, others, ended.set)
    assert (wrong, either.held) == ([], 0)
    assert either.counts() == Stats(recorded=900, acknowledged=900)


def run_to_the_end(first: list[threading.Thread], then: list[threading.Thread], end: Callable[[], None]) -> None:
    """Start all; *end* those that would not end by themselves."""
    for thread in [*first, *then]:
        thread.start()
    for thread in first:
        thread.join()
    end()
    for thread in then:
        thread.join()


# -- together with what drains it


def test_a_held_record_keeps_nothing_back(state: Path) -> None:
    """Others are sent at once meanwhile; `flush` does not wait for it, and says that not all of it has arrived."""
    with Receiver.which(OK) as receiver, sending(receiver.url, state) as pipeline:
        hold = pipeline.hold(generation(1))
        pipeline.record(generation(2))
        assert not pipeline.flush(30)
        assert receiver.span_ids == span_ids(2)
        pipeline.record(generation(3))
        wait_until(lambda: pipeline.stats() == Stats(recorded=3, acknowledged=2, waiting=1))
        hold.settle(final(1))
        assert pipeline.flush(30)
        assert receiver.span_ids == span_ids(2, 3, 1)


def test_a_killed_process_had_its_held_records_sent_by_the_next(state: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """With the same span id as ever; that which was settled is the final one."""
    code = f"""
    {SEND.strip().replace(chr(10), chr(10) + "    ")}
    first, second = pipeline.hold(generation(1)), pipeline.hold(generation(2))
    pipeline.record(generation(3))
    first.release()
    pipeline.flush(30)
    say("flushed")
    time.sleep(120)
    """
    with Receiver.which(OK) as receiver:
        monkeypatch.setenv("URL", receiver.url)
        with program(code, state) as process:
            assert process.stdout is not None
            process.stdout.readline()
            assert sorted(receiver.span_ids) == sorted(span_ids(1, 3))
            kill(process)
        with sending(receiver.url, state) as pipeline:
            wait_until(lambda: set(span_ids(2)) <= set(receiver.span_ids))
            assert pipeline.flush(30)
    assert set(receiver.span_ids) == set(span_ids(1, 2, 3))


def test_in_memory_the_pipeline_holds_too() -> None:
    """Where no journal can be on disk."""
    with Receiver.which(OK) as receiver:
        pipeline = Pipeline(config_for(receiver.url), linger_seconds=0.05)
        hold = pipeline.hold(generation(1))
        assert pipeline.stats() == Stats(recorded=1, waiting=1)
        hold.settle(final(1))
        assert pipeline.flush(30)
        assert receiver.span_ids == span_ids(1)
        pipeline.shutdown(5)


def test_a_file_whose_number_is_another_one_s_takes_no_final_record(state: Path) -> None:
    """A daemon closed it, and the next file of ours got its number: there the record would stand beside itself."""
    journal = journal_in(state, round_seconds=1000)
    hold = journal.hold(generation(1))
    first = journal._writer.current
    assert first is not None
    os.close(first.file.number)
    journal.append(generation(2))
    journal._writer.retry()  # not in five seconds
    journal.append(generation(3))
    second = journal._writer.current
    assert second is not None
    assert second.file.number == first.file.number
    hold.settle(final(1))
    assert not any(b'"settles"' in line for line in lines(state))
    assert journal.counts().recorded == 3
