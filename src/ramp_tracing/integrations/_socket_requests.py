"""What an application asks for over a websocket."""

from collections.abc import Mapping
from dataclasses import field
from typing import Final

from .._capture import snapshot
from .._context import in_force
from .._dataclass import dataclass
from .._guard import guarded
from .._normalizers import WireFormat, as_fields, as_name, numbers_in
from .._record import NOBODY, Attribution
from ._asking import attribution_in

SENTINELS: Final = frozenset({"NotGiven", "Omit"})
"""Types of what stands for an argument that was not given."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """
    A request for a response that has not begun.

    Attributes:
        lane: Its ``stream_id``.
        model: The model that it asks for.
        parameters: Its parameters that are numbers.
        attribution: What it says of who it is for, and what was in force where it was sent.
        content: What is asked; `None` in privacy mode.
        content_bytes: Roughly its size.
    """

    lane: object = None
    model: str | None = None
    parameters: Mapping[str, float] = field(default_factory=dict[str, float])
    attribution: Attribution = NOBODY
    content: object = None
    content_bytes: int = 0


NOTHING_ASKED: Final = Asked()


def asked_in(event: object, format: WireFormat, *, keeps_content: bool) -> Asked:
    """
    What a ``response.create`` asks for.

    Args:
        event: A dictionary, or one of the library's objects.
        format: How requests of its kind are read.
        keeps_content: False in privacy mode.
    """
    given = as_fields(event) or as_fields(getattr(event, "__dict__", None))
    body = {key: value for key, value in given.items() if type(value).__name__ not in SENTINELS}
    content, size = None, 0
    with guarded("keeping what is asked"):
        if keeps_content:
            content, size = snapshot(format.content(body))
    return Asked(
        lane=body.get("stream_id"),
        model=as_name(body.get("model")),
        parameters=numbers_in(body),
        attribution=in_force(attribution_in(body, format.user(body)), NOBODY).attribution,
        content=content,
        content_bytes=size,
    )
