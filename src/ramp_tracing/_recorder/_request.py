"""What is known of a call before it is made."""

from collections.abc import Mapping
from dataclasses import field
from types import MappingProxyType

from .._context import Around
from .._dataclass import dataclass
from .._record import NOBODY, Attribution


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """
    What is known of a call before it is made; see `Generation` for the fields of the same name.

    Attributes:
        attribution: What the request itself says of who it is for.
        content: What is asked, JSON-like; not kept in privacy mode.
        content_bytes: Roughly what *content* occupies.
        input_characters: Length of a text to be spoken.
        only_if_used: The call is billable only if its answer reports usage.
        around: The run of a library further up that the call is part of.
        api_key_hash: Of the key that it is made with.
        surroundings: What was in force where the connection was opened that the call is made on; blocks and the
            request go before it.
    """

    operation: str
    library: str
    provider: str | None = None
    server_address: str | None = None
    server_port: int | None = None
    request_model: str | None = None
    streamed: bool = False
    parameters: Mapping[str, float] = field(default_factory=lambda: MappingProxyType({}))
    attribution: Attribution = NOBODY
    content: object = None
    content_bytes: int = 0
    input_characters: int | None = None
    only_if_used: bool = False
    around: Around | None = None
    surroundings: Attribution = NOBODY
    api_key_hash: str | None = None
