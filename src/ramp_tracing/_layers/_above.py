"""
Whether anybody stands above a call that starts here.

Most applications call a client themselves: for those, what finds out who it is is never loaded. Where somebody does, a
layer has a slot or a run is open, and whoever opened it has loaded it.
"""

from functools import cache
from types import ModuleType
from typing import TYPE_CHECKING

from .._lazy import load
from .._state import Holder, Sink, state

if TYPE_CHECKING:
    from .._context import Around
    from ._run import Run


def sink_under(sink: Holder) -> Sink:
    """Where a call of the client that starts here is recorded: *sink*, or where it waits for the layer above."""
    if not state.layers:
        return sink
    held: Sink = _promises().promised(sink)
    return held


def around_here(*, answers: bool = True) -> "Around | None":
    """What LangChain says of the call that starts here; see `_runs_here.around`."""
    if not state.runs:
        return None
    said: Around | None = _runs_here().around(answers=answers)
    return said


def claim_models(*, by_handler: bool = False) -> "Run | None":
    """Claim every model's run that is in the middle of its call here; see `_runs_here.claim`."""
    if not state.runs:
        return None
    nearest: Run | None = _runs_here().claim(by_handler=by_handler)
    return nearest


# To import a module that is there already costs 12,000 instructions each time: several times what is asked of it.
@cache
def _runs_here() -> ModuleType:
    return load(f"{__package__}._runs_here")


@cache
def _promises() -> ModuleType:
    return load(f"{__package__}._promises")
