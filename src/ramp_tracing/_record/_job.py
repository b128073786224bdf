"""What is known of paid work that goes on after its call."""

from .._dataclass import dataclass
from ._generation import Generation


@dataclass(frozen=True, slots=True, kw_only=True)
class JobNote:
    """
    What processes of this machine have noted of a job.

    Attributes:
        created: The record of its creation, without content; `None` if nobody noted it, or if it is settled.
        settled: Whether its end has been recorded.
    """

    created: Generation | None = None
    settled: bool = False


UNKNOWN_JOB = JobNote()
"""Nobody here has created it or seen its end."""
