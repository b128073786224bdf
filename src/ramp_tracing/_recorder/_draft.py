"""A record that is being made."""

from typing import Any, Final

from .._context import InForce
from .._record import GENERATIONS, Content, Cost, Drafts, Timing, UnixNanos
from ._request import Request

CONTENTS: Final = Drafts(Content)
TIMINGS: Final = Drafts(Timing)


def drafted(request: Request, in_force: InForce, timing: Timing, *, retries: int | None, cost: Cost | None) -> Any:
    """A draft of a record, with what is known of a call without its answer."""
    made = GENERATIONS.begin()
    made.operation = request.operation
    made.library = request.library
    made.provider = request.provider
    made.server_address = request.server_address
    made.server_port = request.server_port
    made.request_model = request.request_model
    made.streamed = request.streamed
    made.parameters = request.parameters
    made.api_key_hash = request.api_key_hash
    surround(made, in_force, timing, retries=retries, cost=cost)
    return made


def surround(made: Any, in_force: InForce, timing: Timing, *, retries: int | None, cost: Cost | None) -> None:
    """Put into a draft of a record what is known of a call beside what was asked and answered."""
    made.timing = timing
    made.retries = retries
    made.cost = cost
    made.role = "leaf" if in_force.in_tree else "call"
    made.attribution = in_force.attribution
    made.span_parent = in_force.span_parent


def timed(started: UnixNanos, ended: UnixNanos, first_chunk: UnixNanos | None = None) -> Timing:
    """When a call happened."""
    made = TIMINGS.begin()
    made.started, made.ended, made.first_chunk = started, ended, first_chunk
    return TIMINGS.end(made)
