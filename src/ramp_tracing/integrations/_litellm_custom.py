"""
Providers of the application's own, which may ask LiteLLM in their turn.

https://docs.litellm.ai/docs/providers/custom_llm_server: LiteLLM tells of the call that a handler makes, and then of
the one that the handler was called for, with the same answer. It was paid for once, by the former.
"""

import sys
import time
from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final, NamedTuple

from .._layers import Slot
from .._normalizers import as_items, as_name, dig
from .._state import state

MAX_LATEST: Final = 256
"""Calls among which that of the handler is looked for: it has just ended."""

SECONDS_FOR_INNER: Final = 0.25
"""LiteLLM tells of sync calls on threads, of the handler's a moment earlier: then it is there within milliseconds."""


class Answered(NamedTuple):
    """
    What LiteLLM has told of a call, where there are providers of the application's own.

    Attributes:
        id: The id of the answer. A server of the application's own may give all of its answers the same.
        word: LiteLLM's name of the provider.
        began: When the call began.
    """

    id: str
    word: object
    began: object


def note_told(slot: Slot, call: Mapping[str, object], answer: object) -> None:
    """
    Note what LiteLLM has told of a call, where it may be told of as two.

    Args:
        slot: The call.
        call: The ``kwargs`` of the callback.
        answer: The ``response_obj``.
    """
    if _provider_map():
        answer_id = as_name(dig(answer, "id"))
        if answer_id is not None:
            slot.answer = Answered(answer_id, call.get("custom_llm_provider"), call.get("start_time"))


def is_handed_on(slot: Slot, call: Mapping[str, object]) -> bool:
    """
    Whether what LiteLLM tells of is the answer to another call of its own, which has been recorded.

    Args:
        slot: The call, as it is noted.
        call: The ``kwargs`` of the callback.
    """
    answer, own = slot.answer, as_items(_provider_map())
    if not isinstance(answer, Answered) or not any(dig(each, "provider") == answer.word for each in own):
        return False
    until = time.monotonic() + SECONDS_FOR_INNER
    while not (answer.id in state.seen and _has_inner(call, answer)):
        if not state.watched or time.monotonic() > until or _runs_event_loop():
            return False
        time.sleep(0.005)
    return True


def _provider_map() -> object:
    return getattr(sys.modules.get("litellm"), "custom_provider_map", None)


def _runs_event_loop() -> bool:
    """There LiteLLM tells of one call after the other."""
    asyncio = sys.modules.get("asyncio")
    running = getattr(asyncio, "_get_running_loop", None)
    return running is not None and running() is not None


def _has_inner(call: Mapping[str, object], answer: Answered) -> bool:
    """Whether another provider's call has the same answer, and began while this one went on."""
    ended = call.get("end_time")
    if not (isinstance(answer.began, datetime) and isinstance(ended, datetime)):
        return False
    try:
        latest: list[Any] = list(state.slots.values())[-MAX_LATEST:]
    except RuntimeError:  # another thread, which needs no lock for that, has put in a call
        return False
    others: list[Answered] = [each.answer for each in latest if each.answer is not None]
    return any(
        each.id == answer.id
        and each.word != answer.word
        and isinstance(each.began, datetime)
        and answer.began <= each.began <= ended
        for each in others
    )
