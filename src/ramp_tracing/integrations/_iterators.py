"""
Watching a stream without changing it.

The application keeps its own stream object: the iterator inside it is replaced by one that hands on the very same
items. What happens at each step is decided in `StreamWatch`, which has no colour; the two iterators differ by
``await`` only.
"""

from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from itertools import chain, islice
from types import AsyncGeneratorType, GeneratorType
from typing import Any, Self
from weakref import ref

from .._normalizers import PIECES
from ._streams import NOTHING, Raised, StreamWatch


class WatchedIterator(chain[Any]):
    """
    Hands on every item of *source*.

    A generator hands on what comes before the last chunks, and `_Rest` what comes after. In itself it has no method
    that is called for an item: this and the generator are a third of what `_Rest` alone would take for each.

    Attributes:
        handed_on: The generator.
    """

    __slots__ = ("__weakref__", "_source", "handed_on")

    _source: Iterator[Any]
    handed_on: Any

    def __new__(cls, source: Iterator[Any], watch: StreamWatch) -> Self:
        """Watch *source*."""
        rest = _Rest(source, watch)
        handed_on = _until_finished(source, watch, rest) if type(source) is GeneratorType else _nothing()
        made = super().__new__(cls, handed_on, rest)
        made._source, made.handed_on = source, handed_on
        return made

    def __getattr__(self, name: str) -> Any:
        return getattr(self._source, name)  # what else a generator has: close, gi_frame…

    @property
    def is_reading(self) -> bool:
        """Whether the client library is, unless it is `_Rest` that asked it to."""
        return bool(self.handed_on.gi_running)


def _nothing() -> Iterator[Any]:
    """What is no generator does not tell whether it has ended, and is `_Rest`'s from the beginning."""
    yield from ()


def _until_finished(source: Any, watch: StreamWatch, rest: "_Rest") -> Iterator[Any]:
    """
    Hand on items until every choice has finished, and one that is held back for the next step.

    Args:
        source: A generator. Without a frame it has ended.
        watch: Decides.
        rest: Reads what comes then.
    """
    join = watch.join
    try:
        while source.gi_frame is not None:
            for item in islice(source, PIECES):
                if watch.passes:
                    yield item
                elif watch.shows(item):
                    if watch.looks_ahead:
                        rest.look_ahead(item)
                        yield item
                        return
                    yield item
            join()
        watch.drained()
        watch.hold(Raised(StopIteration()))  # so that nobody asks again
    except GeneratorExit:  # nobody reads on
        raise
    except BaseException as error:
        if source.gi_frame is None:  # else an interrupt found us between two items
            watch.failed(error)
        raise


class _Rest:
    """Hands on the items of *source* one by one; it outlives what is raised while it reads."""

    __slots__ = ("_left", "_source", "_watch")

    def __init__(self, source: Iterator[Any], watch: StreamWatch) -> None:
        self._source = source
        self._watch = watch
        self._left = PIECES

    def __iter__(self) -> Iterator[Any]:
        return self

    def __next__(self) -> Any:
        watch = self._watch
        self._left -= 1
        if not self._left:
            self._left = PIECES
            watch.join()
        if watch.held is not NOTHING:
            return _given(watch.release())
        while True:
            item = self._pull()
            if watch.passes:
                return item
            if watch.shows(item):
                if watch.looks_ahead:
                    self.look_ahead(item)
                return item

    def look_ahead(self, item: object) -> None:
        """Fetch what follows *item* before that is handed on; it comes next."""
        watch = self._watch
        try:
            following = self._pull()
        except StopIteration:
            return
        except BaseException as error:
            if not watch.postpones(error, item):
                raise
        else:
            if watch.passes or watch.shows(following):
                watch.hold(following)

    def _pull(self) -> Any:
        watch = self._watch
        watch.busy = True
        try:
            return self._source.__next__()
        except StopIteration:
            watch.drained()
            raise
        except BaseException as error:
            watch.failed(error)
            raise
        finally:
            watch.busy = False


