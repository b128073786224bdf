"""
What content may leave the process, and in which form.

Prompts and answers are foreign values: whatever the application put into a request, whatever a client library made of
an answer. Nothing here runs a line of theirs (no ``__str__``, no ``__iter__``, no property), nothing raises, and all
work is bounded. Pictures, sound and files never leave: a note of their kind and size does.
"""

from typing import TYPE_CHECKING

from .._lazy import names_of
from ._snapshot import snapshot

if TYPE_CHECKING:
    from ._json import json_text, metadata_value
    from ._text import clean_text

__all__ = ["clean_text", "json_text", "metadata_value", "snapshot"]

# What a caller does is the snapshot; the rest is done with it where it is written down or sent.
__getattr__ = names_of(__name__, {"clean_text": "_text", "json_text": "_json", "metadata_value": "_json"})
