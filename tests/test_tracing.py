"""`ramp_tracing.trace`: attribution by blocks, decorators, tasks and threads."""

import asyncio
import contextvars
import gc
import threading
import types
from collections.abc import AsyncGenerator, AsyncIterator, Generator, Iterator
from typing import Any
from uuid import UUID

import pytest

import ramp_tracing
from ramp_tracing._context import in_force
from ramp_tracing._record import NOBODY, Attribution


def now() -> Attribution:
    """What a call made here would be attributed to."""
    return in_force(NOBODY, NOBODY).attribution


def user() -> str | None:
    return now().user


def test_a_block_names_everything() -> None:
    """The seven names are fields, every other keyword is metadata."""
    with ramp_tracing.trace(
        trace_id="t", trace_name="root", span_name="step", generation_name="call", parent_span_id="ab" * 8,
        user="ada", session_id="s", department="finance", cost_center="CC-1234",
    ):  # fmt: skip
        inside = now()
    assert inside == Attribution(
        trace_id="t",
        trace_name="root",
        span_name="step",
        generation_name="call",
        parent_span_id="ab" * 8,
        user="ada",
        session_id="s",
        metadata={"department": "finance", "cost_center": "CC-1234"},
    )
    assert now() is NOBODY


def test_nested_blocks_merge() -> None:
    """The inner block goes first, the outer fills in, and metadata is merged key by key."""
    with ramp_tracing.trace(user="outer", session_id="s", team="a", tier="x"):
        with ramp_tracing.trace(user="inner", team="b"):
            inside = now()
        assert user() == "outer"
    assert inside == Attribution(user="inner", session_id="s", metadata={"team": "b", "tier": "x"})


def test_the_request_goes_before_blocks_and_defaults_come_last() -> None:
    """Request > innermost block > outer block > what was given to instrument()."""
    metadata = {"a": 0, "b": 0, "c": 0}
    defaults = Attribution(user="default", session_id="default", trace_name="default", metadata=metadata)
    with ramp_tracing.trace(user="block", session_id="block", a=1, b=1):
        attribution = in_force(Attribution(user="request", metadata={"a": 2}), defaults).attribution
    assert attribution == Attribution(
        user="request", session_id="block", trace_name="default", metadata={"a": 2, "b": 1, "c": 0}
    )


def test_calls_of_a_block_that_names_a_trace_share_one() -> None:
    """Two calls under one trace name belong together; another run of the block is another trace."""
    block = ramp_tracing.trace(trace_name="nightly")
    with block:
        first, second = now().trace_id, now().trace_id
        with ramp_tracing.trace(user="ada", trace_name="part"):
            third = now().trace_id
    with block:
        other = now().trace_id
    assert first == second == third
    assert first is not None
    assert len(first) == 32
    assert other != first


def test_numbers_and_uuids_are_ids_too() -> None:
    """A user may be 7; a session is often a UUID. Anything else is left out, and nothing of it is called."""

    class Hostile:
        def __str__(self) -> str:
            raise RuntimeError

    with ramp_tracing.trace(user=7, session_id=UUID(int=1), trace_name=Hostile()):  # type: ignore[arg-type]
        assert now() == Attribution(user="7", session_id="00000000-0000-0000-0000-000000000001")


def test_as_a_decorator() -> None:
    """Each run of a function is a block."""

    @ramp_tracing.trace(user="ada")
    def work(number: int) -> tuple[int, str | None]:
        return number, user()

    assert work(3) == (3, "ada")
    assert work.__name__ == "work"
    assert user() is None


async def test_as_a_decorator_of_a_coroutine_function() -> None:
    """The block lasts until the coroutine has ended."""

    @ramp_tracing.trace(user="ada")
    async def work() -> str | None:
        await asyncio.sleep(0)
        return user()

    assert asyncio.iscoroutinefunction(work)
    assert await work() == "ada"
    assert user() is None


async def test_as_a_decorator_of_what_hands_a_coroutine_on() -> None:
    """A decorator below ours may hide that it is one: what counts is where it runs, not where it is made."""

    async def work() -> str | None:
        await asyncio.sleep(0)
        return user()

    class Callable:
        async def __call__(self) -> str | None:
            return await work()

    for hidden in (lambda: work(), Callable()):
        assert await ramp_tracing.trace(user="ada")(hidden)() == "ada"
        assert user() is None


