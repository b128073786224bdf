"""
Instrumenting a program that does not know of us: `ramp-tracing run`, or the variables that it sets.

Every Python that starts with `SITE` on its ``PYTHONPATH`` imports the ``sitecustomize`` there before anything of the
program, as do its children. OpenTelemetry's own launcher puts another one in front of it; that one calls entry points,
and `start_when_asked` is one of them.
"""

import json
import logging
import os
from collections.abc import Mapping, MutableMapping
from pathlib import Path
from typing import Final, cast

from .._sdk import Options, instrument
from .._state import state
from ..exceptions import ConfigurationError

SITE: Final = str(Path(__file__).with_name("site"))
"""The directory that holds nothing but ``sitecustomize``."""

ASKED: Final = "RAMP_TRACING_RUN"
"""Set to 1 where a program is to be instrumented without its doing."""

TRACE: Final = "RAMP_TRACING_RUN_TRACE"
"""What is true of the whole process, as a JSON object: the option ``trace``."""

log: Final = logging.getLogger("ramp_tracing")


def start() -> None:
    """Instrument this process as the environment says. What is wrong is logged: the program goes on without us."""
    if state.enabled:
        return
    try:
        trace = trace_in(os.environ)
        options: Options = {"trace": trace} if trace else {}
        instrument(**options)
    except ConfigurationError as wrong:
        log.warning("model calls are not reported: %s", wrong)


def start_when_asked() -> None:
    """For OpenTelemetry's launcher, which calls it in every program that it starts."""
    if os.environ.get(ASKED) == "1":
        start()


def trace_in(environ: Mapping[str, str]) -> Mapping[str, object]:
    """
    What the environment says of the whole process; nothing if it does not.

    Raises:
        ConfigurationError: It is no JSON object.
    """
    try:
        trace = json.loads(environ.get(TRACE) or "{}")
    except ValueError:
        trace = None
    if not isinstance(trace, dict):
        raise ConfigurationError(f'{TRACE} is not a JSON object: write {{"team": "billing"}}')
    return cast(Mapping[str, object], trace)


def ask(environ: MutableMapping[str, str], *, also: str | None = None) -> None:
    """
    Change an environment so that every Python that starts in it is instrumented.

    Args:
        environ: The environment.
        also: A directory with another ``sitecustomize``, which goes on being used.
    """
    # An empty part of it means the working directory; an empty variable means nothing.
    already = (
        [each for each in environ["PYTHONPATH"].split(os.pathsep) if each != SITE] if environ.get("PYTHONPATH") else []
    )
    others = [also] if also and also != SITE and also not in already else []
    environ["PYTHONPATH"] = os.pathsep.join([SITE, *others, *already])
    environ[ASKED] = "1"
