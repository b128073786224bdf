"""
Watching a stream without changing it.

The application keeps its own stream object: the iterator inside it is replaced by one that hands on the very same
items. What happens at each step is decided in `StreamWatch`, which has no colour; the two iterators differ by
``await`` only.
"""

from collections.abc import AsyncIterator, Iterator
from typing import Any

from ._streams import NOTHING, Raised, StreamWatch


class WatchedIterator:
    """Hands on every item of *source*."""

    __slots__ = ("_source", "_watch")

    def __init__(self, source: Iterator[Any], watch: StreamWatch) -> None:
        self._source = source
        self._watch = watch

    def __iter__(self) -> Iterator[Any]:
        return self

    def __getattr__(self, name: str) -> Any:
        return getattr(self._source, name)  # what else a generator has: close, gi_frame…

    def __next__(self) -> Any:
        watch = self._watch
        if watch.held is not NOTHING:
            return _given(watch.release())
        while True:
            item = self._pull()
            if watch.keeps(item):
                if watch.looks_ahead:
                    self._look_ahead(item)
                return item

    def _look_ahead(self, item: object) -> None:
        watch = self._watch
        try:
            following = self._pull()
        except StopIteration:
            return
        except BaseException as error:
            if not watch.postpones(error, item):
                raise
        else:
            if watch.keeps(following):
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
    """`WatchedIterator`, awaited."""

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
            item = await self._pull()
            if watch.keeps(item):
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
            if watch.keeps(following):
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
