"""A call in flight ends once."""

import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import fields, replace

import pytest

from ramp_tracing._captured import Generations
from ramp_tracing._record import Failure, Generation, Outcome, Recorded, Usage
from ramp_tracing._recorder import ABANDONED, ANSWERED, Recording, Request, answered_first

REQUEST = Request(operation="chat", library="openai", request_model="gpt-4o")
ANSWER = Outcome(response_id="chatcmpl-B1xYq0sW7gkT2", finish_reasons=("stop",), usage=Usage(input_tokens=1))


def recorded(sink: Generations) -> Generation:
    [generation] = sink
    return generation


def test_the_first_ending_counts() -> None:
    """Whatever happens after an ending adds nothing."""
    sink = Generations()
    recording = Recording(sink, REQUEST)
    recording.succeed(ANSWER)
    recording.fail(Failure(type="TimeoutError"))
    recording.abandon(Outcome())
    assert recorded(sink).failure is None
    assert recording.finished


def test_racing_endings_make_one_record() -> None:
    """A stream may be closed by one thread while another reads its last chunk."""
    sink = Generations()
    recording = Recording(sink, REQUEST)
    start = threading.Barrier(8)

    def end(_: int) -> None:
        start.wait()
        recording.succeed(ANSWER)

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(end, range(8)))
    assert len(sink) == 1


def test_an_ending_is_never_before_the_start() -> None:
    """Times come from one monotonic clock."""
    sink = Generations()
    recording = Recording(sink, REQUEST)
    recording.first_chunk()
    recording.first_chunk()
    recording.succeed(ANSWER)
    timing = recorded(sink).timing
    assert timing.first_chunk is not None
    assert timing.started <= timing.first_chunk <= timing.ended


@pytest.mark.parametrize(
    ("outcome", "failure"),
    [
        (Outcome(complete=False), ABANDONED),
        (Outcome(finish_reasons=("stop",)), ABANDONED),
        (ANSWER, None),
        (Outcome(failure=Failure(type="error")), Failure(type="error")),
    ],
)
def test_a_stream_that_is_dropped_is_a_failure_unless_nothing_is_missing(
    outcome: Outcome, failure: Failure | None
) -> None:
    """A loop that stops at the finish reason has everything once the usage is known."""
    sink = Generations()
    Recording(sink, REQUEST).abandon(outcome)
    assert recorded(sink).failure == failure


def test_privacy_mode_keeps_no_content_and_no_error_text() -> None:
    """A provider's message can quote the prompt; type, status and code cannot."""
    sink = Generations(privacy_mode=True)
    request = Request(operation="chat", library="openai", content={"messages": "secret"})
    failure = Failure(type="BadRequestError", message="secret", status_code=400, code="content_filter")
    Recording(sink, request).fail(failure, Outcome(output="secret"))
    generation = recorded(sink)
    assert generation.content is None
    assert generation.failure == Failure(type="BadRequestError", status_code=400, code="content_filter")
    assert "secret" not in repr(generation)


def test_content_is_not_in_the_repr() -> None:
    """A generation may end up in a log line of the application."""
    sink = Generations()
    Recording(sink, Request(operation="chat", library="openai", content="secret", content_bytes=6)).succeed(ANSWER)
    assert "secret" not in repr(recorded(sink))
    assert recorded(sink).content is not None


def test_a_call_that_is_billable_only_when_used() -> None:
    """An endpoint that nobody knows is recorded if its answer reports usage."""
    sink = Generations()
    request = Request(operation="decisions", library="openai", only_if_used=True)
    Recording(sink, request).succeed(Outcome())
    Recording(sink, request).fail(Failure(type="NotFoundError"))
    Recording(sink, request).succeed(ANSWER)
    assert [each.usage.input_tokens for each in sink] == [1]


def test_a_sink_that_fails_does_not_reach_the_application(monkeypatch: pytest.MonkeyPatch) -> None:
    """Outside our own tests a fault of ours is a log line."""
    from ramp_tracing._state import state

    class Broken(Generations):
        def record(self, recorded: Recorded) -> None:
            raise OSError("disk")

    monkeypatch.setattr(state, "strict", False)
    Recording(Broken(), REQUEST).succeed(ANSWER)


def test_what_an_answer_says_is_all_in_its_record() -> None:
    """A field that outcomes and generations share is copied as it is, or decided on by name."""
    shared = {each.name for each in fields(Outcome)} & {each.name for each in fields(Generation)}
    assert shared == {*ANSWERED, "usage", "cost", "pending", "job", "failure"}
    said = replace(ANSWER, **{name: ("stop",) if name == "finish_reasons" else name for name in ANSWERED})
    sink = Generations()
    Recording(sink, REQUEST).succeed(said)
    assert {name: getattr(said, name) for name in ANSWERED} == {
        name: getattr(recorded(sink), name) for name in ANSWERED
    }
    assert answered_first(recorded(sink), Outcome(response_model="another")) == recorded(sink)
    assert answered_first(replace(recorded(sink), response_model=None), said) == recorded(sink)
