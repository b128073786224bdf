"""
For tests of applications that use ramp_tracing.

`capture_generations` records calls into a list. `FakeRamp` is a receiver on 127.0.0.1 that takes what would go to Ramp
and hands it to the test.

Example:
    >>> with FakeRamp() as ramp:
    ...     ramp_tracing.instrument(api_key="test", base_url=ramp.url)
    ...     answer_a_customer()
    ...     [generation] = ramp.wait_for(1)
    ...     assert generation.attributes["trace.metadata.cost_center"] == "CC-1234"
    ...     ramp_tracing.uninstrument()
"""

from ._captured import Generations, capture_generations
from ._fake_ramp import FakeRamp
from ._loopback import Answer, Request
from ._received import ReceivedEvent, ReceivedSpan

__all__ = [
    "Answer",
    "FakeRamp",
    "Generations",
    "ReceivedEvent",
    "ReceivedSpan",
    "Request",
    "capture_generations",
]
