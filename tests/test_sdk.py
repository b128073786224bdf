"""Switching on and off."""

import asyncio
import gc
import logging
import math
import os
import threading
import time
from typing import Any
from weakref import WeakSet

import openai
import pytest

import ramp_tracing
from ramp_tracing._guard import log
from ramp_tracing._state import state
from ramp_tracing.exceptions import ConfigurationError
from ramp_tracing.testing import FakeRamp, capture_generations
from tests.integrations.provider import Provider
from tests.stepping import at_each_step

MESSAGES: Any = [{"role": "user", "content": "q"}]


def ours() -> list[str]:
    """Our threads."""
    return [thread.name for thread in threading.enumerate() if "ramp" in thread.name]


def ask(provider: Provider, **arguments: Any) -> Any:
    """One call."""
    client = openai.OpenAI(base_url=provider.base_url, api_key="x", max_retries=0)
    answer = client.chat.completions.create(model="gpt-4o", messages=MESSAGES, **arguments)
    if "stream" not in arguments:
        client.close()
    return answer


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({}, "RAMP_API_KEY"),
        ({"api_key": ""}, "api_key"),
        ({"api_key": "k\r\nX: y"}, "api_key"),
        ({"api_key": "k", "base_url": "http://ramp.example/x"}, "https"),
        ({"api_key": "k", "base_url": "ftp://ramp.example/x"}, "base_url"),
        ({"api_key": "k", "headers": {"X-A": "a\nb"}}, "headers"),
        ({"api_key": "k", "basurl": "https://x"}, "base_url"),
    ],
)
def test_what_cannot_work_raises_at_once(options: dict[str, Any], says: str) -> None:
    """A wrong option raises when it is given, says what to change, and switches nothing on."""
    with pytest.raises(ConfigurationError, match=says):
        ramp_tracing.instrument(**options)
    assert state.sink is None
    assert not state.enabled


def test_headers_in_the_environment_are_a_json_object(monkeypatch: pytest.MonkeyPatch) -> None:
    """Anything else is named by the variable that it stands in."""
    monkeypatch.setenv("RAMP_HEADERS", "x-a=b")
    with pytest.raises(ConfigurationError, match="RAMP_HEADERS"):
        ramp_tracing.instrument(api_key="k")


def test_an_unknown_library_is_named() -> None:
    """A library without an integration is an error that lists those that have one."""
    with pytest.raises(ConfigurationError, match="openai"):
        ramp_tracing.instrument("opanai", api_key="k")  # type: ignore[arg-type]


def test_disabled_by_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """One variable switches it off for a machine, and then not even a key is needed."""
    monkeypatch.setenv("RAMP_TRACING_DISABLED", "1")
    ramp_tracing.instrument()
    assert state.sink is None
    assert not state.enabled


def test_without_instrument_everything_answers() -> None:
    """The other functions may be called at any time."""
    assert ramp_tracing.flush(0.1)
    assert ramp_tracing.shutdown(0.1)
    assert ramp_tracing.stats().recorded == 0
    ramp_tracing.uninstrument()


def test_instrument_twice_records_once() -> None:
    """A second call, from a library that wants to be sure, changes nothing."""
    with Provider() as provider, FakeRamp() as ramp:
        for _ in range(3):
            ramp_tracing.instrument(api_key="k", base_url=ramp.url)
        ask(provider)
        assert ramp_tracing.flush(30)
        assert ramp_tracing.stats().recorded == len(ramp.generations) == 1
        ramp_tracing.uninstrument()


def test_other_options_take_over_and_lose_nothing() -> None:
    """What was recorded before goes where it should have gone."""
    with Provider() as provider, FakeRamp() as first, FakeRamp() as second:
        ramp_tracing.instrument(api_key="k", base_url=first.url, trace={"user": "ada"})
        ask(provider)
        ramp_tracing.instrument(api_key="k", base_url=second.url, trace={"user": "grace", "team": "x"})
        ask(provider)
        assert ramp_tracing.flush(30)
        ramp_tracing.uninstrument()
        [before], [after] = first.generations, second.generations
    assert before.attributes["user.id"] == "ada"
    assert after.attributes["user.id"] == "grace"
    assert after.attributes["trace.metadata.team"] == "x"


def stream_begun_long_ago(ramp: FakeRamp, provider: Provider, **options: Any) -> Any:
    """A stream that outlives two changes of the options; the receiver takes nothing any more."""
    ramp_tracing.instrument(api_key="first", base_url=ramp.url, **options)
    reading = ask(provider, stream=True)
    next(reading)
    for name in ("second", "third"):
        ramp_tracing.instrument(api_key=name, base_url=ramp.url)
    ramp.answer_with(503)
    return reading


