"""A web application that calls a model in each request, instrumented where it is loaded: before the server forks."""

import os
from collections.abc import Callable, Iterable
from typing import Any, Final

import ramp_tracing

from .calls import CALLERS, facts_of, ledger, prompt_of
from .ledger import marker
from .prefork import WORKER_HEADER

ramp_tracing.instrument()
call = CALLERS["openai"](40)

PRELOADED: Final = marker("preload", os.getpid())
ramp_tracing.record_generation(**facts_of(PRELOADED, prompt_of(40)))
ledger().returned(PRELOADED)


def application(environ: dict[str, Any], start_response: Callable[..., object]) -> Iterable[bytes]:
    """Make the call that the query names."""
    name = environ["QUERY_STRING"]
    call(name)
    ledger().returned(name)
    start_response("200 OK", [("Content-Type", "text/plain"), (WORKER_HEADER, str(os.getpid()))])
    return [b"done"]