class Clerk:
    """Methods of all kinds, with the decorator on either side of what makes them one."""

    @ramp_tracing.trace(user="ada")
    @staticmethod
    def static(number: int) -> tuple[int, str | None]:
        return number, user()

    @ramp_tracing.trace(user="ada")
    @classmethod
    def of_class(cls, number: int) -> tuple[type["Clerk"], int, str | None]:
        return cls, number, user()

    @classmethod
    @ramp_tracing.trace(user="ada")
    def of_class_within(cls, number: int) -> tuple[type["Clerk"], int, str | None]:
        return cls, number, user()


@pytest.mark.parametrize("clerk", [Clerk, Clerk()], ids=["class", "object"])
def test_as_a_decorator_of_methods(clerk: Any) -> None:
    """They are called with what they were called with."""
    assert clerk.static(3) == (3, "ada")
    assert clerk.of_class(3) == clerk.of_class_within(3) == (Clerk, 3, "ada")
    assert user() is None


class Tape:
    """Hands on a generator that it keeps, for who has read a part of it to go on."""

    def __init__(self) -> None:
        self.steps = (user() for _ in range(3))
        self.steps_by_tasks = self._by_tasks()

    async def _by_tasks(self) -> AsyncIterator[str | None]:
        for _ in range(3):
            yield user()

    @ramp_tracing.trace(user="ada")
    def read(self) -> Any:
        return self.steps

    @ramp_tracing.trace(user="ada")
    def read_by_tasks(self) -> Any:
        return self.steps_by_tasks


async def test_a_generator_that_somebody_keeps_goes_on() -> None:
    """It is not closed with one that we have put around it, when that is dropped."""
    tape = Tape()
    for _ in tape.read():
        break
    async for _ in tape.read_by_tasks():
        break
    gc.collect()
    assert ([None, None], [None, None]) == ([*tape.read()], [each async for each in tape.read_by_tasks()])


def test_a_class_is_not_decorated() -> None:
    """A function in its place would be no class any more."""
    with pytest.raises(TypeError, match="decorate the methods"):
        ramp_tracing.trace(user="ada")(Clerk)


def handed_on(kind: str) -> Any:
    """What makes a generator and is no generator function itself, as another decorator may leave it."""

    def steps() -> Iterator[str | None]:
        yield user()
        yield user()

    async def steps_by_tasks() -> AsyncIterator[str | None]:
        yield user()
        yield user()

    @types.coroutine
    def coroutine() -> Generator[Any, Any, str | None]:
        yield from asyncio.sleep(0).__await__()
        return user()

    made: Any = {"generator": steps, "async generator": steps_by_tasks, "coroutine": coroutine}[kind]
    return ramp_tracing.trace(user="ada")(lambda: made())


async def test_as_a_decorator_of_what_hands_a_generator_on() -> None:
    """In force while it runs, as for a generator function; what is to be awaited stays so."""
    assert [(each, user()) for each in handed_on("generator")()] == [("ada", None), ("ada", None)]
    assert [(each, user()) async for each in handed_on("async generator")()] == [("ada", None), ("ada", None)]
    assert (await handed_on("coroutine")(), user()) == ("ada", None)


def test_as_a_decorator_of_a_generator() -> None:
    """In force while the generator runs, not in the loop that reads it."""

    @ramp_tracing.trace(user="ada")
    def work() -> Iterator[str | None]:
        yield user()
        yield user()

    assert [(each, user()) for each in work()] == [("ada", None), ("ada", None)]


def test_a_decorated_generator_is_still_a_generator() -> None:
    """What is sent, thrown, returned and closed arrives where it should."""
    closed: list[str] = []

    @ramp_tracing.trace(user="ada")
    def work():  # type: ignore[no-untyped-def]
        try:
            got = yield 1
            try:
                yield got
            except ValueError:
                yield "caught"
            return "end"
        finally:
            closed.append(str(user()))

    steps = work()
    assert (next(steps), steps.send("sent"), steps.throw(ValueError())) == (1, "sent", "caught")
    with pytest.raises(StopIteration) as end:
        next(steps)
    assert end.value.value == "end"
    broken_off = work()
    next(broken_off)
    broken_off.close()
    assert closed == ["ada", "ada"]
    assert user() is None


