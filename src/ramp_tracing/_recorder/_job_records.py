"""Records of paid work that goes on after its call."""

from dataclasses import replace
from typing import Final

from .._record import Generation, Outcome, Timing, UnixNanos, changed


def as_asked(created: Generation, seen: Generation) -> Generation:
    """
    The record of a job's end, for the one who created it.

    Args:
        created: The record of its beginning.
        seen: That of its end, for the one who asked how it is.
    """
    return replace(
        seen,
        **{name: getattr(created, name) for name in ASKED},
        timing=replace(seen.timing, started=created.timing.started),
        response_model=seen.response_model or created.response_model,
    )


ASKED: Final = (
    "operation", "library", "provider", "server_address", "server_port", "request_model", "streamed", "parameters",
    "retries", "attribution", "span_parent", "api_key_hash",
)  # fmt: skip
"""What of a record does not come from the answer."""

ANSWERED: Final = (
    "upstream_provider", "response_model", "response_id", "finish_reasons", "native_finish_reason", "service_tier",
    "inference_geo",
)  # fmt: skip
"""What of a record is taken from the answer as it is."""


def answered_first(seen: Generation, outcome: Outcome) -> Generation:
    """*seen*, and where its answer said nothing of something, what *outcome* says of it."""
    missing = {name: said for name in ANSWERED if not getattr(seen, name) and (said := getattr(outcome, name))}
    return changed(seen, **missing) if missing else seen


def timing_of_job(timing: Timing, outcome: Outcome, *, now: UnixNanos) -> Timing:
    """When a job ran: until it ended by the provider's word, in whole seconds, else until it was seen to have ended."""
    said = outcome.ended
    ended = said if said is not None and timing.started < said <= now else max(now, timing.started)
    return replace(timing, ended=ended)
