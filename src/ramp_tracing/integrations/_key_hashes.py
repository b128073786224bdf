"""The hash of the key that a call is made with: only where the user has an allow-list of keys, and never the key."""

from collections.abc import Mapping
from hashlib import sha256
from typing import Any, Final

from .._normalizers import as_fields
from .._state import state

KEY_HEADERS: Final = frozenset({"authorization", "x-api-key", "api-key"})
"""Where a key stands in a request; OpenAI's and most others', Anthropic's, Azure's."""


def hash_of(key: object) -> str | None:
    """
    SHA-256 of *key*, in hexadecimal digits.

    Returns:
        `None` where nobody asked for it, and for what is no key: an empty text, a function that makes keys, what
        Azure's client has in the place of a key (``<missing API key>``).
    """
    if not state.hashes_keys or type(key) is not str or not key or key.startswith("<"):
        return None
    return sha256(key.encode("utf-8", "surrogatepass")).hexdigest()


def hash_of_client(client: Any, options: Any) -> str | None:
    """The same of the key that a generated client sends: the request's own, else the client's."""
    if not state.hashes_keys:
        return None
    own = _key_in(as_fields(getattr(options, "headers", None)))
    if own is not None:
        return hash_of(own)
    if getattr(client, "_api_key_provider", None) is not None:  # what is in its place may be an earlier one
        return None
    return hash_of(getattr(client, "api_key", None))


def _key_in(headers: Mapping[str, object]) -> str | None:
    for name, value in headers.items():
        if type(value) is str and name.lower() in KEY_HEADERS:
            return value.removeprefix("Bearer ")
    return None
