"""What the package knows about one billable model call. Standard library only."""

from typing import TYPE_CHECKING

from .._lazy import names_of
from ._attribution import NAMES, NO_METADATA, NOBODY, Attribution, SpanParent
from ._cost import Cost, CostSource
from ._drafts import Drafts, changed
from ._generation import Content, Failure, Generation, GenerationId, Role, Timing, UnixNanos
from ._job import UNKNOWN_JOB, JobNote
from ._unread import Lean, ReadLater, Recorded, Unread, whole
from ._usage import Usage

if TYPE_CHECKING:
    from ._outcome import GENERATIONS, NOTHING_READ, Outcome, answer, answered_by

__all__ = [
    "GENERATIONS",
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
    "Lean",
    "Outcome",
    "ReadLater",
    "Recorded",
    "Role",
    "SpanParent",
    "Timing",
    "UnixNanos",
    "Unread",
    "Usage",
    "answer",
    "answered_by",
    "changed",
    "whole",
]

# There is none before there is an answer.
OF_ANSWERS = ("GENERATIONS", "NOTHING_READ", "Outcome", "answer", "answered_by")

__getattr__ = names_of(__name__, dict.fromkeys(OF_ANSWERS, "_outcome"))
