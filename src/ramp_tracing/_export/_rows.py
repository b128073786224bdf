"""
From a table of attributes to a function that reads them all.

Of some seventy values nearly all are None: a loop over the table, with a call for each, takes three times as long. So
the function is written out once, as `dataclasses` writes methods, and what many rows need is looked for once.
"""

from collections.abc import Callable, Iterator, Mapping, Set
from functools import cached_property
from typing import Final, NamedTuple, cast

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
    "parameters": "generation.parameters or None",
    "first_chunk": "generation.timing.first_chunk",
    "content": "generation.content",
    "cost": "generation.cost",
    "amounts": amounts_of,
    "attribution": lambda generation: None if generation.attribution is NOBODY else generation.attribution,
}
"""What rows may speak of beside ``generation`` itself → how it is found; `None` where there is none."""

ALWAYS_THERE: Final = frozenset({"generation", "usage"})

INTEGERS: Final = (-(2**63), 2**63)


class Reading:
    """
    A table that can be read.

    Args:
        rows: In the order in which they are sent.
    """

    def __init__(self, rows: Rows) -> None:
        self._rows = rows

    @property
    def keys(self) -> Set[str]:
        """Those of all rows."""
        return self._rows.keys()

    @cached_property
    def read(self) -> Read:
        """The function that reads the rows."""
        known: dict[str, object] = {"sound": sound}
        lines = ["def read(generation):", " attributes = {}"]
        for part, found in PARTS.items():
            known[f"find_{part}"] = found
            lines.append(f" {part} = {found if isinstance(found, str) else f'find_{part}(generation)'}")
        for number, (key, row) in enumerate(self._rows.items()):
            known[f"read_{number}"] = row.read if isinstance(row, When) else row
            lines += _row(row, number, key=key)
        exec("\n".join([*lines, " return attributes"]), known)
        return cast("Read", known["read"])


def _row(row: Row, number: int, *, key: str) -> Iterator[str]:
    """The lines that put one value in its place."""
    given = row if isinstance(row, str) else f"read_{number}(generation)"
    part = row.part if isinstance(row, When) else given.partition(".")[0] if isinstance(row, str) else "generation"
    if part not in ALWAYS_THERE:
        yield f" if {part} is not None:"
    indent = " " if part in ALWAYS_THERE else "  "
    yield f"{indent}value = {given}"
    yield f"{indent}if value is not None:"
    # Nearly all are short texts and counts, which `sound` would return as they are.
    yield f"{indent} kind = type(value)"
    yield f"{indent} if (kind is str and len(value) <= {MAX_TEXT_CHARACTERS} and value.isascii()) or ("
    yield f"{indent}   kind is int and {INTEGERS[0]} <= value < {INTEGERS[1]}):"
    yield f"{indent}  attributes[{key!r}] = value"
    yield f"{indent} elif (value := sound(value)) is not None:"
    yield f"{indent}  attributes[{key!r}] = value"
