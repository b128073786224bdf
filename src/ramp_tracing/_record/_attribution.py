"""Who and what a call was for."""

from collections.abc import Mapping
from dataclasses import field, fields
from types import MappingProxyType
from typing import Any, NamedTuple

from .._dataclass import dataclass
from ._drafts import changed

NO_METADATA: Mapping[str, object] = MappingProxyType({})


class SpanParent(NamedTuple):
    """An OpenTelemetry span of the application that was active when the call started."""

    trace_id: str
    """32 lower-case hexadecimal digits."""
    span_id: str
    """16 lower-case hexadecimal digits."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Attribution:
    """
    Who a call was for, and its place in a trace; the names are OpenRouter's (``user``, ``session_id``, ``trace``).

    Attributes:
        user: The person or account that the call is charged to.
        session_id: The conversation or job that the call belongs to.
        trace_id: The trace; 32 hexadecimal digits are used as they are, any other text is hashed.
        trace_name: The root of the trace, for people.
        span_name: The level between the root and the call.
        generation_name: The call itself.
        parent_span_id: The span above the call, 16 hexadecimal digits.
        metadata: Everything else: team, cost center, project…
    """

    user: str | None = None
    session_id: str | None = None
    trace_id: str | None = None
    trace_name: str | None = None
    span_name: str | None = None
    generation_name: str | None = None
    parent_span_id: str | None = None
    metadata: Mapping[str, object] = field(default_factory=lambda: NO_METADATA)

    def over(self, outer: "Attribution") -> "Attribution":
        """This attribution where it says something, *outer* where it does not; metadata is merged key by key."""
        if outer is NOBODY:
            return self
        if self is NOBODY:
            return outer
        said: dict[str, Any] = {}
        for name in NAMES:  # a tenth of what it takes to construct one
            if getattr(self, name) is None and (outers := getattr(outer, name)) is not None:
                said[name] = outers
        if outer.metadata:
            said["metadata"] = {**outer.metadata, **self.metadata} if self.metadata else outer.metadata
        return changed(self, **said) if said else self


NAMES = tuple(each.name for each in fields(Attribution) if each.name != "metadata")
"""The fields that are texts; every other key that a user gives is metadata."""

NOBODY = Attribution()
"""The attribution of a call of which nobody said anything."""
