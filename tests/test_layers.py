"""One call, one record: what is held, who takes it over, and what is recorded when nobody does."""

import os
import time
from collections.abc import Iterator
from itertools import count
from threading import Event, Thread
from types import FrameType
from typing import Any

import pytest

from ramp_tracing import _layers, _sdk
from ramp_tracing._captured import Generations
from ramp_tracing._delivery import end_open_calls
from ramp_tracing._layers import _promises, _slots
from ramp_tracing._record import Failure, Generation, GenerationId, Recorded, Timing, UnixNanos, Usage, whole
from ramp_tracing._state import Hold, state

from .stepping import at_each_step

OUTAGE = Failure(type="InternalServerError")
ABANDONED = Failure(type="abandoned")


class Upper:
    """A layer whose frames are this module's; a frame names its call in a variable."""

    name = "upper"
    modules = __name__
    since = 0.0
    asides = ("nowhere",)

    def call_of(self, frame: FrameType) -> str | None:
        key = frame.f_locals.get("upper_call")
        return key if isinstance(key, str) else None

    async def catch_up(self) -> None:
        pass

    def catch_up_alone(self, seconds: float) -> None:
        pass


@pytest.fixture
def sink() -> Iterator[Generations]:
    """Where records go, below a layer that records what it makes."""
    state.slots.clear()
    state.watched.clear()
    state.speaking.clear()
    state.layers["upper"] = Upper()
    yield Generations()
    state.layers.clear()
    state.slots.clear()
    state.watched.clear()
    state.speaking.clear()


def generation(number: int = 1, *, failure: Failure | None = None, tokens: int | None = 3) -> Generation:
    return Generation(
        id=GenerationId(f"id-{number}"),
        operation="chat",
        library="openai",
        timing=Timing(started=UnixNanos(1), ended=UnixNanos(2)),
        usage=Usage(input_tokens=tokens),
        failure=failure,
    )


def under(sink: Generations, upper_call: str) -> Any:
    """Where the client records a call that the layer makes as *upper_call*."""
    return _layers.sink_under(sink)


def test_where_the_layer_calls_back_nothing_is_promised(sink: Generations, monkeypatch: pytest.MonkeyPatch) -> None:
    """What the application asks from a callback of the layer's is the application's own."""
    monkeypatch.setattr(Upper, "asides", (__name__,))
    assert sink is under(sink, "a")


def ids(sink: Generations) -> list[str]:
    return [each.id for each in sink]


def test_without_a_layer_nothing_is_held(sink: Generations) -> None:
    """A call of a program without such a layer is recorded at once, by the sink itself."""
    state.layers.clear()
    assert under(sink, "a") is sink


def test_a_frame_of_the_layer_is_needed(sink: Generations) -> None:
    """A live slot alone holds nothing: the application may be making a call of its own."""
    _layers.open_slot("upper", "a")
    state.layers["upper"] = type("Elsewhere", (Upper,), {"modules": "elsewhere."})()
    assert under(sink, "a") is sink


def test_held_until_the_layer_speaks(sink: Generations) -> None:
    """The client's record waits, and is handed to the layer above."""
    under(sink, "a").record(generation())
    assert ([], True) == (ids(sink), _layers.is_waiting())
    settled = _layers.settle(_layers.slot_of("upper", "a"), ok=True)
    assert generation() == settled.held
    assert not settled.late
    _layers.release()
    assert [] == ids(sink)


def test_the_layer_speaks_first(sink: Generations) -> None:
    """A stream that the layer has stopped reading ends in the client after the layer has spoken: no second record."""
    promised = under(sink, "a")
    assert _layers.settle(_layers.slot_of("upper", "a"), ok=True).held is None
    promised.record(generation(failure=ABANDONED))
    _layers.release()
    assert [] == ids(sink)


def test_nobody_speaks(sink: Generations, monkeypatch: pytest.MonkeyPatch) -> None:
    """After a while the held record is recorded as it is, and the layer comes too late."""
    monkeypatch.setattr(_promises, "SECONDS_FOR_FAILURE", 0.02)
    monkeypatch.setattr(_promises, "SECONDS_BETWEEN_LOOKS", 0.02)
    under(sink, "a").record(generation(failure=ABANDONED))
    until = time.monotonic() + 30
    while not ids(sink) and time.monotonic() < until:
        time.sleep(0.01)
    assert ["id-1"] == ids(sink)
    assert _layers.settle(_layers.slot_of("upper", "a"), ok=True).late


def test_late_words_on_a_call_whose_first_attempt_was_spoken_of(sink: Generations) -> None:
    """A fallback has the id of the attempt that failed; what it answered is recorded once, whoever speaks late."""
    failed, answered = under(sink, "a"), under(sink, "a")
    failed.record(generation(1, failure=OUTAGE, tokens=None))
    assert not _layers.settle(_layers.slot_of("upper", "a"), ok=False).late
    answered.record(generation(2))
    _layers.release()
    assert ["id-2"] == ids(sink)
    assert _layers.settle(_layers.slot_of("upper", "a"), ok=True).late


