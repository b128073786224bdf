"""
Whether anybody stands above a call that starts here.

Most applications call a client themselves: for those, what finds out who it is is never loaded. Where somebody does, a
layer has a slot or a run is open, and whoever opened it has loaded it.
"""

from typing import TYPE_CHECKING

from .._state import Holder, Sink, state

if TYPE_CHECKING:
    from .._context import Around
    from ._run import Run


def sink_under(sink: Holder) -> Sink:
    """Where a call of the client that starts here is recorded: *sink*, or where it waits for the layer above."""
    if not state.layers:
        return sink
    from ._promises import promised

    return promised(sink)


def around_here(*, answers: bool = True) -> "Around | None":
    """What LangChain says of the call that starts here; see `_runs_here.around`."""
    if not state.runs:
        return None
    from ._runs_here import around

    return around(answers=answers)


def claim_models(*, by_handler: bool = False) -> "Run | None":
    """Claim every model's run that is in the middle of its call here; see `_runs_here.claim`."""
    if not state.runs:
        return None
    from ._runs_here import claim

    return claim(by_handler=by_handler)
