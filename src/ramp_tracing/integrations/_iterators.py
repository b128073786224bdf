"""
Watching a stream without changing it.

The application keeps its own stream object: the iterator inside it is replaced by one that hands on the very same
items. What happens at each step is decided in `StreamWatch`, which has no colour; the two iterators differ by
``await`` only.
"""

from collections.abc import AsyncGenerator, AsyncIterator, Generator, Iterator
from itertools import chain, islice
from typing import Any, Self

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

    __slots__ = ("_source", "handed_on")

    _source: Iterator[Any]
    handed_on: Generator[Any, None, None]

    def __new__(cls, source: Iterator[Any], watch: StreamWatch) -> Self:
        """Watch *source*."""
        rest = _Rest(source, watch)
        handed_on = _until_finished(source, watch, rest) if isinstance(source, Generator) else _nothing()
        made = super().__new__(cls, handed_on, rest)
        made._source, made.handed_on = source, handed_on
        return made

    def __getattr__(self, name: str) -> Any:
        return getattr(self._source, name)  # what else a generator has: close, gi_frame…

    @property
    def is_reading(self) -> bool:
        """Whether the client library is."""
        return self.handed_on.gi_running


def _nothing() -> Generator[Any, None, None]:
    """What is no generator does not tell whether it has ended, and is `_Rest`'s from the beginning."""
    yield from ()


def _until_finished(
    source: Generator[Any, None, None], watch: StreamWatch, rest: "_Rest"
) -> Generator[Any, None, None]:
    """Hand on items until every choice has finished, and one that is held back for the next step."""
    join = watch.join
    try:
        while source.gi_frame is not None:  # type: ignore[redundant-expr]
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

    __slots__ = ("_source", "_watch")

    def __init__(self, source: Iterator[Any], watch: StreamWatch) -> None:
        self._source = source
        self._watch = watch

    def __iter__(self) -> Iterator[Any]:
        return self

    def __next__(self) -> Any:
        watch = self._watch
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
    Hands on every item of *source*: of a loop all, by a generator, which is half of what a coroutine for each would take.

    Single steps are as those of `_Rest`, awaited.
    """

    __slots__ = ("_handed_on", "_source", "_watch")

    def __init__(self, source: AsyncIterator[Any], watch: StreamWatch) -> None:
        self._source = source
        self._watch = watch
        self._handed_on: AsyncGenerator[Any, None] | None = None

    def __aiter__(self) -> AsyncIterator[Any]:
        if not isinstance(self._source, AsyncGenerator) or self._watch.held is not NOTHING:
            return self
        self._handed_on = self._in_a_loop(self._source)
        return self._handed_on

    async def _in_a_loop(self, source: AsyncGenerator[Any, None]) -> AsyncGenerator[Any, None]:
        """Hand on items; of the last ones each is a step by itself."""
        watch, left = self._watch, PIECES
        join = watch.join
        try:
            async for item in source:
                left -= 1
                if not left:
                    left = PIECES
                    join()
                if watch.passes:
                    yield item
                elif watch.shows(item):
                    if watch.looks_ahead:
                        await self._look_ahead(item)
                        yield item
                        break
                    yield item
            else:
                watch.drained()
                return
        except GeneratorExit:  # the loop has been left
            raise
        except BaseException as error:
            if source.ag_frame is None:  # else an interrupt found us between two items
                watch.failed(error)
            raise
        while True:
            try:
                item = await self.__anext__()
            except StopAsyncIteration:
                return
            yield item

    @property
    def is_reading(self) -> bool:
        """Whether the client library is, for a loop."""
        return self._handed_on is not None and self._handed_on.ag_running

    def __getattr__(self, name: str) -> Any:
        return getattr(self._source, name)

    async def __anext__(self) -> Any:
        watch = self._watch
        if watch.held is not NOTHING:
            return _given(watch.release())
        while True:
            item = await self._pull()
            if watch.passes:
                return item
            if watch.shows(item):
                if watch.looks_ahead:
                    await self._look_ahead(item)
                return item

    async def _look_ahead(self, item: object) -> None:
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


class Closing:
    """
    Stands for ``response.close`` of one response, so that a closed or dropped stream ends its recording.

    Strong references on purpose: with weak ones the original is gone when a generator is finalised by the cyclic
    collector, and the connection leaks. A client library's stream is a reference cycle with or without this one.
    """

    __slots__ = ("_close", "_iterator", "_watch")

    def __init__(self, close: Any, watch: StreamWatch, iterator: Any = None) -> None:
        self._close = close
        self._watch = watch
        self._iterator = iterator

    def __call__(self) -> None:
        try:
            self._close()
        finally:
            self._watch.closed(reads=self._reads)

    def __del__(self) -> None:
        self._watch.collected()

    @property
    def _reads(self) -> bool:
        return self._iterator is not None and self._iterator.is_reading


class AsyncClosing(Closing):
    """`Closing`, awaited."""

    __slots__ = ()

    async def __call__(self) -> None:  # type: ignore[override]
        try:
            await self._close()
        finally:
            self._watch.closed(reads=self._reads)
