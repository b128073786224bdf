"""What the package knows about one billable model call. Standard library only."""

from ._attribution import NAMES, NO_METADATA, NOBODY, Attribution, SpanParent
from ._cost import Cost, CostSource
from ._drafts import Drafts
from ._generation import Content, Failure, Generation, GenerationId, Role, Timing, UnixNanos
from ._job import UNKNOWN_JOB, JobNote
from ._outcome import NOTHING_READ, Outcome
from ._usage import Usage

__all__ = [
    "NAMES",
    "NOBODY",
    "NOTHING_READ",
    "NO_METADATA",
    "UNKNOWN_JOB",
    "Attribution",
    "Content",
    "Cost",
    "CostSource",
    "Drafts",
    "Failure",
    "Generation",
    "GenerationId",
    "JobNote",
    "Outcome",
    "Role",
    "SpanParent",
    "Timing",
    "UnixNanos",
    "Usage",
]
