"""The callback that LiteLLM calls, and its place in LiteLLM's lists. Importing this imports nothing of LiteLLM's."""

import atexit
import logging
import sys
from collections.abc import Iterable, Mapping
from datetime import datetime
from functools import cache
from importlib import import_module
from operator import attrgetter
from typing import Any, Final

from .._guard import guarded, log
from .._layers import is_open, note_answer, open_slot, slot_of
from .._normalizers import as_fields, as_name, dig
from .._state import state
from ._litellm_calls import record
from ._litellm_exit import drain_at_exit
from ._litellm_unsaid import watch_call

LISTS: Final[Mapping[str, str]] = {
    "callbacks": "add_litellm_callback",
    "input_callback": "add_litellm_input_callback",
    "success_callback": "add_litellm_success_callback",
    "failure_callback": "add_litellm_failure_callback",
    "_async_success_callback": "add_litellm_async_success_callback",
    "_async_failure_callback": "add_litellm_async_failure_callback",
}
"""
LiteLLM's lists, and what puts a callback into each.

The first stands for all, but an application that assigns it a list of its own after us would throw us out; the others
are filled from it at the first call only.
"""

EVERY_LIST: Final = attrgetter(*LISTS)

NO_ANSWERS: Final = frozenset(
    {"aembedding", "amoderation", "atranscription", "embedding", "moderation", "transcription"}
)
"""What LiteLLM calls that which a chat model, or its cache, may ask for on its way."""

CONTENT: Final = frozenset({"messages", "response"})
"""Fields of the logging payload that are content."""

BUILT_IN: Final = "ramp"
"""LiteLLM's own callback for Ramp."""


@cache
def logger() -> Any:
    """The one callback of this process."""
    base: Any = import_module("litellm.integrations.custom_logger").CustomLogger

    # LiteLLM passes the arguments by these names, and takes two loggers with equal public attributes for the same.
    class RampLogger(base):  # type: ignore[misc]  # pyright: ignore[reportUntypedBaseClass]
        """Records every call that LiteLLM tells of. Each method returns at once and does no I/O on a network."""

        def register(self) -> None:
            """Complete the registration, whichever list the application has put this in."""
            _register(self)

        def unregister(self) -> None:
            """Leave every list."""
            _unregister(self)

        def log_pre_api_call(self, model: object, messages: object, kwargs: object) -> None:
            _started(self, as_fields(kwargs))

        def log_post_api_call(self, kwargs: object, response_obj: object, start_time: object, end_time: object) -> None:
            _answered(as_fields(kwargs))

        def log_success_event(self, kwargs: object, response_obj: object, start_time: object, end_time: object) -> None:
            _ended(self, kwargs, response_obj, ok=True)

        def log_failure_event(self, kwargs: object, response_obj: object, start_time: object, end_time: object) -> None:
            _ended(self, kwargs, response_obj, ok=False)

        async def async_log_success_event(
            self, kwargs: object, response_obj: object, start_time: object, end_time: object
        ) -> None:
            _ended(self, kwargs, response_obj, ok=True)

        async def async_log_failure_event(
            self, kwargs: object, response_obj: object, start_time: object, end_time: object
        ) -> None:
            _ended(self, kwargs, response_obj, ok=False)

    return RampLogger()


def _started(callback: Any, call: Mapping[str, object]) -> None:
    if state.sink is None:
        return
    try:
        if not _register(callback):  # it is being switched off: whoever makes the call below records it alone
            return
        answers = call.get("call_type") not in NO_ANSWERS
        slot = open_slot("litellm", str(call.get("litellm_call_id")), answers=answers)
        slot.keeps_content, slot.silent = not _keeps_to_itself(call), _wants_no_record(call)
        if not slot.silent:
            watch_call(slot, call)
    except BaseException:
        with guarded("noting the start of a LiteLLM call"):
            raise


def _answered(call: Mapping[str, object]) -> None:
    """LiteLLM has a whole answer, unless it tells of a coroutine, of a stream, or in words of an error."""
    answer = call.get("original_response")
    if (
        isinstance(answer, str)
        and answer[:1] in BEGINNINGS
        and call.get("stream") is not True
        and state.sink is not None
    ):
        try:
            note_answer(slot_of("litellm", str(call.get("litellm_call_id"))), answer)
        except BaseException:
            with guarded("noting the answer to a LiteLLM call"):
                raise


BEGINNINGS: Final = frozenset({"{", "["})
"""Of JSON that is an answer."""