def test_repeated_attempts_inside_a_call(sink: Generations) -> None:
    """Attempts that failed, cost nothing and were repeated by the layer are part of its one call."""
    promised = under(sink, "a")
    for number in (1, 2, 3):
        promised.record(generation(number, failure=OUTAGE, tokens=None))
    assert "id-1" == getattr(_layers.settle(_layers.slot_of("upper", "a"), ok=False).held, "id", None)
    _layers.release()
    assert [] == ids(sink)


def test_a_failed_attempt_that_was_billed_is_kept(sink: Generations) -> None:
    """What reports usage has been paid for."""
    promised = under(sink, "a")
    promised.record(generation(1, failure=OUTAGE))
    promised.record(generation(2))
    assert "id-2" == getattr(_layers.settle(_layers.slot_of("upper", "a"), ok=True).held, "id", None)
    _layers.release()
    assert ["id-1"] == ids(sink)


def test_an_answer_that_the_layer_cannot_read(sink: Generations) -> None:
    """It failed for the layer alone; the client knows what was billed."""
    under(sink, "a").record(generation())
    assert generation() == _layers.settle(_layers.slot_of("upper", "a"), ok=False).held


def test_silence_is_kept(sink: Generations) -> None:
    """Where the application wants no record there is none, whoever saw the call."""
    _layers.open_slot("upper", "a").silent = True
    under(sink, "a").record(generation())
    _layers.release()
    assert [] == ids(sink)


def test_content_that_the_layer_keeps_to_itself(sink: Generations) -> None:
    """The client does not keep it either."""
    _layers.open_slot("upper", "a").keeps_content = False
    assert (True, False) == (sink.keeps_content, under(sink, "a").keeps_content)


def test_at_the_end_nothing_is_held_any_more(sink: Generations) -> None:
    """What a finalizer brings after the last release is recorded at once."""
    promised = under(sink, "a")
    _layers.release(for_good=True)
    promised.record(generation())
    assert ["id-1"] == ids(sink)


def test_slots_are_bounded(sink: Generations, monkeypatch: pytest.MonkeyPatch) -> None:
    """The oldest call is forgotten; what was held of it is recorded."""
    monkeypatch.setattr(_slots, "MAX_SLOTS", 3)
    under(sink, "first").record(generation())
    for number in range(5):
        _layers.settle(_layers.slot_of("upper", str(number)), ok=True)
    assert (3, ["id-1"]) == (len(state.slots), ids(sink))


def test_who_forgets_leaves_what_goes_on_in_its_place(sink: Generations, monkeypatch: pytest.MonkeyPatch) -> None:
    """A word that comes meanwhile is one on this call, which would be recorded a second time otherwise."""
    monkeypatch.setattr(_slots, "MAX_SLOTS", 3)
    teller = Teller()
    slot, met = watched(sink, teller), list[bool]()
    with at_each_step(_slots._forgotten, lambda: met.append(_layers.slot_of("upper", "a") is slot)):
        for number in range(9):
            _layers.slot_of("upper", str(number))
    assert {True} == set(met)
    _layers.settle(slot, ok=True)


@pytest.mark.usefixtures("sink")
def test_calls_that_begin_while_others_are_forgotten(monkeypatch: pytest.MonkeyPatch) -> None:
    """On other threads, which need no lock for it."""
    monkeypatch.setattr(_slots, "MAX_SLOTS", 2 * _slots.MAX_PASSED_OVER)
    others = (f"upper:other {number}" for number in count())
    for number in range(_slots.MAX_SLOTS):
        _layers.slot_of("upper", str(number))
    with at_each_step(_slots._forgotten, lambda: state.slots.setdefault(next(others), _slots.NO_SLOT)):
        _layers.slot_of("upper", "one too many")
    for number in range(200):
        _layers.slot_of("upper", f"later {number}")
    assert len(state.slots) <= _slots.MAX_SLOTS


