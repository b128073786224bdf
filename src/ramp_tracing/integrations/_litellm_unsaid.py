"""
Calls of which LiteLLM says nothing: streams that are left early, tasks that are cancelled.

Those made through the openai client have its record. For all others what is known at their start is kept, and made into
a record once LiteLLM's object for the call has gone unheard; see `_layers`.
"""

import sys
import time
from collections.abc import Mapping
from functools import partial
from types import FrameType
from typing import Final

from .._layers import Settled, Slot, Vigil
from .._normalizers import CHAT, as_items
from .._normalizers._litellm import read_litellm, read_paid
from .._normalizers._litellm_attribution import litellm_attribution
from .._record import Failure, Generation, Outcome, UnixNanos, Usage, changed
from .._recorder import ABANDONED
from .._state import Sink, state
from ._litellm_calls import generation_of

CANCELLED: Final = Failure(type="CancelledError", message="The call was cancelled before it was answered")
"""What the openai client's record would say: of a whole answer nothing is there before its end."""

OWN_FRAMES: Final = 4
"""From `_teller` to above the callback's method, which LiteLLM calls."""

MAX_FRAMES: Final = 6
"""LiteLLM's object for a call is in the first of these, and what makes up an answer is one or two above."""

MOCK: Final = "mock_completion"
"""LiteLLM's function that makes up an answer."""


def watch_call(slot: Slot, call: Mapping[str, object]) -> None:
    """
    See to it that the call that starts here has a record though LiteLLM may say nothing of it.

    Args:
        slot: The call.
        call: The ``kwargs`` of ``log_pre_api_call``.
    """
    sink, teller = state.sink, _teller(slot.key)
    if sink is not None and teller is not None:
        known = _known(call, keeps_content=sink.keeps_content and slot.keeps_content)
        slot.says = partial(litellm_attribution, known)
        Vigil(slot, sink, partial(_generation, known, sink, slot)).begin(teller)


def _teller(key: str) -> object | None:
    """LiteLLM's object for the call, which everything holds that LiteLLM will say; `None` if nothing is sent."""
    found: object = None
    frame: FrameType | None = sys._getframe(OWN_FRAMES)  # pyright: ignore[reportPrivateUsage]
    for _ in range(MAX_FRAMES):  # not `frames_above`: for each call and to the end, a generator is half of the work
        if frame is None:
            break
        if frame.f_code.co_name == MOCK:
            return None
        module = frame.f_globals.get("__name__")
        if found is not None and type(module) is str and module.startswith(SENDING):
            break
        if found is None and module == LOGGING:
            owner = frame.f_locals.get("self")
            if getattr(owner, "litellm_call_id", None) == key:
                found = owner
        frame = frame.f_back
    return found


SENDING: Final = "litellm.llms."
"""How modules are called that ask a provider: nobody further up makes the answer up."""

LOGGING: Final = "litellm.litellm_core_utils.litellm_logging"
"""Where that object's class is; to look into the variables of every frame would be half of the work."""


def _known(call: Mapping[str, object], *, keeps_content: bool) -> dict[str, object]:
    """
    What is told at the start of a call and `read_litellm` can read; the rest refers to LiteLLM's own objects.

    A copy: LiteLLM goes on changing its own, and the application may go on with its list of messages. Written out,
    because a loop over the names takes twice as long.
    """
    said = call.get
    asked = said("messages") if keeps_content else None
    return {
        "api_call_start_time": said("api_call_start_time"),
        "call_type": said("call_type"),
        "custom_llm_provider": said("custom_llm_provider"),
        "input": said("input"),
        "litellm_call_id": said("litellm_call_id"),
        "litellm_no_upstream_llm_call": said("litellm_no_upstream_llm_call"),
        "litellm_params": said("litellm_params"),
        "model": said("model"),
        "optional_params": said("optional_params"),
        "stream": said("stream"),
        "user": said("user"),
        "standard_logging_object": {"messages": [*as_items(asked)] or asked, "startTime": time.time()},
    }


def _generation(known: Mapping[str, object], sink: Sink, slot: Slot, vigil: Vigil) -> Generation | None:
    said = read_litellm(known, None, ok=False)
    if said is None or not said.was_sent:
        return None
    outcome = _outcome(vigil, keeps_content=sink.keeps_content and slot.keeps_content)
    if outcome.failure is None and not _lacks_nothing(outcome) and not vigil.answered:
        outcome = changed(outcome, failure=ABANDONED if said.streamed else CANCELLED)
    timing = changed(said.timing, ended=max(said.timing.started, UnixNanos(time.time_ns())))
    settled = Settled(slot.started, None, slot.usage, late=False, keeps_content=slot.keeps_content)
    return generation_of(sink, changed(said, outcome=outcome, timing=timing), settled, job=None)


def _outcome(vigil: Vigil, *, keeps_content: bool) -> Outcome:
    """What has come, of a stream too; a wrapper of LiteLLM's around another one has no chunks of its own."""
    if vigil.answer is not None:
        return read_paid(vigil.answer)
    accumulator = CHAT.accumulator(1, keeps_content)
    for chunk in max(vigil.streams, key=len, default=()):
        accumulator.add(chunk)
    outcome = accumulator.outcome()
    return outcome if outcome.finish_reasons else changed(outcome, usage=_asked_for(outcome.usage))


def _asked_for(usage: Usage) -> Usage:
    """
    What is certain before the end: Anthropic tells the input in the first event, with an output that goes on growing.

    https://platform.claude.com/docs/en/build-with-claude/streaming
    """
    return Usage(
        input_tokens=usage.input_tokens,
        cache_read_tokens=usage.cache_read_tokens,
        cache_write_tokens=usage.cache_write_tokens,
    )


def _lacks_nothing(outcome: Outcome) -> bool:
    return bool(outcome.finish_reasons) and outcome.usage.known