def test_flush_knows_of_a_call_that_began_under_options_long_gone() -> None:
    """Its record goes where it began, and is waited for."""
    with FakeRamp() as ramp, Provider() as provider:
        reading = stream_begun_long_ago(ramp, provider)
        assert list(reading)
        assert ramp_tracing.stats().waiting == 1
        assert not ramp_tracing.flush(1.0)
        ramp.answer_normally()
        assert ramp_tracing.flush(30.0)
        assert len(ramp.generations) == 1
        ramp_tracing.uninstrument()
        assert ramp_tracing.stats().recorded == 0


def test_what_a_call_under_options_long_gone_leaves_is_waited_for() -> None:
    """Also where nothing but the thread that sends knows of them any more."""
    with FakeRamp() as ramp, Provider() as provider:
        reading = stream_begun_long_ago(ramp, provider, exit_timeout_seconds=60.0)
        assert list(reading)
        del reading
        gc.collect()
        assert (ramp_tracing.stats().waiting, ramp_tracing.flush(1.0)) == (1, False)
        ramp.answer_normally()
        ramp_tracing.uninstrument()
        assert len(ramp.generations) == 1


def test_options_that_change_while_another_thread_counts() -> None:
    """Whoever asks for counts, or flushes, at that moment gets an answer."""
    with FakeRamp() as ramp:
        for name in ("first", "second"):
            ramp_tracing.instrument(api_key=name, base_url=ramp.url)
        held: list[object] = []

        def change() -> None:
            held.append(state.sink)  # as a stream does that was begun under these options
            ramp_tracing.instrument(api_key=f"other-{len(held)}", base_url=ramp.url)

        with at_each_step(WeakSet.__iter__, change):
            assert ramp_tracing.stats().recorded == 0
        assert len(held) > 2
        ramp_tracing.uninstrument()


def test_uninstrument_leaves_nothing_behind() -> None:
    """Classes, threads and state are as before, and calls are no longer recorded."""
    from openai._base_client import AsyncAPIClient, SyncAPIClient

    def members() -> list[int]:
        # A wrapper says that it equals what it wraps, so identity is asked for.
        return [id(member) for owner in (SyncAPIClient, AsyncAPIClient) for member in vars(owner).values()]

    before = members()
    with Provider() as provider, FakeRamp() as ramp:
        ramp_tracing.instrument(api_key="k", base_url=ramp.url)
        assert members() != before
        ask(provider)
        ramp_tracing.uninstrument()
        ask(provider)
        assert len(ramp.generations) == 1
    gc.collect()
    assert members() == before
    assert ours() == []
    assert state.sink is None


def test_a_stream_that_is_open_is_recorded_by_uninstrument_and_can_be_read_on() -> None:
    """The application keeps its stream; its record says how far it had come."""
    with Provider() as provider, FakeRamp() as ramp:
        ramp_tracing.instrument(api_key="k", base_url=ramp.url)
        stream = ask(provider, stream=True)
        next(stream), next(stream)
        ramp_tracing.uninstrument()
        [generation] = ramp.generations
        assert len(list(stream)) == 3
        assert len(ramp.generations) == 1
    assert generation.attributes["error.type"] == "abandoned"


# openai 1 leaves the connection of a dropped stream to the collector, with or without us.
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_streams_that_are_dropped_are_recorded_without_a_thread_of_the_application() -> None:
    """The collector only leaves a note; whoever asks for counts, or our thread, ends the record."""
    with Provider() as provider, FakeRamp() as ramp:
        ramp_tracing.instrument(api_key="k", base_url=ramp.url)
        for _ in range(5):
            next(ask(provider, stream=True))
        deadline = time.monotonic() + 60
        # `collect` returns at once where another thread is collecting, which then has finalizers still to call.
        while ramp_tracing.stats().recorded < 5 and time.monotonic() < deadline:
            gc.collect()
        assert ramp_tracing.stats().recorded == 5
        assert ramp_tracing.flush(30)
        assert len(ramp.generations) == 5
        ramp_tracing.uninstrument()
    gc.collect()  # what the notes have held until now: else its warnings meet another test, which does not ignore them


