"""`ramp-tracing demo`: real calls of the real openai client, on this machine alone."""

from ._command import demo

__all__ = ["demo"]