async def test_as_a_decorator_of_an_async_generator() -> None:
    """The same, awaited."""

    @ramp_tracing.trace(user="ada")
    async def work() -> AsyncIterator[str | None]:
        yield user()
        yield user()

    assert [(each, user()) async for each in work()] == [("ada", None), ("ada", None)]


async def test_a_run_of_a_generator_is_one_trace() -> None:
    """The block is entered at each of its steps; a trace that it names is the same at all of them, and no other's."""

    @ramp_tracing.trace(trace_name="Invoice run")
    def work() -> Iterator[str | None]:
        yield now().trace_id
        yield now().trace_id

    @ramp_tracing.trace(trace_name="Invoice run")
    async def work_async() -> AsyncIterator[str | None]:
        yield now().trace_id
        yield now().trace_id

    runs = [[*work()], [*work()], [each async for each in work_async()], [each async for each in work_async()]]
    assert [len(set(run)) for run in runs] == [1, 1, 1, 1]
    assert len({run[0] for run in runs} - {None}) == 4
    with ramp_tracing.trace(trace_name="outer"):
        assert {*work()} == {now().trace_id}


async def test_an_async_generator_that_is_broken_off_ends_in_its_block() -> None:
    """What it calls while it is closed, a summary of what there was say, is for the same one."""
    closed: list[str | None] = []

    @ramp_tracing.trace(user="ada")
    async def work() -> AsyncGenerator[int, None]:
        try:
            yield 1
        finally:
            await asyncio.sleep(0)
            closed.append(user())

    steps = work()
    await anext(steps)
    await steps.aclose()
    assert (closed, user()) == (["ada"], None)


async def test_as_an_async_context_manager() -> None:
    """`async with` is the same block."""
    async with ramp_tracing.trace(user="ada"):
        await asyncio.sleep(0)
        assert user() == "ada"


async def test_tasks_keep_theirs_apart() -> None:
    """Concurrent tasks inherit the block they were started in and do not see each other's."""

    async def work(name: str) -> list[str | None]:
        with ramp_tracing.trace(user=name):
            before = user()
            await asyncio.sleep(0.001)
            return [before, user(), now().session_id]

    with ramp_tracing.trace(session_id="shared"):
        seen = await asyncio.gather(*(work(str(number)) for number in range(20)))
    assert seen == [[str(number), str(number), "shared"] for number in range(20)]


def test_threads_get_it_by_copying_the_context() -> None:
    """A bare thread starts without; `copy_context` hands it over."""
    seen: list[str | None] = []
    with ramp_tracing.trace(user="ada"):
        bare = threading.Thread(target=lambda: seen.append(user()))
        copied = threading.Thread(target=contextvars.copy_context().run, args=(lambda: seen.append(user()),))
        for thread in (bare, copied):
            thread.start()
            thread.join()
    assert seen == [None, "ada"]


def test_leaving_in_another_context_is_harmless() -> None:
    """A block left elsewhere than it was entered (a generator finalised by another task) raises nothing."""
    block = ramp_tracing.trace(user="ada")
    contextvars.copy_context().run(block.__enter__)
    with ramp_tracing.trace(user="grace"):
        block.__exit__(None, None, None)
        assert user() == "grace"


def test_the_active_opentelemetry_span_is_the_parent() -> None:
    """Trace id and span id come from the application's own span; our block's own trace steps back."""
    from opentelemetry.sdk.trace import TracerProvider

    tracer = TracerProvider(shutdown_on_exit=False).get_tracer("app")
    with tracer.start_as_current_span("request") as span, ramp_tracing.trace(trace_name="nightly"):
        attribution, parent, _ = in_force(NOBODY, NOBODY)
    context = span.get_span_context()
    assert parent == (f"{context.trace_id:032x}", f"{context.span_id:016x}")
    assert attribution.trace_id is None
    assert in_force(NOBODY, NOBODY).span_parent is None


def test_blocks_that_are_left_in_another_order_leave_nothing_behind() -> None:
    """Two generators in turns: the first block entered is the first left."""

    def rows(name: str) -> Iterator[str | None]:
        with ramp_tracing.trace(user=name):
            yield user()
            yield user()

    first, second = rows("ada"), rows("grace")
    assert (next(first), next(second)) == ("ada", "grace")
    assert (next(first), list(first), user()) == ("grace", [], "grace")
    assert (next(second), list(second), user()) == ("grace", [], None)
