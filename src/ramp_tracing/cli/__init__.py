"""The command line, ``ramp-tracing``."""

from ._app import main

__all__ = ["main"]
