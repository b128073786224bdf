"""The wiring: what `instrument()` switches on, and the ways to wait for it and to switch it off."""

import atexit
import os
import time
from collections.abc import Callable, Collection, Mapping, Sequence
from contextlib import suppress
from dataclasses import fields
from typing import TYPE_CHECKING, Final, Literal, TypedDict, Unpack, cast
from weakref import WeakSet

from . import integrations
from ._config import Config, Dialect, Spans, StreamUsage, WireProtocol, resolve
from ._guard import guarded
from ._record import NOBODY, Attribution, Generation
from ._state import state
from .exceptions import ConfigurationError
from .integrations import LibraryName

if TYPE_CHECKING:
    from ._delivery import ConnectionReport, Pipeline
    from ._journal import Site, Stats


class Options(TypedDict, total=False):
    """
    What `instrument()` can be told. Each one not given comes from the environment, else from a default.

    See docs/configuration.md for the variables, the defaults, and what is refused.
    """

    api_key: str
    client_id: str
    client_secret: str
    token_url: str
    base_url: str
    headers: Mapping[str, str]
    privacy_mode: bool
    protocol: WireProtocol
    dialect: Dialect
    service_name: str
    service_version: str
    stream_usage: StreamUsage
    spans: Spans
    trace: Mapping[str, object]
    providers: Mapping[str, str]
    prices: "str | os.PathLike[str] | Mapping[str, object]"
    exclude_providers: "Collection[str]"
    allow_api_keys: "Collection[str]"
    filter: "Callable[[Generation], bool]"
    sampling_rate: float
    content_sampling_rate: float
    timeout_seconds: float
    exit_timeout_seconds: float
    max_batch_spans: int
    max_batch_bytes: int
    compression: Literal["gzip"]
    state_dir: str
    allow_insecure: bool
    ca_file: str
    span_exporters: "Sequence[object]"
    exporter_dialect: Dialect


def instrument(*libraries: LibraryName, **options: Unpack[Options]) -> None:
    """
    Report every billable model call of this process to Ramp.

    Imports none of the libraries: each is hooked when the application imports it, or now if it has done so. Calling it
    again changes the options; calls in flight go where they started.

    Args:
        *libraries: Which libraries; none named is all that are supported.
        **options: See `Options`; ``api_key`` is needed, here or as ``RAMP_API_KEY``.

    Raises:
        ConfigurationError: Something cannot be used; the message says what to change.
    """
    named = frozenset(integrations.IMPORT_NAMES.get(each, each) for each in libraries)
    unknown = sorted(named - set(integrations.REGISTRY))
    if unknown:
        known = ", ".join(integrations.IMPORT_NAMES)
        raise ConfigurationError(f"there is no integration {unknown[0]!r}; there are {known}")
    config = resolve(options, os.environ)
    if config.disabled:
        return
    _connect(config)
    integrations.enable(named or frozenset(integrations.REGISTRY))


def uninstrument() -> None:
    """
    Undo `instrument()`: take out every hook, send what is waiting (at most the exit timeout), end our thread.

    A stream that the application is still reading is recorded as it is now. Does nothing where nothing is on.
    """
    _wait_for_promises(SECONDS_FOR_PROMISES)
    integrations.disable(frozenset(state.enabled))
    _disconnect()


def flush(timeout: float = 30.0) -> bool:
    """
    Send everything that was recorded before this call.

    Args:
        timeout: Seconds to wait at most.

    Returns:
        True if all of it was acknowledged by the receiver; False if some is still waiting.
    """
    timeout = _waitable(timeout)
    until = time.monotonic() + timeout
    _wait_for_promises(min(timeout / 2, SECONDS_FOR_PROMISES))
    flushed = [each.flush(max(0.0, until - time.monotonic())) for each in _pipelines()]
    return all(flushed)


async def aflush(timeout: float = 30.0) -> bool:
    """
    `flush()` for async programs: the event loop goes on meanwhile, and LiteLLM can say what it still has to say.

    Args:
        timeout: Seconds to wait at most.

    Returns:
        As `flush()`.
    """
    import asyncio

    until = time.monotonic() + _waitable(timeout)
    for layer in list(state.layers.values()):
        with suppress(TimeoutError):
            await asyncio.wait_for(layer.catch_up(), max(0.0, until - time.monotonic()))
    return await asyncio.to_thread(flush, max(0.0, until - time.monotonic()))


MOST_SECONDS: Final = 365 * 86_400.0
"""For ever. What the system's own locks can wait for is finite, and more raises."""


def _waitable(timeout: float) -> float:
    """*timeout* within what can be waited for; no number at all is no time."""
    return min(max(0.0, timeout), MOST_SECONDS)  # in this order `max` makes 0 of NaN


SECONDS_FOR_PROMISES: Final = 5.0
"""A library that has promised to record a call speaks within milliseconds; see `_layers`."""


def _wait_for_promises(timeout: float) -> None:
    """Give the layers above time to speak, where they can: an event loop of this thread stands still meanwhile."""
    until = time.monotonic() + timeout
    if not state.layers or _runs_event_loop():
        return
    from ._layers import is_waiting, release  # loaded by now, by whoever is a layer

    for layer in list(state.layers.values()):
        layer.catch_up_alone(timeout)
    while is_waiting() and time.monotonic() < until:
        time.sleep(0.01)
    release()