def _ended(callback: Any, call: object, answer: object, *, ok: bool) -> None:
    if state.sink is None:
        message = "calls of LiteLLM are not recorded: call ramp_tracing.instrument(), or set RAMP_API_KEY"
        log.once_a_minute(logging.WARNING, "nothing is instrumented", message)
        return
    try:
        said = as_fields(call)
        if not is_open("litellm", str(said.get("litellm_call_id"))):  # else that was done when the call began
            is_older = _began_without_us(said)
            _register(callback)
            if is_older and (as_name(dig(answer, "id")) or "") in state.seen:  # the client has recorded it alone
                return
        record(said, answer, ok=ok)
    except BaseException:
        with guarded("recording a LiteLLM call"):
            raise


LAYER: Final = "litellm"


def _began_without_us(call: Mapping[str, object]) -> bool:
    """Whether a call began while the client below did not know of us, and recorded what it saw of it at once."""
    layer, began = state.layers.get(LAYER), call.get("start_time")
    return layer is None or (isinstance(began, datetime) and began.timestamp() < layer.since)


def _register(callback: Any) -> bool:
    """See to it that the callback is in every list; False if it was taken out of all of them, and is to stay so."""
    litellm: Any = _module("litellm")
    for callbacks in EVERY_LIST(litellm):
        if len(callbacks) != 1 or callbacks[0] is not callback:
            break
    else:  # most of the time
        if LAYER in state.layers:
            return True
    _warn_of_built_in(litellm, callback)
    with state.hooks_lock:
        missing = [name for name in LISTS if not any(each is callback for each in getattr(litellm, name))]
        if LAYER not in state.layers:
            if len(missing) == len(LISTS):
                return False
            _put_back()
        elif missing:
            _complete(litellm, callback, missing)
    return True


def _put_back() -> None:
    """
    Be what we were before we were taken out of every list: the application has kept the callback, and has put it into
    one by itself. Like everything else, `uninstrument()` takes that out.
    """
    state.enabled.add(LAYER)
    state.installed.add(LAYER)
    _module("ramp_tracing.integrations.litellm").install()


def _complete(litellm: Any, callback: Any, missing: Iterable[str]) -> None:
    for name in missing:
        getattr(litellm.logging_callback_manager, LISTS[name])(callback)
    # Handlers run last in, first out: ours must come before LiteLLM's own and before those that stop delivery.
    atexit.unregister(drain_at_exit)
    atexit.register(drain_at_exit)


def _module(name: str) -> Any:
    """A module that is imported, most of the time: `import_module` takes 3,000 instructions to say so."""
    return sys.modules.get(name) or import_module(name)


def _unregister(callback: Any) -> None:
    litellm: Any = import_module("litellm")
    for name in LISTS:
        callbacks: Any = getattr(litellm, name, None)
        if callbacks:
            callbacks[:] = [each for each in callbacks if each is not callback]


def _keeps_to_itself(call: Mapping[str, object]) -> bool:
    """Whether LiteLLM was told, for all calls or for this one, that messages or answers are not for callbacks."""
    excluded: Any = getattr(_module("litellm"), "standard_logging_payload_excluded_fields", None)
    if excluded and not CONTENT.isdisjoint(excluded):
        return True
    redaction: Any = _module("litellm.litellm_core_utils.redact_messages")
    return bool(redaction.should_redact_message_logging(call))


def _wants_no_record(call: Mapping[str, object]) -> bool:
    """``no-log``: no callback will be told of this call."""
    asked = as_fields(call.get("litellm_params")).get("no-log") is True
    return asked and _module("litellm").global_disable_no_log_param is not True


def _warn_of_built_in(litellm: Any, ours: Any) -> None:
    found = False
    for name in WATCHED:
        for each in getattr(litellm, name, ()):
            found = found or (each is not ours and _is_built_in(each))
    if found and _first_warning():
        log.once_a_minute(
            logging.WARNING,
            "built-in callback",
            'LiteLLM\'s own "ramp" callback is active beside ramp_tracing: every call would be counted twice; '
            'remove "ramp" from litellm.callbacks and litellm.success_callback (in a proxy: from litellm_settings)',
        )


WATCHED: Final = ("callbacks", "success_callback", "_async_success_callback")


def _is_built_in(callback: Any) -> bool:
    if isinstance(callback, str):
        return callback == BUILT_IN
    return getattr(callback, "callback_name", None) == BUILT_IN


def _first_warning() -> bool:
    return state.seen.take("litellm's built-in callback")
