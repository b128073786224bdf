"""
Errors of ramp_tracing.

They are raised while it is being set up and say what to change. After that nothing of ours raises:
what goes wrong later is one log line on the ``ramp_tracing`` logger and a number in `ramp_tracing.stats`.
"""

__all__ = ["ConfigurationError", "RampTracingError"]


class RampTracingError(Exception):
    """The base of every error that ramp_tracing raises."""


class ConfigurationError(RampTracingError, ValueError):
    """An option, an argument or an environment variable cannot be used; the message says what to change."""
