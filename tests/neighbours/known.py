"""Differences that are there for a reason."""

from typing import Final

from .comparing import Difference

KNOWN: Final[dict[str, str]] = {}


def known(name: str, difference: Difference) -> str | None:
    """Why it is there; `None` if it should not be."""
    return None
