"""
Providers of the application's own, which may ask LiteLLM in their turn.

https://docs.litellm.ai/docs/providers/custom_llm_server: LiteLLM tells of the call that a handler makes, and then of
the one that the handler was called for, with the same answer. It was paid for once, by the former.
"""

import sys
import time
from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final

from .._normalizers import as_items, as_name, dig
from .._state import state

MAX_LATEST: Final = 256
"""Calls among which that of the handler is looked for: it has just ended."""

SECONDS_FOR_INNER: Final = 0.25
"""LiteLLM tells of sync calls on threads, of the handler's a moment earlier: then it is there within milliseconds."""


def is_handed_on(call: Mapping[str, object], answer: object) -> bool:
    """
    Whether what LiteLLM tells of is the answer to another call of its own, which has been recorded.

    Args:
        call: The ``kwargs`` of the callback.
        answer: The ``response_obj``.
    """
    providers: Any = getattr(sys.modules.get("litellm"), "custom_provider_map", None)
    if not providers:
        return False
    word, answer_id = call.get("custom_llm_provider"), as_name(dig(answer, "id"))
    if answer_id is None or not any(dig(each, "provider") == word for each in as_items(providers)):
        return False
    until = time.monotonic() + SECONDS_FOR_INNER
    while not (answer_id in state.seen and _began_within(call)):
        if not state.watched or time.monotonic() > until or _runs_event_loop():
            return False
        time.sleep(0.005)
    return True


def _runs_event_loop() -> bool:
    """There LiteLLM tells of one call after the other."""
    asyncio = sys.modules.get("asyncio")
    running = getattr(asyncio, "_get_running_loop", None)
    return running is not None and running() is not None


def _began_within(call: Mapping[str, object]) -> bool:
    """Whether another call that LiteLLM has told of began while this one went on."""
    began, ended, own = call.get("start_time"), call.get("end_time"), call.get("litellm_call_id")
    if not (isinstance(began, datetime) and isinstance(ended, datetime)):
        return False
    latest: list[Any] = list(state.slots.values())[-MAX_LATEST:]  # a single step: other threads put calls in
    return any(
        isinstance(attempt, datetime) and began <= attempt <= ended
        for slot in latest
        if slot.key != own
        for attempt in slot.attempts
    )
