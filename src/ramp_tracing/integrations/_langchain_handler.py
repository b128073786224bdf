"""The callback that LangChain calls: what begins and ends, as a tree. Importing this imports nothing of LangChain's."""

import logging
from collections.abc import Callable, Mapping
from functools import cache
from importlib import import_module
from typing import Any, Final

from .._context import attribution_of
from .._guard import guarded, log
from .._layers import (
    Ending,
    Kind,
    Run,
    claim_models,
    configured_here,
    end_run,
    open_run,
    run_of,
    run_that_speaks,
    told_before,
)
from .._normalizers import as_fields
from .._record import NAMES, Attribution
from .._state import Sink, state
from ..exceptions import ConfigurationError
from ._langchain_asked import ModelCall
from ._langchain_calls import finish_run
from ._langchain_streams import answer_for

LIBRARY: Final = "langchain_core"
NAME: Final = "RampCallbackHandler"


class Options:
    """
    What one handler was told.

    Attributes:
        given: Who its calls are for.
        spans: ``named`` or ``all``; `None` is what `instrument()` was told.
        everywhere: It is the one that `instrument()` registers for all runs.
    """

    __slots__ = ("everywhere", "given", "spans")

    def __init__(self, given: Attribution, spans: str | None, *, everywhere: bool) -> None:
        self.given = given
        self.spans = spans
        self.everywhere = everywhere

    def __reduce__(self) -> tuple[Callable[..., object], tuple[object, ...]]:
        """For copies, of which an `Attribution`, whose metadata is not to be changed, allows none."""
        names = {name: getattr(self.given, name) for name in NAMES}
        return _told, ({**self.given.metadata, **names}, self.spans, self.everywhere)

    @property
    def words(self) -> Mapping[str, object]:
        """What it was told, by the names that it was told by."""
        named = {name: getattr(self.given, name) for name in NAMES}
        return {**self.given.metadata, **{name: value for name, value in named.items() if value is not None}}

    @property
    def sink(self) -> Sink | None:
        """Where calls that begin now are recorded; `None` while nothing is."""
        return None if self.everywhere and LIBRARY not in state.enabled else state.sink

    @property
    def tells_all(self) -> bool:
        """Whether every run is sent."""
        return (self.spans or state.spans) == "all"


def _told(given: Mapping[str, object], spans: str | None, everywhere: bool) -> Options:
    return Options(attribution_of(given), spans, everywhere=everywhere)


ENDED: Final = Ending()
"""A step has ended well; what came of it is not asked."""


class Told:
    """
    What LangChain calls, by the names of its ``BaseCallbackHandler``.

    Attributes:
        _ramp: What the handler was told.
        _kind: The class that LangChain knows; not a subclass that an application makes of it.
    """

    ignore_retry = True
    """LangChain then does not call what does nothing: this, and the next."""
    ignore_custom_event = True

    _ramp: Options
    _kind: type | None = None

    def on_chat_model_start(self, serialized: object, messages: object, **told: Any) -> None:
        answer_for(self._kind)
        _model_began(self._ramp, "chat", (serialized, messages), told)

    def on_llm_start(self, serialized: object, prompts: object, **told: Any) -> None:
        _model_began(self._ramp, "text_completion", (serialized, prompts), told)

    def on_llm_new_token(self, token: object, **told: Any) -> None:
        _chunk_came(token, told.get("run_id"))

    def on_stream_event(self, event: object, **told: Any) -> None:
        _event_came(told.get("run_id"))

    def on_llm_end(self, response: object, **told: Any) -> None:
        _ended(told, Ending(response))

    def on_llm_error(self, error: BaseException, **told: Any) -> None:
        _ended(told, Ending(told.get("response"), error))

    def on_chain_start(self, serialized: object, inputs: object, **told: Any) -> None:
        _step_began(self._ramp, "chain", serialized, told)

    def on_chain_end(self, outputs: object, **told: Any) -> None:
        _ended(told, ENDED)

    def on_chain_error(self, error: BaseException, **told: Any) -> None:
        _ended(told, Ending(None, error))

    def on_tool_start(self, serialized: object, input_str: object, **told: Any) -> None:
        _step_began(self._ramp, "tool", serialized, told)

    def on_tool_end(self, output: object, **told: Any) -> None:
        _ended(told, ENDED)

    def on_tool_error(self, error: BaseException, **told: Any) -> None:
        _ended(told, Ending(None, error))

    def on_retriever_start(self, serialized: object, query: object, **told: Any) -> None:
        _step_began(self._ramp, "retriever", serialized, told)

    def on_retriever_end(self, documents: object, **told: Any) -> None:
        _ended(told, ENDED)

    def on_retriever_error(self, error: BaseException, **told: Any) -> None:
        _ended(told, Ending(None, error))


