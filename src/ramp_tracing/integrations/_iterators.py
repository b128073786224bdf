"""
Watching a stream without changing it.

The application keeps its own stream object: the iterator inside it is replaced by one that hands on the very same
items. What happens at each step is decided in `StreamWatch`, which has no colour; the two iterators differ by
``await`` only.
"""

from collections.abc import AsyncIterator, Generator, Iterator
from itertools import chain
from typing import Any, Self

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
        handed_on = _until_finished(source, watch, rest)
        made = super().__new__(cls, handed_on, rest)
        made._source, made.handed_on = source, handed_on
        return made

    def __getattr__(self, name: str) -> Any:
        return getattr(self._source, name)  # what else a generator has: close, gi_frame…


def _until_finished(source: Iterator[Any], watch: StreamWatch, rest: "_Rest") -> Generator[Any, None, None]:
    """Hand on items until every choice has finished, and one that is held back for the next step."""
    watch.busy = True
    try:
        for item in source:
            watch.busy = False
            if watch.passes or item is watch.usual:
                yield item
            elif watch.shows(item):
                if watch.looks_ahead:
                    rest.look_ahead(item)
                    yield item
                    return
                yield item
            watch.busy = True
        watch.drained()
        watch.hold(Raised(StopIteration()))  # so that nobody asks again
    except BaseException as error:
        if watch.busy and getattr(source, "gi_frame", None) is None:  # else an interrupt found us between two items
            watch.failed(error)
        raise
    finally:
        watch.busy = False


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
            if watch.passes or item is watch.usual:
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
            if watch.shows(following):
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
    """`_Rest`, awaited."""

    __slots__ = ("_source", "_watch")

    def __init__(self, source: AsyncIterator[Any], watch: StreamWatch) -> None:
        self._source = source
        self._watch = watch

    def __aiter__(self) -> AsyncIterator[Any]:
        return self

    def __getattr__(self, name: str) -> Any:
        return getattr(self._source, name)

    async def __anext__(self) -> Any:
        watch = self._watch
        if watch.held is not NOTHING:
            return _given(watch.release())
        while True:
            watch.busy = True
            try:  # as in `_pull`, of which a coroutine for every item would be a third of all this
                item = await self._source.__anext__()
            except StopAsyncIteration:
                watch.drained()
                raise
            except BaseException as error:
                watch.failed(error)
                raise
            finally:
                watch.busy = False
            if watch.passes or item is watch.usual:
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
            if watch.shows(following):
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

    __slots__ = ("_close", "_watch")

    def __init__(self, close: Any, watch: StreamWatch) -> None:
        self._close = close
        self._watch = watch

    def __call__(self) -> None:
        try:
            self._close()
        finally:
            self._watch.closed()

    def __del__(self) -> None:
        self._watch.collected()


class AsyncClosing(Closing):
    """`Closing`, awaited."""

    __slots__ = ()

    async def __call__(self) -> None:  # type: ignore[override]
        try:
            await self._close()
        finally:
            self._watch.closed()