def test_stats_tell_where_every_record_is() -> None:
    """While the receiver is away records wait; when it is back they are acknowledged."""
    with Provider() as provider, FakeRamp() as ramp:
        ramp.answer_with(503, headers={"Retry-After": "1"})
        ramp_tracing.instrument(api_key="k", base_url=ramp.url)
        ask(provider)
        assert not ramp_tracing.flush(0.3)
        waiting = ramp_tracing.stats()
        assert (waiting.recorded, waiting.waiting, waiting.acknowledged) == (1, 1, 0)
        ramp.answer_normally()
        assert ramp_tracing.flush(30)
        done = ramp_tracing.stats()
        assert (done.recorded, done.waiting, done.acknowledged, done.dead, done.lost) == (1, 0, 1, 0, 0)
        ramp_tracing.uninstrument()


FOR_EVER = [math.inf, 1e300, 10**400]


@pytest.mark.parametrize("timeout", FOR_EVER, ids=["inf", "float", "int"])
def test_for_ever_is_a_time_to_wait(timeout: float) -> None:
    """More than the system can wait for is not nothing: `flush`, `aflush` and `shutdown` send what is there."""
    with FakeRamp() as ramp:
        ramp_tracing.instrument(api_key="k", base_url=ramp.url)
        ramp_tracing.record_generation(provider="acme", model="acme-1", input_tokens=1)
        assert ramp_tracing.flush(timeout)
        ramp_tracing.record_generation(provider="acme", model="acme-1", input_tokens=2)
        assert asyncio.run(ramp_tracing.aflush(timeout))
        ramp_tracing.record_generation(provider="acme", model="acme-1", input_tokens=3)
        assert ramp_tracing.shutdown(timeout)
        assert len(ramp.generations) == 3
        ramp_tracing.uninstrument()


@pytest.mark.parametrize("timeout", [0, -1, -math.inf, math.nan])
def test_no_time_to_wait_is_not_waited(timeout: float) -> None:
    """The answer is what is so: something is left."""
    with FakeRamp() as ramp:
        ramp.answer_with(503)
        ramp_tracing.instrument(api_key="k", base_url=ramp.url, exit_timeout_seconds=0)
        ramp_tracing.record_generation(provider="acme", model="acme-1", input_tokens=1)
        assert not ramp_tracing.flush(timeout)
        assert not asyncio.run(ramp_tracing.aflush(timeout))
        assert not ramp_tracing.shutdown(timeout)
        ramp_tracing.uninstrument()


def test_the_connection_test_tells_what_is_wrong() -> None:
    """It passes on 2xx, names the scope on 401, and sends nothing that counts as usage."""
    with FakeRamp() as ramp:
        good = ramp_tracing.test_connection(api_key="k", base_url=ramp.url)
        ramp.answer_with(401)
        bad = ramp_tracing.test_connection(api_key="k", base_url=ramp.url)
        assert ramp.generations == []
    assert good.ok
    assert not bad.ok
    assert "ai_usage:write" in bad.message


def test_the_connection_test_asks_whom_the_records_go_to() -> None:
    """Without options it is the receiver, and the key, that `instrument()` was given."""
    with FakeRamp(api_key="k") as ramp:
        ramp_tracing.instrument(api_key="k", base_url=ramp.url)
        assert ramp_tracing.test_connection().ok
        assert not ramp_tracing.test_connection(api_key="another", base_url=ramp.url).ok
        ramp_tracing.uninstrument()
        with pytest.raises(ConfigurationError, match="there is no API key"):
            ramp_tracing.test_connection()
        assert 1 == len(ramp.connection_tests)


def test_a_program_that_only_drops_streams_has_them_recorded_all_the_same() -> None:
    """A finalizer can start no thread, so ours runs from the first stream on."""
    with Provider() as provider, FakeRamp() as ramp:
        ramp_tracing.instrument(api_key="k", base_url=ramp.url)
        stream = ask(provider, stream=True)
        assert ours() == ["ramp-tracing"]
        stream.close()
        assert len(ramp.wait_for(1, timeout_seconds=60)) == 1
        ramp_tracing.uninstrument()


def test_a_record_that_waits_is_sent_under_the_options_it_was_made_with() -> None:
    """Also if its receiver is away when other options are given, and comes back later."""
    with Provider() as provider, FakeRamp() as first, FakeRamp() as second:
        first.answer_with(503, headers={"Retry-After": "1"})
        ramp_tracing.instrument(api_key="k", base_url=first.url)
        ask(provider)
        assert not ramp_tracing.flush(0.3)
        ramp_tracing.instrument(api_key="k", base_url=second.url)
        assert ramp_tracing.stats().waiting == 1
        first.answer_normally()
        assert ramp_tracing.flush(30)
        ramp_tracing.uninstrument()
        assert (len(first.generations), len(second.generations)) == (1, 0)


