"""
One call, one record.

A call may pass through several libraries that we watch: LiteLLM sends many of its own through the openai client. Which
of them records is decided here and nowhere else. Precedence: LiteLLM (it knows configured prices, team and key), then
the client that has the exchange with the provider, then LangChain. The others add what they know.

A layer that records opens a slot for each call it has seen start, under the call's own id. The client below asks, at
the start of its call, whether a slot has promised to record it: a frame of the layer must be on the stack, and name
the call. Its own record is then held, never dropped. The layer above takes it over when it speaks; if it does not,
because LiteLLM says nothing of calls that are abandoned or cancelled, the held record is recorded as it is.

A call that nobody below has seen is recorded by a vigil, once the layer above can say nothing of it any more.

A call that the application makes itself, in the loop over somebody else's stream too, has no such frame above it.
"""

from typing import TYPE_CHECKING, Final

from .._lazy import names_of
from .._state import Layer
from ._above import around_here, claim_models, sink_under

if TYPE_CHECKING:
    from ._configured import configured_here
    from ._promises import Settled, is_waiting, release, settle, stop_speaking
    from ._run import Ending, Kind, Run, end_run, run_of
    from ._runs import open_run
    from ._same_id import run_that_speaks, told_before
    from ._slots import Slot, is_first_word, is_open, note_usage, open_slot, slot_of, watch_forks
    from ._stack import frames_above, layer_above
    from ._vigils import Vigil, answer_of, note_answer, note_stream

__all__: Final = [
    "Ending",
    "Kind",
    "Layer",
    "Run",
    "Settled",
    "Slot",
    "Vigil",
    "answer_of",
    "around_here",
    "claim_models",
    "configured_here",
    "end_run",
    "frames_above",
    "is_first_word",
    "is_open",
    "is_waiting",
    "layer_above",
    "note_answer",
    "note_stream",
    "note_usage",
    "open_run",
    "open_slot",
    "release",
    "run_of",
    "run_that_speaks",
    "settle",
    "sink_under",
    "slot_of",
    "stop_speaking",
    "told_before",
    "watch_forks",
]

LAYERS: Final = {
    "configured_here": "_configured",
    **dict.fromkeys(("Settled", "is_waiting", "release", "settle", "stop_speaking"), "_promises"),
    **dict.fromkeys(("Ending", "Kind", "Run", "end_run", "run_of"), "_run"),
    "open_run": "_runs",
    **dict.fromkeys(("run_that_speaks", "told_before"), "_same_id"),
    **dict.fromkeys(
        ("Slot", "is_first_word", "is_open", "note_usage", "open_slot", "slot_of", "watch_forks"), "_slots"
    ),
    **dict.fromkeys(("frames_above", "layer_above"), "_stack"),
    **dict.fromkeys(("Vigil", "answer_of", "note_answer", "note_stream"), "_vigils"),
}
"""What only layers above a client need."""

__getattr__ = names_of(__name__, LAYERS)
