"""Differences that are there for a reason."""

from typing import Final, NamedTuple

from .comparing import Difference


class Known(NamedTuple):
    """Differences that are known, and why they are there."""

    names: tuple[str, ...]
    side: str
    arrangements: tuple[str, ...]
    """How those begin in which it is met."""
    call: str
    """How the call begins."""
    why: str


KNOWN: Final = (
    Known(
        ("openinference",),
        "theirs",
        ("theirs, ours, asking",),
        "stream without usage",
        "where they came first they stand below us, and their span shows the stream_options that we have added",
    ),
    Known(
        ("logfire",),
        "theirs",
        ("theirs, ours, asking", "ours, theirs, asking"),
        "stream without usage",
        "they read the stream below us, and have the usage that we have asked for",
    ),
    Known(
        ("ddtrace",),
        "ours",
        ("theirs, ours", "ours, theirs"),
        "stream without usage",
        "they ask for the usage themselves, and our record has it then, whatever stream_usage is",
    ),
    Known(
        ("openai-v2",),
        "ours",
        ("theirs, ours", "ours, theirs"),
        "raw stream",
        "they hand the application something without headers and parse(); it fails, and nobody reads the stream",
    ),
)


def known(name: str, difference: Difference) -> str | None:
    """Why it is there; `None` if it should not be."""
    for each in KNOWN:
        if (
            name in each.names
            and difference.side == each.side
            and difference.arrangement.startswith(each.arrangements)
            and difference.call.startswith(each.call)
        ):
            return each.why
    return None