def _runs_event_loop() -> bool:
    import asyncio

    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return False
    return True


def shutdown(timeout: float = 2.0) -> bool:
    """
    Record open streams as they are, send what is waiting, and stop. Happens by itself when the process ends.

    Args:
        timeout: Seconds to wait at most.

    Returns:
        True if nothing is left that was not acknowledged.
    """
    timeout = _waitable(timeout)
    until = time.monotonic() + timeout
    _wait_for_promises(min(timeout / 2, SECONDS_FOR_PROMISES))
    finish_open_streams()
    ended = [each.shutdown(max(0.0, until - time.monotonic())) for each in _pipelines()]
    return all(ended)


def stats() -> "Stats":
    """
    Counts of this process since `instrument()`.

    Always ``recorded == acknowledged + waiting + dead + lost + filtered``.

    Returns:
        All zero where nothing is instrumented.
    """
    from ._journal import Stats

    counts = [each.stats() for each in _pipelines()]
    return Stats(**{each.name: sum(getattr(count, each.name) for count in counts) for each in fields(Stats)})


def test_connection(**options: Unpack[Options]) -> "ConnectionReport":
    """
    Send Ramp one marked test record, which it does not count as usage, and say what it answered.

    Args:
        **options: As for `instrument()`; without any, those that are in force, if something is instrumented.

    Returns:
        Whether it went well, the status, and in words what to change if it did not.

    Raises:
        ConfigurationError: As `instrument()` does.
    """
    from ._delivery import test_connection as send_test

    running = None if options else _pipeline()
    return send_test(resolve(options, os.environ) if running is None else running.config)


test_connection.__test__ = False  # type: ignore[attr-defined]  # pytest takes an imported function of this name for a test


def finish_open_streams() -> None:
    """End every call that is open, and what is held for a layer above."""
    from ._delivery import end_open_calls

    end_open_calls()
    with guarded("releasing held calls"):
        _release_for_good()


def _release_for_good() -> None:
    """Record what is held: in a slot, and whoever has opened one has loaded `_layers`."""
    if state.slots:
        from ._layers import release

        release(for_good=True)


def defaults_of(trace: Mapping[str, object]) -> Attribution:
    """The attribution that stands behind every block."""
    if not trace:
        return NOBODY
    from ._context import attribution_of  # only who gives a trace pays for it at set-up

    given = attribution_of(trace)
    if any(isinstance(value, (dict, list)) for value in given.metadata.values()):
        from ._recorder import unchanging  # all calls share it: what the application has of it, it may change

        return unchanging(given)
    return given


def _pipeline() -> "Pipeline | None":
    if state.sink is None:
        return None
    from ._delivery import Pipeline

    return state.sink if isinstance(state.sink, Pipeline) else None


def _pipelines() -> "list[Pipeline]":
    """The one in force, and those of earlier options, which go on sending what was recorded under them."""
    current = _pipeline()
    earlier = cast("list[Pipeline]", list(dict.fromkeys([*state.retired, *state.former])))
    return earlier if current is None else [current, *earlier]


def _connect(config: Config) -> None:
    from ._delivery import Pipeline

    before = _pipeline()
    state.defaults = defaults_of(config.trace)
    state.providers = config.providers
    state.stream_usage = config.stream_usage
    state.spans = config.spans
    state.hashes_keys = config.allow_api_keys is not None
    state.prices = config.prices
    if state.captured is not None:  # also where `uninstrument()` was called since: a test sends nothing
        state.sink = state.captured
        return
    if before is None or before.config != config:
        state.sink = Pipeline(config, journal=_site_of(config))
    if not state.exit_hooked:
        state.exit_hooked = True
        atexit.register(finish_open_streams)  # after the pipeline's own hook was registered: it runs before that
    if before is not None and before is not state.sink:
        state.retired = [each for each in _pipelines()[1:] if each.stats().waiting]
        state.retired.append(before)
        state.former = WeakSet([*state.former, before])  # a new one: other threads may be going through this one
        before.wake()


def _site_of(config: Config) -> "Site":
    from ._journal import site_of

    return site_of(state_dir=config.state_dir, base_url=config.base_url, key=config.account)


def _disconnect() -> None:
    finish_open_streams()
    ending = _pipelines()
    state.sink, state.retired, state.former = None, [], WeakSet()
    for pipeline in ending:
        pipeline.shutdown(pipeline.config.exit_timeout_seconds)
    state.defaults = NOBODY
    state.providers = {}
    state.prices = None
    state.stream_usage = "auto"
    state.spans = "named"
    state.hashes_keys = False
    state.jobs.clear()
    state.files.clear()
    with state.slots_lock:  # what came after the end of the wait is in `watched`, and still has its time
        state.slots.clear()
    state.runs.clear()
    state.lone_runs.clear()


__all__: Final = [
    "Options",
    "aflush",
    "finish_open_streams",
    "flush",
    "instrument",
    "shutdown",
    "stats",
    "test_connection",
    "uninstrument",
]