def test_instrument_inside_a_capture_sends_nothing() -> None:
    """A test may run code that instruments by itself."""
    with Provider() as provider, FakeRamp() as ramp:
        with capture_generations() as generations:
            ramp_tracing.instrument(api_key="k", base_url=ramp.url, trace={"user": "ada"})
            ask(provider)
            assert [each.attribution.user for each in generations] == ["ada"]
        assert ramp.requests == []


def test_a_capture_outlives_what_it_tests() -> None:
    """An application that switches reporting off when it ends may be begun again in the same test: nothing is sent."""
    with Provider() as provider, FakeRamp() as ramp:
        with capture_generations() as generations:
            for _ in range(2):
                ramp_tracing.instrument(api_key="k", base_url=ramp.url)
                ask(provider)
                ramp_tracing.uninstrument()
                ask(provider)
            with capture_generations() as inner:
                ramp_tracing.uninstrument()
                ramp_tracing.instrument(api_key="k", base_url=ramp.url)
                ask(provider)
            ask(provider)
        assert (2, 1) == (len(generations), len(inner))
        assert ramp.requests == []
    assert state.captured is None


def test_a_capture_prices_as_the_options_say() -> None:
    """With the user's own prices: those in force before it, or those of an `instrument()` within."""

    def instrument(dollars: str, ramp: FakeRamp) -> None:
        prices = {"prices": [{"model": "gpt-4o*", "input": dollars, "output": dollars}]}
        ramp_tracing.instrument(api_key="k", base_url=ramp.url, prices=prices)

    with Provider() as provider, FakeRamp() as ramp:
        instrument("500000", ramp)
        with capture_generations() as generations:
            ask(provider)
            instrument("1000000", ramp)
            ask(provider)
        ramp_tracing.uninstrument()
        assert ramp.requests == []
    used = [each.usage for each in generations]
    tokens = [sum((each.input_tokens or 0, each.output_tokens or 0)) for each in used if each is not None]
    assert [tokens[0] / 2, tokens[1]] == [each.cost and each.cost.total for each in generations]


def test_a_forked_child_ends_nothing_that_its_parent_is_in_the_middle_of() -> None:
    """The stream and the block are the parent's; a second record would replace or double the first."""
    with Provider() as provider, FakeRamp() as ramp:
        ramp_tracing.instrument(api_key="k", base_url=ramp.url)
        stream = ask(provider, stream=True)
        next(stream)
        with ramp_tracing.record_generation(provider="acme", model="a"):
            child = os.fork()
            if not child:
                ramp_tracing.shutdown(1)
                os._exit(0)
            os.waitpid(child, 0)
        list(stream)
        assert ramp_tracing.flush(30)
        ramp_tracing.uninstrument()
        assert len(ramp.generations) == 2
        assert all("error.type" not in each.attributes for each in ramp.generations)


def test_a_log_that_cannot_be_written_reaches_nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    """A handler of the application's that raises is not our callers' business."""

    class Broken(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            raise ValueError

    handler = Broken()
    logging.getLogger("ramp_tracing").addHandler(handler)
    try:
        monkeypatch.setattr(log, "_next", {})
        with ramp_tracing.trace(user=object()):  # type: ignore[arg-type]
            pass
    finally:
        logging.getLogger("ramp_tracing").removeHandler(handler)


def test_the_switch_wins_over_whatever_else_is_wrong(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever switches it off in an emergency is not stopped by another variable."""
    monkeypatch.setenv("RAMP_TRACING_DISABLED", "1")
    monkeypatch.setenv("RAMP_HEADERS", "{bad")
    ramp_tracing.instrument()
    assert state.sink is None


def test_a_call_inside_a_call_is_a_call_of_its_own() -> None:
    """A client that asks a guard model first makes two calls, to the same address."""

    class Guarding(openai.OpenAI):
        asked = False

        def request(self, *args: Any, **kwargs: Any) -> Any:
            if not self.asked:
                self.asked = True
                self.chat.completions.create(model="guard", messages=MESSAGES)
            return super().request(*args, **kwargs)

    with Provider() as provider, FakeRamp() as ramp:
        ramp_tracing.instrument(api_key="k", base_url=ramp.url)
        with Guarding(base_url=provider.base_url, api_key="x") as client:
            client.chat.completions.create(model="gpt-4o", messages=MESSAGES)
        assert ramp_tracing.flush(30)
        ramp_tracing.uninstrument()
        models = [each.attributes["gen_ai.request.model"] for each in ramp.generations]
    assert sorted(str(each) for each in models) == ["gpt-4o", "guard"]
