"""What the package knows about one billable model call. Standard library only."""

from typing import TYPE_CHECKING

from .._lazy import names_of
from ._attribution import NAMES, NO_METADATA, NOBODY, Attribution, SpanParent
from ._cost import Cost, CostSource
from ._drafts import Drafts, changed
from ._generation import Content, Failure, Generation, GenerationId, Role, Timing, UnixNanos
from ._job import UNKNOWN_JOB, JobNote
from ._usage import Usage

if TYPE_CHECKING:
    from ._outcome import NOTHING_READ, Outcome

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
    "changed",
]

# There is none before there is an answer.
__getattr__ = names_of(__name__, {"NOTHING_READ": "_outcome", "Outcome": "_outcome"})
