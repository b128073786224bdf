"""`ramp_tracing.trace`: who and what the calls of a block or of a function are for."""

import functools
import inspect
import sys
from collections.abc import AsyncGenerator, Callable, Generator
from types import AsyncGeneratorType, CoroutineType, GeneratorType
from typing import Any, Final, TypeVar

from ._context import Block, Frame, attribution_of
from ._guard import guarded
from ._record import NOBODY, Attribution

Function = TypeVar("Function", bound=Callable[..., Any])


class trace(Block):  # noqa: N801 - used as a statement: `with ramp_tracing.trace(user="ada"):`
    """
    Attribute every model call made inside to someone and something.

    As a context manager (``with`` or ``async with``) or as a decorator of a function, a coroutine function or a
    generator of either kind. Blocks nest: an inner one goes before an outer one, metadata is merged key by key. What
    a request itself says (``extra_body={"user": …, "session_id": …, "trace": {…}}``) goes before every block, the
    ``trace`` given to `instrument()` comes last.

    It follows asyncio tasks by itself. A thread starts without it: hand it over with
    ``contextvars.copy_context().run``.

    Args:
        user: The person or account that pays; at most 128 characters are sent.
        session_id: The conversation or job; at most 128 characters are sent.
        trace_id: Calls with the same id belong to one trace; 32 hexadecimal digits are used as they are.
        trace_name: Name of the trace's root. A block that names a trace and gives no id makes one up.
        span_name: Name of the level between the root and the calls.
        generation_name: Name of the calls themselves.
        parent_span_id: The span above, 16 hexadecimal digits.
        **metadata: Whatever else finance groups by: ``cost_center``, ``team``, ``project``…

    Example:
        >>> with ramp_tracing.trace(user="ada", cost_center="CC-1234"):
        ...     client.chat.completions.create(model="gpt-4o", messages=messages)
    """

    __slots__ = ()

    def __init__(
        self,
        *,
        user: str | None = None,
        session_id: str | None = None,
        trace_id: str | None = None,
        trace_name: str | None = None,
        span_name: str | None = None,
        generation_name: str | None = None,
        parent_span_id: str | None = None,
        **metadata: object,
    ) -> None:
        given: Attribution = NOBODY
        with guarded("reading a trace block"):
            given = attribution_of(
                {
                    **metadata,
                    "user": user,
                    "session_id": session_id,
                    "trace_id": trace_id,
                    "trace_name": trace_name,
                    "span_name": span_name,
                    "generation_name": generation_name,
                    "parent_span_id": parent_span_id,
                }
            )
        super().__init__(given)

    def __call__(self, function: Function) -> Function:
        """
        Decorate *function*: each of its runs is a block.

        Raises:
            TypeError: It is a class, whose place a function cannot take, or nothing that can be called.
        """
        if isinstance(function, (classmethod, staticmethod)):
            return _around_method(self, function)  # type: ignore[no-any-return]
        if isinstance(function, type):
            raise TypeError("trace decorates functions: decorate the methods of a class, or use a with block")
        for is_kind, wrap in DECORATORS:
            if is_kind(function):
                return functools.wraps(function)(wrap(self, function))  # type: ignore[return-value]
        raise TypeError("trace decorates functions")


def _around_method(decorate: Callable[[Any], Any], method: Any) -> Any:
    """What a class makes methods of, around its function: a plain one in its place would be given an object."""
    return type(method)(decorate(method.__func__))


def _around_function(block: Block, function: Callable[..., Any]) -> Callable[..., Any]:
    def run(*args: Any, **kwargs: Any) -> Any:
        with block:
            made = function(*args, **kwargs)
        for kind, around in HANDED_ON:
            if (kind is CoroutineType or _references(made) <= OF_ONE_ALONE) and isinstance(made, kind):
                return around(block, made)
        return made

    return run


def _references(made: object) -> int:
    return sys.getrefcount(made)


def _of_one_alone() -> int:
    """How many references there are to what nobody else holds, as `_around_function` counts them: it varies."""
    made = (each for each in tuple[object]())
    return _references(made) if isinstance(made, GeneratorType) else 0


async def _awaited(block: Block, awaitable: Any) -> Any:
    """What a function hands on that is no coroutine function itself: it runs only now."""
    with block:
        return await awaitable


def _stepped(block: Block, generator: Any) -> Any:
    """The same of a generator, which may be one that is to be awaited, as `types.coroutine` makes them."""
    if inspect.isawaitable(generator):
        return _awaited(block, generator)
    return _around_generator(block, lambda: generator)()


def _stepped_by_tasks(block: Block, generator: Any) -> Any:
    return _around_async_generator(block, lambda: generator)()


def _around_coroutine(block: Block, function: Callable[..., Any]) -> Callable[..., Any]:
    async def run(*args: Any, **kwargs: Any) -> Any:
        with block:
            return await function(*args, **kwargs)

    return run


class Run(Block):
    """
    One run of a generator, which enters the block at each of its steps, and is one trace all the same.

    Args:
        block: The decorator's.
    """

    __slots__ = ("_trace_id",)

    def __init__(self, block: Block) -> None:
        super().__init__(block.given)
        self._trace_id: str | None = None

    def _own_trace_id(self, outer: Frame | None) -> str | None:
        trace_id = super()._own_trace_id(outer)
        if self.given.trace_name is None:  # that of whatever is around this step
            return trace_id
        self._trace_id = self._trace_id or trace_id
        return self._trace_id


def _around_generator(block: Block, function: Callable[..., Any]) -> Callable[..., Any]:
    """In force while the generator runs, not while its reader does."""

    def run(*args: Any, **kwargs: Any) -> Generator[Any, Any, Any]:
        steps, here = function(*args, **kwargs), Run(block)
        step, given = steps.send, None
        while True:
            try:
                with here:
                    item = step(given)
            except StopIteration as end:
                return end.value
            try:
                step, given = steps.send, (yield item)
            except GeneratorExit:
                with here:
                    steps.close()
                raise
            except BaseException as error:  # noqa: BLE001 - what the reader throws in is the generator's
                step, given = steps.throw, error

    return run


def _around_async_generator(block: Block, function: Callable[..., Any]) -> Callable[..., Any]:
    """`_around_generator`, awaited."""

    async def run(*args: Any, **kwargs: Any) -> AsyncGenerator[Any, Any]:
        steps, here = function(*args, **kwargs), Run(block)
        step, given = steps.asend, None
        while True:
            try:
                with here:
                    item = await step(given)
            except StopAsyncIteration:
                return
            try:
                step, given = steps.asend, (yield item)
            except GeneratorExit:
                with here:
                    await steps.aclose()
                raise
            except BaseException as error:  # noqa: BLE001 - what the reader throws in is the generator's
                step, given = steps.athrow, error

    return run


HANDED_ON = (
    (CoroutineType, _awaited),
    (GeneratorType, _stepped),
    (AsyncGeneratorType, _stepped_by_tasks),
)
"""What a function may hand on that begins to run only then."""

OF_ONE_ALONE: Final = _of_one_alone()
"""What somebody else holds too goes on after whoever called has dropped it, as a generator around it would not."""

DECORATORS = (
    (inspect.iscoroutinefunction, _around_coroutine),
    (inspect.isasyncgenfunction, _around_async_generator),
    (inspect.isgeneratorfunction, _around_generator),
    (callable, _around_function),
)
"""Kinds of functions, first that fits."""