def test_what_is_held_of_a_forgotten_call_while_it_is_recorded(
    sink: Generations, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A word that takes over one record of it, from another thread, does not hide the next from us."""
    monkeypatch.setattr(_slots, "MAX_SLOTS", 1)
    promised, slot = under(sink, "a"), _layers.slot_of("upper", "a")
    record = sink.record

    def spoken_meanwhile(recorded: Recorded) -> None:
        _layers.settle(slot, ok=True)
        _layers.stop_speaking()
        record(recorded)

    monkeypatch.setattr(sink, "record", spoken_meanwhile)
    for number in (1, 2, 3):
        promised.record(generation(number))
    _layers.slot_of("upper", "b")
    assert ["id-1", "id-2", "id-3"] == ids(sink)


def test_what_comes_while_we_are_switched_off(sink: Generations, monkeypatch: pytest.MonkeyPatch) -> None:
    """After the end of the wait, of a call that has been forgotten: it is recorded in its time all the same."""
    monkeypatch.setattr(_promises, "SECONDS_FOR_SUCCESS", 0.02)
    monkeypatch.setattr(_promises, "SECONDS_BETWEEN_LOOKS", 0.02)
    promised = under(sink, "a")
    state.slots.clear()
    monkeypatch.setattr(_sdk, "finish_open_streams", lambda: promised.record(generation()))
    _sdk._disconnect()
    until = time.monotonic() + 30
    while not ids(sink) and time.monotonic() < until:
        time.sleep(0.01)
    assert ["id-1"] == ids(sink)


@pytest.mark.usefixtures("sink")
def test_a_handler_of_a_signal_that_flushes_in_the_middle_of_a_word() -> None:
    """It runs between any two steps of the main thread."""
    slot = _layers.slot_of("upper", "a")
    with at_each_step(_layers.settle, lambda: (_free_lock(), _layers.is_waiting(), _layers.release())):
        _layers.settle(slot, ok=True)
    _layers.stop_speaking()
    assert not _layers.is_waiting()


def _free_lock() -> None:
    """Fail instead of waiting for ever."""
    assert state.slots_lock.acquire(timeout=1)
    state.slots_lock.release()


def test_a_forked_child_does_not_inherit_the_lock_as_it_was_held() -> None:
    """Another thread of the parent may have been in the middle of something."""
    _layers.watch_forks()
    held, done = Event(), Event()

    def hold() -> None:
        with state.slots_lock:
            held.set()
            done.wait(30)

    other = Thread(target=hold)
    other.start()
    held.wait(30)
    child = os.fork()
    if not child:
        os._exit(0 if state.slots_lock.acquire(timeout=1) else 1)
    done.set()
    other.join()
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0


def test_a_forked_child_does_not_wait_for_calls_of_its_parent(sink: Generations) -> None:
    """Whose words come there, and nowhere else: each flush of the child would wait in vain."""
    _layers.watch_forks()
    teller = Teller()
    answered = watched(sink, teller)
    _layers.note_answer(answered, "{}")
    under(sink, "b").record(generation())
    child = os.fork()
    if not child:
        os._exit(_layers.is_waiting())
    assert 0 == os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    assert _layers.is_waiting()
    _layers.settle(answered, ok=True)


# --- calls that nobody speaks of


class Teller:
    """What speaks of a call, as long as it lives."""


def watched(sink: Generations, teller: object, key: str = "a", number: int = 1) -> _layers.Slot:
    """A call that a vigil is kept for, and that is recorded as the generation of *number* if nobody speaks."""
    slot = _layers.open_slot("upper", key)
    _layers.Vigil(slot, sink, lambda _: generation(number, failure=ABANDONED)).begin(teller)
    return slot


def test_nobody_can_speak_any_more(sink: Generations) -> None:
    """The end of who would have spoken is the end of the call; nothing is recorded before."""
    teller = Teller()
    watched(sink, teller)
    assert [] == ids(sink)
    del teller
    assert ["id-1"] == ids(sink)
    assert _layers.settle(_layers.slot_of("upper", "a"), ok=True).late


def test_the_layer_has_spoken(sink: Generations) -> None:
    """Then nobody is waited for."""
    teller = Teller()
    watched(sink, teller)
    assert not _layers.settle(_layers.slot_of("upper", "a"), ok=True).late
    del teller
    assert [] == ids(sink)
    assert {} == state.open_streams


def test_the_end_of_the_process_ends_the_wait(sink: Generations) -> None:
    """What is still going on is recorded as it is, once."""
    teller = Teller()
    watched(sink, teller)
    end_open_calls()
    del teller
    assert ["id-1"] == ids(sink)


def test_the_client_has_the_record(sink: Generations) -> None:
    """A call that the client below has taken up is recorded by the client."""
    teller = Teller()
    watched(sink, teller)
    promised = under(sink, "a")
    del teller
    promised.record(generation(7, failure=ABANDONED))
    _layers.release()
    assert ["id-7"] == ids(sink)


def test_attempts_after_a_failure(sink: Generations) -> None:
    """The layer speaks of the first failure of a call; what it repeats and says nothing of cost nothing."""
    teller = Teller()
    watched(sink, teller, number=1)
    _layers.settle(_layers.slot_of("upper", "a"), ok=False)
    watched(sink, teller, number=2)
    watched(sink, teller, number=3)
    del teller
    assert [] == ids(sink)


def test_a_stream_after_a_failure(sink: Generations) -> None:
    """A stream that has begun is no failed attempt."""
    teller = Teller()
    watched(sink, teller, number=1)
    _layers.settle(_layers.slot_of("upper", "a"), ok=False)
    _layers.note_stream(watched(sink, teller, number=2), [])
    del teller
    assert ["id-2"] == ids(sink)


def test_nobody_behind_a_stream(sink: Generations) -> None:
    """A stream that the layer makes up is no call."""
    teller = Teller()
    _layers.note_stream(watched(sink, teller), None)
    del teller
    assert [] == ids(sink)


def test_an_answer_is_waited_for(sink: Generations) -> None:
    """When the layer has an answer it is about to speak."""
    teller = Teller()
    slot = watched(sink, teller)
    assert not _layers.is_waiting()
    _layers.note_answer(slot, "{}")
    assert _layers.is_waiting()
    _layers.settle(slot, ok=True)
    _layers.stop_speaking()
    assert not _layers.is_waiting()


def test_a_record_that_is_being_made_is_waited_for(sink: Generations) -> None:
    """The layer has spoken, and nothing has been recorded yet."""
    teller = Teller()
    slot = watched(sink, teller)
    _layers.note_answer(slot, "{}")
    _layers.settle(slot, ok=True)
    assert _layers.is_waiting()
    _layers.stop_speaking()
    assert not _layers.is_waiting()


def test_only_calls_that_something_is_waited_for_are_looked_at(sink: Generations) -> None:
    """Not the thousands that are over, which are remembered: who flushes would wait for that."""
    tellers = [Teller(), Teller()]  # not by names of their own, which `under` looks at, and keeps
    first = watched(sink, tellers[0])
    under(sink, "b").record(generation())
    assert [first, _layers.slot_of("upper", "b")] == list(state.watched)
    for key in "ab":
        _layers.settle(_layers.slot_of("upper", key), ok=True)
    assert [] == list(state.watched)
    watched(sink, tellers[1])
    under(sink, "c").record(generation(2, failure=Failure(type="APIError"), tokens=None))
    _layers.release()
    assert [first] == list(state.watched)
    tellers.clear()
    assert (2, []) == (len(ids(sink)), list(state.watched))


def test_an_id_that_is_used_again(sink: Generations) -> None:
    """Ids are the application's to give: a second call under one is a call."""
    first, second = Teller(), Teller()
    watched(sink, first)
    del first
    watched(sink, second)
    assert not _layers.settle(_layers.slot_of("upper", "a"), ok=True).late
    assert ["id-1"] == ids(sink)


def test_calls_that_go_on_are_not_forgotten(sink: Generations, monkeypatch: pytest.MonkeyPatch) -> None:
    """However many others come and go."""
    monkeypatch.setattr(_slots, "MAX_SLOTS", 3)
    teller = Teller()
    watched(sink, teller)
    for number in range(9):
        _layers.settle(_layers.slot_of("upper", str(number)), ok=True)
    assert 3 == len(state.slots)
    _layers.settle(_layers.slot_of("upper", "a"), ok=True)
    del teller
    assert [] == ids(sink)


def test_what_a_forked_child_has_copies_of(sink: Generations) -> None:
    """A call that was going on is its parent's to record."""
    teller = Teller()
    watched(sink, teller)
    child = os.fork()
    if not child:
        del teller
        os._exit(len(sink))
    assert 0 == os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    _layers.settle(_layers.slot_of("upper", "a"), ok=True)


# --- what is held is written down


class Disk(Generations):
    """A sink that notes what it is given to hold."""

    def __init__(self) -> None:
        super().__init__()
        self.written: list[str] = []
        self.meanwhile = lambda: None

    def hold(self, recorded: Recorded) -> Hold:
        self.written.append(whole(recorded).id)
        self.meanwhile()
        return super().hold(recorded)


@pytest.mark.usefixtures("sink")
def test_what_may_have_been_paid_is_written_down() -> None:
    """At once, and a failure that cost nothing is not."""
    disk = Disk()
    promised = under(disk, "a")
    promised.record(generation(1, failure=OUTAGE, tokens=None))
    promised.record(generation(2, failure=ABANDONED))
    promised.record(generation(3))
    assert ["id-2", "id-3"] == disk.written
    _layers.release()
    assert ["id-1", "id-2", "id-3"] == ids(disk)


@pytest.mark.usefixtures("sink")
def test_spoken_while_it_is_written_down() -> None:
    """What the layer says in this moment is recorded in its place."""
    disk = Disk()

    def speak() -> None:
        promise = _layers.settle(_layers.slot_of("upper", "a"), ok=True).promise
        assert promise is not None
        promise.end(generation(1, tokens=4))

    disk.meanwhile = speak
    under(disk, "a").record(generation(1))
    _layers.release()
    assert [generation(1, tokens=4)] == list(disk)
