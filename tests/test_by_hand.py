"""`ramp_tracing.record_generation`."""

import gc
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest

import ramp_tracing
from ramp_tracing._captured import capture_generations
from ramp_tracing._guard import log
from ramp_tracing._record import Attribution, Cost, Failure, Timing, UnixNanos, Usage


def test_a_statement_records_at_once() -> None:
    """Everything that is said arrives, under its own name."""
    started = datetime(2026, 1, 1, tzinfo=UTC)
    with capture_generations() as generations:
        ramp_tracing.record_generation(
            provider="acme", model="acme-1", response_model="acme-1-0101", input_tokens=42, output_tokens=7,
            cache_read_tokens=2, input_messages=[{"role": "user", "content": "hi"}], output_messages="hello",
            cost="0.00123", started=started, ended=1_767_225_601_000_000_000, response_id="acme-4f1c09b27e",
            generation_name="Greeting", user="ada", session_id="s", metadata={"cost_center": "CC-1"},
        )  # fmt: skip
        [generation] = generations
    assert generation.id == "acme-4f1c09b27e"
    assert (generation.operation, generation.library, generation.provider) == ("chat", "manual", "acme")
    assert (generation.request_model, generation.response_model) == ("acme-1", "acme-1-0101")
    assert generation.usage == Usage(input_tokens=42, output_tokens=7, cache_read_tokens=2)
    assert generation.cost == Cost(total=Decimal("0.00123"), source="provider")
    assert generation.timing == Timing(
        started=UnixNanos(1_767_225_600_000_000_000), ended=UnixNanos(1_767_225_601_000_000_000)
    )
    assert generation.attribution == Attribution(
        user="ada", session_id="s", generation_name="Greeting", metadata={"cost_center": "CC-1"}
    )
    assert generation.content is not None
    assert generation.content.input == {"messages": [{"role": "user", "content": "hi"}]}
    assert generation.content.output == {"completion": "hello"}


MESSAGE = {"role": "assistant", "content": "hello"}
CALL = {"id": "c", "type": "function", "function": {"name": "weather", "arguments": "{}"}}


@pytest.mark.parametrize(
    ("given", "reported"),
    [
        ("hello", {"completion": "hello"}),
        ([MESSAGE], {"completion": "hello", "reasoning": None}),
        (
            [{"role": "assistant", "content": None, "tool_calls": [CALL]}],
            {"completion": None, "reasoning": None, "toolCalls": [CALL]},
        ),
        ([MESSAGE, MESSAGE], {"completion": [MESSAGE, MESSAGE]}),
        ([], {"completion": []}),
        (["hello"], {"completion": ["hello"]}),
    ],
    ids=["text", "message", "tool call", "messages", "none", "list of a text"],
)
def test_an_answer_is_a_text_or_messages(given: object, reported: object) -> None:
    """A message is reported as that of a chat completion is: receivers read the text of it."""
    with capture_generations() as generations:
        ramp_tracing.record_generation(provider="acme", model="acme-1", output_messages=given)
        [generation] = generations
    assert generation.content is not None
    assert reported == generation.content.output


def test_what_is_not_said_is_unknown() -> None:
    """No count, no cost and no id is invented; None counts as not said."""
    with capture_generations() as generations:
        ramp_tracing.record_generation(provider="acme", model="acme-1", input_tokens=None, cost=None)  # type: ignore[arg-type]
        [generation] = generations
    assert generation.usage == Usage()
    assert generation.cost is None
    assert generation.id.startswith("ramp-")


def test_a_block_is_timed_and_takes_what_becomes_known() -> None:
    """The context manager records when the block ends, once."""
    with capture_generations() as generations:
        with ramp_tracing.record_generation(provider="acme", model="acme-1") as call:
            assert len(generations) == 0
            call.update(input_tokens=3, output_tokens=0)
        [generation] = generations
        del call
        gc.collect()
        assert len(generations) == 1
    assert generation.usage == Usage(input_tokens=3, output_tokens=0)
    assert generation.timing.ended > generation.timing.started


def fail_inside() -> None:
    with ramp_tracing.record_generation(provider="acme", model="a") as call:
        call.update(input_tokens=3)
        raise ValueError("no")


def test_a_block_that_fails_is_recorded_as_failed_and_raises_on() -> None:
    """The exception is the application's; what was known is kept."""
    with capture_generations() as generations:
        with pytest.raises(ValueError, match="no"):
            fail_inside()
        [generation] = generations
    assert generation.failure == Failure(type="ValueError", message="no")
    assert generation.usage.input_tokens == 3


async def test_an_async_block() -> None:
    """`async with` is the same."""
    with capture_generations() as generations:
        async with ramp_tracing.record_generation(provider="acme", model="acme-1", input_tokens=1):
            pass
        assert len(generations) == 1


def test_the_attribution_of_the_enclosing_block_counts() -> None:
    """By hand or not, a call belongs to the block it is made in; its own words go first."""
    with capture_generations() as generations, ramp_tracing.trace(user="ada", team="x"):
        ramp_tracing.record_generation(provider="acme", model="a", metadata={"team": "y"})
        [generation] = generations
    assert generation.attribution == Attribution(user="ada", metadata={"team": "y"})