@cache
def handler_class() -> Any:
    """The class; made once, when LangChain is there."""
    base: Any = import_module("langchain_core.callbacks").BaseCallbackHandler

    class RampCallbackHandler(Told, base):  # type: ignore[misc]  # pyright: ignore[reportUntypedBaseClass]
        """
        Records the model calls of LangChain and LangGraph: ``config={"callbacks": [RampCallbackHandler()]}``.

        Every method returns at once, does no I/O on a network, and never raises.

        Args:
            spans: ``named`` sends a span for each call, its root and the level between; ``all`` sends every chain,
                tool and retriever. What `instrument()` was told, if left out.
            **given: As for `ramp_tracing.trace`: ``user``, ``session_id``, ``trace_name``… and free metadata.

        Raises:
            ConfigurationError: *spans*, or what the environment says, cannot be used.
        """

        run_inline = True
        """LangChain then calls it in the task that makes the call, also in async code, and not in a thread."""
        raise_error = False

        def __init__(self, *, spans: str | None = None, **given: object) -> None:
            super().__init__()  # pyright: ignore[reportUnknownMemberType]
            if spans not in (None, "named", "all"):
                raise ConfigurationError("spans cannot be used: use one of named, all")
            self._ramp = Options(attribution_of(given), spans, everywhere=False)
            import_module("ramp_tracing.integrations.langchain").started_by_hand()

        def __deepcopy__(self, memo: object) -> Any:
            return self  # it never changes

        def __reduce__(self) -> Any:
            return restored, (self._ramp.spans, dict(self._ramp.words), self._ramp.everywhere)

    setattr(RampCallbackHandler, "_kind", RampCallbackHandler)  # noqa: B010 - a type checker takes it for a stranger's
    # Where it is found by its name: applications copy the configuration of a chain, or send it to another process.
    RampCallbackHandler.__module__, RampCallbackHandler.__qualname__ = "ramp_tracing.integrations.langchain", NAME
    return RampCallbackHandler


def restored(spans: str | None, words: Mapping[str, Any], everywhere: bool) -> Any:
    """A handler that was pickled, for another process."""
    return handler_for_everything() if everywhere else handler_class()(spans=spans, **words)


@cache
def handler_for_everything() -> Any:
    """The one that `instrument()` registers."""
    made: Any = handler_class().__new__(handler_class())
    made._ramp = Options(attribution_of({}), None, everywhere=True)
    return made


def _step_began(options: Options, kind: Kind, serialized: object, told: Mapping[str, Any]) -> None:
    sink = options.sink
    if sink is None:
        return
    try:
        if not _is_known(options, told):
            open_run(_run(options, Run(kind, told), serialized))
        if options.tells_all:
            sink.stand_by()  # its end may be told by the garbage collector, which can start no thread
    except BaseException:
        with guarded("noting the start of a run"):
            raise


def _model_began(options: Options, operation: str, asking: tuple[object, object], told: Mapping[str, Any]) -> None:
    sink = options.sink
    if sink is None:
        message = "calls of LangChain are not recorded: call ramp_tracing.instrument(), or set RAMP_API_KEY"
        if not options.everywhere:
            log.once_a_minute(logging.WARNING, "nothing is instrumented", message)
        return
    try:
        if state.runs:
            if _is_known(options, told):
                return
            claim_models(by_handler=True)  # a model that asks another one makes no call of its own
        serialized, asked = asking
        run = _run(options, Run("model", told), serialized)
        if run.parent is not None:
            run.given = run.given.over(configured_here())
        run.call = call = ModelCall(sink, operation)
        if operation != "chat":  # whose begin a task of its own tells in async code, and whose end is always told
            run.is_alone = False
        call.asked = asked if sink.keeps_content else None
        call.serialized = as_fields(serialized)
        call.params = as_fields(told.get("invocation_params"))
        open_run(run)
        sink.stand_by()  # its end may be told by the garbage collector, which can start no thread
    except BaseException:
        with guarded("noting the start of a call of LangChain"):  # entered only now: it takes a part of each call
            raise


def _is_known(options: Options, told: Mapping[str, Any]) -> bool:
    """Whether another handler of ours has told of it: one given to a chain, say, and one to the model in it."""
    first = run_of(told.get("run_id"))
    run = None if first is None else told_before(first, as_fields(told.get("metadata")))
    if run is None:
        return False
    run.given = options.given.over(run.given)
    run.tells_all = run.tells_all or options.tells_all
    return True


def _run(options: Options, run: Run, serialized: object) -> Run:
    """*run*, with all that is said of it; by place, and not by names, which would take twice as long."""
    run.serialized, run.given, run.finish = serialized, options.given, finish_run
    run.tells_all = options.tells_all
    return run


def _chunk_came(chunk: object, run_id: object) -> None:
    run = run_of(run_id)
    if run is not None and run.others:
        run = run_that_speaks(run)
    if run is None or run.first_chunk is not None:
        return
    with guarded("noting a chunk"):
        run.streams = True
        if chunk:
            run.first_chunk = run.now()


def _event_came(run_id: object) -> None:
    run = run_of(run_id)
    if run is None or run.teller is not None:
        return
    _chunk_came(None, run_id)  # not every event carries a part of the answer; a token does
    with guarded("noting an event"):
        run.watch_teller()


def _ended(told: Mapping[str, Any], ending: Ending) -> None:
    try:
        end_run(told.get("run_id"), ending)
    except BaseException:
        with guarded("noting the end of a run"):
            raise
