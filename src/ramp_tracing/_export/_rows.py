"""
From a table of attributes to functions that read them all.

Of some seventy values nearly all are None: a loop over the table, with a call for each, takes three times as long. So
each function is written out once, as `dataclasses` writes methods, and what many rows need is looked for once.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence, Set
from functools import cached_property
from typing import Any, Final, NamedTuple, cast

from .._record import NOBODY, Generation
from ._readers import Reader, amounts_of
from ._span import Value
from ._values import MAX_TEXT_CHARACTERS, sound


class When(NamedTuple):
    """A row whose reader has nothing to say where a part of the record is missing, and is not asked there."""

    part: str
    """Of `PARTS`."""
    read: Reader


Row = Reader | When | str
"""One attribute's value: a reader, or where the field is, by a part of the record: ``usage.input_tokens``."""

Rows = Mapping[str, Row]
"""Key → row."""

Read = Callable[[Generation], dict[str, Value]]
"""All that there is to say, in the order of the rows, as `sound` has it."""

PARTS: Final[Mapping[str, Reader | str]] = {
    "usage": "generation.usage",
    "failure": "generation.failure",
    "retries": "generation.retries or None",
    "hosted_tools": "usage.hosted_tool_calls or None",
    "other_id": "None if generation.response_id == generation.id else generation.response_id",
    "parameters": "generation.parameters or None",
    "first_chunk": "generation.timing.first_chunk",
    "content": "generation.content",
    "cost": "generation.cost",
    "amounts": amounts_of,
    "attribution": lambda generation: None if generation.attribution is NOBODY else generation.attribution,
}
"""What rows may speak of beside ``generation`` itself → how it is found; `None` where there is none."""

ALWAYS_THERE: Final = frozenset({"generation", "usage"})

IS_TEXT: Final = f"type(value) is str and len(value) <= {MAX_TEXT_CHARACTERS} and value.isascii()"
IS_COUNT: Final = f"type(value) is int and {-(2**63)} <= value < {2**63}"
"""Nearly all are short texts and counts, which `sound` would return as they are."""


class Reading:
    """
    A table that can be read.

    Args:
        rows: In the order in which they are sent.
    """

    def __init__(self, rows: Rows) -> None:
        self.rows: Final = rows

    @property
    def keys(self) -> Set[str]:
        """Those of all rows."""
        return self.rows.keys()

    @cached_property
    def read(self) -> Read:
        """The function that reads the rows."""
        body: list[str] = []
        for number, (key, row) in enumerate(self.rows.items()):
            keep = f"attributes[{key!r}] = value"
            body += lines_of(row, number, {f"({IS_TEXT}) or ({IS_COUNT})": keep}, otherwise=keep)
        lines = ["attributes = {}", *body, "return attributes"]
        return cast("Read", function_of(lines, list(self.rows.values()), {}))


def part_of(row: Row) -> str:
    """The part of the record that a row speaks of."""
    if isinstance(row, str):
        return row.partition(".")[0]
    return row.part if isinstance(row, When) else "generation"


def function_of(lines: Sequence[str], rows: Sequence[Row], known: Mapping[str, object]) -> Callable[..., Any]:
    """
    A function of a generation and, for whoever needs it, ``more``.

    Args:
        lines: What it does; of every part and every reader it knows the name.
        rows: Those that *lines* speak of by their number.
        known: What else *lines* name.
    """
    names: dict[str, Any] = {"sound": sound, **known}
    parts: list[str] = []
    for part, found in PARTS.items():
        names[f"find_{part}"] = found
        parts.append(f"{part} = {found if isinstance(found, str) else f'find_{part}(generation)'}")
    for number, row in enumerate(rows):
        names[f"read_{number}"] = row.read if isinstance(row, When) else row
    exec("\n ".join(["def function(generation, more=None):", *parts, *lines]), names)
    return cast("Callable[..., Any]", names["function"])


def lines_of(row: Row, number: int, plainly: Mapping[str, str], *, otherwise: str) -> Iterator[str]:
    """
    The lines that look at one value.

    Args:
        row: Its row.
        number: That of the row.
        plainly: Condition → what to do with a ``value`` that is sound as it is.
        otherwise: What to do with any other ``value``, once it has been made sound.
    """
    given = row if isinstance(row, str) else f"read_{number}(generation)"
    part = part_of(row)
    if part not in ALWAYS_THERE:
        yield f"if {part} is not None:"
    indent = "" if part in ALWAYS_THERE else " "
    yield f"{indent}value = {given}"
    yield f"{indent}if value is not None:"
    word = "if"
    for condition, keep in plainly.items():
        yield f"{indent} {word} {condition}:"
        yield f"{indent}  {keep}"
        word = "elif"
    yield f"{indent} {word} (value := sound(value)) is not None:"
    yield f"{indent}  {otherwise}"