def test_nothing_happens_where_nothing_is_instrumented() -> None:
    """The line may stay in a program that is not instrumented."""
    ramp_tracing.record_generation(provider="acme", model="a")
    with ramp_tracing.record_generation(provider="acme", model="a") as call:
        call.update(input_tokens=1)


def test_an_unknown_fact_is_left_out_with_a_warning(caplog: pytest.LogCaptureFixture) -> None:
    """A typo is worth a log line, not an exception in production."""
    with capture_generations() as generations:
        ramp_tracing.record_generation(provider="acme", model="a", inputtokens=3)  # type: ignore[call-arg]
        assert len(generations) == 1
    assert "inputtokens" in caplog.text


class NumPyInteger:
    """Counts as NumPy's and PyTorch's integers do: no `int`, but one can be made of it."""

    def __index__(self) -> int:
        return 42


class NumPyFloat(float):
    """A float that names its type, as NumPy's do from version 2 on."""

    def __repr__(self) -> str:
        return f"np.float64({float(self)})"


class Several:
    """An array: it has an index only if there is one number in it."""

    def __index__(self) -> int:
        raise TypeError("only one")


def test_numbers_of_other_libraries_are_numbers() -> None:
    """Local models count with NumPy and PyTorch."""
    with capture_generations() as generations:
        ramp_tracing.record_generation(
            provider="acme",
            model="a",
            input_tokens=NumPyInteger(),
            cost=NumPyFloat(0.12),  # type: ignore[arg-type]
        )
        [generation] = generations
    assert generation.usage.input_tokens == 42
    assert generation.cost == Cost(total=Decimal("0.12"), source="provider")


SECONDS = 1_767_225_600


@pytest.mark.parametrize(
    ("name", "given"),
    [
        ("started", datetime.min), ("started", datetime.max), ("started", SECONDS), ("ended", SECONDS * 1000),
        ("started", float(SECONDS)), ("cost", "0.1 USD"), ("cost", -1), ("input_tokens", "many"),
        ("output_tokens", Several()),
    ],
)  # fmt: skip
def test_what_is_unusable_is_left_out_with_a_warning(
    name: str, given: object, caplog: pytest.LogCaptureFixture
) -> None:
    """And the record is made: no call is lost, and none is in 1970."""
    log._next.clear()
    facts: Any = {name: given}
    with capture_generations() as generations:
        ramp_tracing.record_generation(provider="acme", model="a", cache_read_tokens=3, **facts)
        [generation] = generations
    assert name in caplog.text
    assert generation.usage == Usage(cache_read_tokens=3)
    assert generation.cost is None
    assert generation.timing.started > SECONDS * 10**9
    assert generation.timing.ended >= generation.timing.started


def test_no_call_ends_before_it_began() -> None:
    """Clocks of two machines differ."""
    with capture_generations() as generations:
        ramp_tracing.record_generation(provider="acme", model="a", started=SECONDS * 10**9 + 5, ended=SECONDS * 10**9)
        [generation] = generations
    assert generation.timing.ended == generation.timing.started


def test_a_call_of_which_the_end_alone_is_said_was_then() -> None:
    """One that is imported from last year's log belongs to last year, and has its prices."""
    with capture_generations() as generations:
        ramp_tracing.record_generation(provider="acme", model="a", ended=SECONDS * 10**9)
        [generation] = generations
    assert generation.timing.started == generation.timing.ended == SECONDS * 10**9


def test_cache_writes_of_every_length() -> None:
    """All that an own price may be for."""
    with capture_generations() as generations:
        ramp_tracing.record_generation(provider="acme", model="a", cache_write_tokens=5, cache_write_12h_tokens=5)
        [generation] = generations
    assert generation.usage.cache_write_12h_tokens == 5


@pytest.mark.parametrize(
    ("error", "failure"),
    [
        ("", None), (False, None), (0, None), ({}, None), ([], None), ("boom", Failure(type="error", message="boom")),
        (404, Failure(type="error", status_code=404)), (True, Failure(type="error")),
        ({"code": 1}, Failure(type="error")),
    ],
)  # fmt: skip
def test_an_error_is_whatever_says_that_there_was_one(error: object, failure: Failure | None) -> None:
    """An empty text is what most libraries have where nothing went wrong."""
    with capture_generations() as generations:
        ramp_tracing.record_generation(provider="acme", model="a", error=error)  # type: ignore[arg-type]
        [generation] = generations
    assert generation.failure == failure


def test_one_that_is_kept_is_recorded_when_the_capture_ends() -> None:
    """Whoever keeps the object by mistake loses no record."""
    with capture_generations() as generations:
        kept = ramp_tracing.record_generation(provider="acme", model="a")
    assert len(generations) == 1
    del kept


def test_metadata_that_misbehaves_is_read_all_the_same() -> None:
    """Of a subclass of dict no method is called."""

    class Hostile(dict[str, object]):
        def items(self) -> object:  # type: ignore[override]
            raise RuntimeError

        __iter__ = keys = __getitem__ = get = items  # type: ignore[assignment]

    with capture_generations() as generations:
        ramp_tracing.record_generation(provider="acme", model="a", input_tokens=1, metadata=Hostile(team="x"))
        [generation] = generations
    assert generation.attribution.metadata == {"team": "x"}
