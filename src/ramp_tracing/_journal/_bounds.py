"""What a journal on disk may take."""

from .._dataclass import dataclass
from ._contents import MAX_CONTENT_BYTES


@dataclass(frozen=True, slots=True, kw_only=True)
class Bounds:
    """
    Attributes:
        segment_bytes: A segment that is longer is followed by another: what is settled can be deleted.
        total_bytes: All segments of a destination: three days of an outage at one call a second.
        max_age_seconds: Nobody closes a month's books later than this.
        trial_seconds: How long a process tries to send what it finds that old, before it deletes it: a machine may have
            been off for weeks, or its clock may be wrong until it has asked for the time.
        content_bytes: Prompts and answers in memory.
        adopted: Segments of dead processes that one process has open: a descriptor or two each.
        round_seconds: How often a process looks for those, and whether its own is still there.
    """

    segment_bytes: int = 8 << 20
    total_bytes: int = 256 << 20
    max_age_seconds: float = 30 * 86_400
    trial_seconds: float = 3_600.0
    content_bytes: int = MAX_CONTENT_BYTES
    adopted: int = 16
    round_seconds: float = 10.0