class AsyncWatchedIterator:
    """
    Hands on every item of *source*: in a loop by a generator, which takes half of what `_AsyncRest` would for each.

    Attributes:
        handed_on: The generator of the last loop.
    """

    __slots__ = ("__weakref__", "_rest", "_source", "_watch", "handed_on")

    def __init__(self, source: AsyncIterator[Any], watch: StreamWatch) -> None:
        self._source = source
        self._watch = watch
        self._rest = _AsyncRest(source, watch)
        self.handed_on: Any = None

    def __aiter__(self) -> AsyncIterator[Any]:
        source: Any = self._source
        if source.__class__ is not AsyncGeneratorType:  # as `_nothing`
            return self._rest
        self.handed_on = handed_on = _until_finished_async(source, self._watch, self._rest)
        return handed_on

    def __anext__(self) -> Awaitable[Any]:
        return self._rest.__anext__()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._source, name)

    @property
    def is_reading(self) -> bool:
        """Whether the client library is, unless it is `_AsyncRest` that asked it to."""
        return self.handed_on is not None and bool(self.handed_on.ag_running)


async def _until_finished_async(source: Any, watch: StreamWatch, rest: "_AsyncRest") -> AsyncIterator[Any]:
    """`_until_finished`, awaited; and *rest* to its end, because there is no asynchronous `chain`."""
    join, left = watch.join, PIECES
    try:
        if watch.held is NOTHING:
            async for item in source:
                left -= 1
                if not left:
                    left = PIECES
                    join()
                if watch.passes:
                    yield item
                elif watch.shows(item):
                    if watch.held is not NOTHING:  # since somebody took a step in between: what is held comes first
                        yield _given(watch.exchange(item))
                        continue
                    if watch.looks_ahead:
                        await rest.look_ahead(item)
                        yield item
                        break
                    yield item
    except GeneratorExit:  # nobody reads on
        raise
    except BaseException as error:
        if source.ag_frame is None:  # else an interrupt found us between two items
            watch.failed(error)
        raise
    async for item in rest:
        yield item


class _AsyncRest:
    """`_Rest`, awaited."""

    __slots__ = ("_left", "_source", "_watch")

    def __init__(self, source: AsyncIterator[Any], watch: StreamWatch) -> None:
        self._source = source
        self._watch = watch
        self._left = PIECES

    def __aiter__(self) -> AsyncIterator[Any]:
        return self

    async def __anext__(self) -> Any:
        watch = self._watch
        self._left -= 1
        if not self._left:
            self._left = PIECES
            watch.join()
        if watch.held is not NOTHING:
            return _given(watch.release())
        while True:
            item = await self._pull()
            if watch.passes:
                return item
            if watch.shows(item):
                if watch.looks_ahead:
                    await self.look_ahead(item)
                return item

    async def look_ahead(self, item: object) -> None:
        """Fetch what follows *item* before that is handed on; it comes next."""
        watch = self._watch
        try:
            following = await self._pull()
        except StopAsyncIteration:
            return
        except BaseException as error:
            if not watch.postpones(error, item):
                raise
        else:
            if watch.passes or watch.shows(following):
                watch.hold(following)

    async def _pull(self) -> Any:
        watch = self._watch
        watch.busy = True
        try:
            return await self._source.__anext__()
        except StopAsyncIteration:
            watch.drained()
            raise
        except BaseException as error:
            watch.failed(error)
            raise
        finally:
            watch.busy = False


def _given(held: object) -> Any:
    if isinstance(held, Raised):
        raise held.error
    return held


def reading(iterator: WatchedIterator | AsyncWatchedIterator) -> Callable[[], bool]:
    """Says whether the client library is reading through *iterator*, and does not keep that alive."""
    known = ref(iterator)

    def reads() -> bool:
        found = known()
        return found is not None and found.is_reading

    return reads


def _never() -> bool:
    return False


class Closing:
    """
    Stands for ``response.close`` of one response, so that a closed or dropped stream ends its recording.

    Holds the original, on purpose, by a strong reference: a weak one is dead when a generator is finalised by the
    cyclic collector, and the connection leaks. Holds no iterator: a stream of anthropic 2 is no reference cycle, and
    gives its connection back as soon as it is dropped.
    """

    __slots__ = ("__weakref__", "_close", "_reads", "_watch")

    def __init__(self, close: Any, watch: StreamWatch, reads: Callable[[], bool] = _never) -> None:
        self._close = close
        self._watch = watch
        self._reads = reads

    def __call__(self) -> None:
        try:
            self._close()
        finally:
            self._watch.closed(reads=self._reads())

    def __del__(self) -> None:
        self._watch.collected()


class AsyncClosing(Closing):
    """`Closing`, awaited."""

    __slots__ = ()

    async def __call__(self) -> None:  # type: ignore[override]
        try:
            await self._close()
        finally:
            self._watch.closed(reads=self._reads())
