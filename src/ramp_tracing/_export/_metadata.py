"""The user's own keys (team, cost center, project…), bounded, and never in the way of a key of ours."""

import logging
from collections.abc import Iterator, Set
from typing import Final

from .._capture import metadata_value
from .._guard import log
from .._record import Attribution
from ._span import Value
from ._values import sound, sound_text

MAX_KEYS: Final = 64
"""Backends stop indexing new keys at some hundreds; a loop that makes keys up should not get there."""

MAX_KEY_CHARACTERS: Final = 256
MAX_VALUE_BYTES: Final = 4096

RESERVED: Final = frozenset({"generation_name", "parent_span_id", "span_name", "trace_id", "trace_name"})
"""Keys of OpenRouter's ``trace`` object that have attributes of their own."""


def metadata_of(attribution: Attribution, prefixes: tuple[str, ...], taken: Set[str]) -> dict[str, Value]:
    """
    The metadata as attributes.

    Args:
        attribution: Whose metadata.
        prefixes: What each key is sent under: ``("trace.metadata.", "span.metadata.")``.
        taken: Keys of ours that begin with such a prefix; they are not the user's to give.

    Returns:
        Nothing for values that are `None`; lists and objects as JSON text.
    """
    if not attribution.metadata:
        return {}
    pairs = list(_sendable(attribution))
    return {prefix + key: value for prefix in prefixes for key, value in pairs if prefix + key not in taken}


def _sendable(attribution: Attribution) -> Iterator[tuple[str, Value]]:
    sent = 0
    for key, given in attribution.metadata.items():
        if not key or key in RESERVED:
            continue
        value = sound(metadata_value(given))
        if value is None:
            continue
        sent += 1
        if sent > MAX_KEYS:
            log.once_a_minute(logging.WARNING, "metadata keys", f"only the first {MAX_KEYS} keys of metadata were sent")
            return
        yield sound_text(key)[:MAX_KEY_CHARACTERS], _cut(value)


def _cut(value: Value) -> Value:
    if not isinstance(value, str) or len(value) * 4 <= MAX_VALUE_BYTES:  # a character has four bytes at most
        return value
    return value.encode()[:MAX_VALUE_BYTES].decode(errors="ignore")
