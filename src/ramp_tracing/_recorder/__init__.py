"""
One call in flight.

An integration makes a `Recording` when the call starts and ends it in one of three ways; whatever happens
afterwards, the first ending counts and there is exactly one `Generation`.
"""

from .._record import ReadLater
from ._draft import CONTENTS, timed
from ._job_records import ANSWERED, answered_first, as_asked, timing_of_job
from ._recording import ABANDONED, Recording, hand_over, sayable
from ._request import Request
from ._start import Start, unchanging
from ._unread import Sent, Unanswered

__all__ = [
    "ABANDONED",
    "ANSWERED",
    "CONTENTS",
    "ReadLater",
    "Recording",
    "Request",
    "Sent",
    "Start",
    "Unanswered",
    "answered_first",
    "as_asked",
    "hand_over",
    "sayable",
    "timed",
    "timing_of_job",
    "unchanging",
]
