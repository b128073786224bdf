"""Imported by Python at its start, because `ramp-tracing run` put this directory first; then the one it hides."""

import logging
import sys
from importlib.machinery import PathFinder
from importlib.util import module_from_spec
from pathlib import Path

NEEDED = 0x030B0000
"""Python 3.11; an older one understands only some of our files, and ends in others with errors of many kinds."""


def _start() -> None:
    try:
        if sys.hexversion < NEEDED:
            raise ImportError("ramp-tracing needs Python 3.11 or newer")
        from ramp_tracing._autostart import start
    except ImportError as error:
        # Another Python than the one that ramp-tracing is installed for.
        logging.getLogger("ramp_tracing").warning("model calls are not reported: %s", error)
        return
    start()


def _go_on() -> None:
    """Be the ``sitecustomize`` that would be there without us: of the system, of a container, of another tool."""
    here = Path(__file__).parent
    others = [each for each in sys.path if Path(each or ".").absolute() != here]
    spec = PathFinder.find_spec("sitecustomize", others)
    if spec is None or spec.loader is None:
        return
    module = module_from_spec(spec)
    sys.modules["sitecustomize"] = module
    spec.loader.exec_module(module)


try:
    _start()
finally:
    _go_on()
