"""What callgrind writes: https://valgrind.org/docs/manual/cl-format.html"""

import re
from collections.abc import Iterator, Sequence
from statistics import median
from typing import Final, NamedTuple

ALLOCATOR: Final = re.compile(
    r"(_int_)?(malloc|calloc|realloc|free)\b|malloc_consolidate|unlink_chunk|sysmalloc|systrim|tcache_|alloc_perturb|free_perturb"
)
"""Functions of the C library, by how their names begin."""

ALLOCATES: Final = frozenset({"malloc", "calloc", "realloc"})

NAME: Final = re.compile(r"(?P<kind>c?fn)=\((?P<number>\d+)\)(?: (?P<name>.*))?")
"""A name is written once, and stands for its number from then on."""


class Tally(NamedTuple):
    """
    What a thread took.

    Attributes:
        instructions: Without those of the allocator.
        allocator: Instructions of the allocator.
        allocations: How often it was asked for memory.
    """

    instructions: float
    allocator: float
    allocations: float

    def less(self, other: "Tally") -> "Tally":
        """What is left of it without *other*."""
        return Tally._make(mine - its for mine, its in zip(self, other, strict=True))

    def over(self, calls: int) -> "Tally":
        """What it is for one of so many calls."""
        return Tally._make(each / calls for each in self)

    @property
    def price(self) -> float:
        """Instructions that an allocation took, and its release."""
        return self.allocator / self.allocations if self.allocations else 0.0

    def at(self, price: float) -> float:
        """All instructions, had each allocation had this price."""
        return self.instructions + self.allocations * price


def median_of(tallies: Sequence[Tally]) -> Tally:
    """The median of each."""
    return Tally._make(map(median, zip(*tallies, strict=True)))


def tally_of(dump: str) -> Tally:
    """What is in the dump of one thread."""
    instructions, allocator, allocations = 0, 0, 0
    for function, cost, called in costs_in(dump):
        if called is not None:
            allocations += called if function in ALLOCATES else 0
        elif ALLOCATOR.match(function):
            allocator += cost
        else:
            instructions += cost
    return Tally(instructions, allocator, allocations)


def costs_in(dump: str) -> Iterator[tuple[str, int, int | None]]:
    """(function, its own instructions, none), and (function, 0, how often it was called), line by line."""
    names: dict[str, str] = {}
    own = called = ""
    is_of_a_call = False
    for line in dump.splitlines():
        if found := NAME.fullmatch(line):
            name = names[found["number"]] = found["name"] or names[found["number"]]
            own, called = (own, name) if found["kind"] == "cfn" else (name, called)
        elif line.startswith("calls="):
            is_of_a_call = True
            yield called, 0, int(line[len("calls=") :].split()[0])
        elif line[:1].isdigit() or line[:1] in ("+", "-", "*"):
            if not is_of_a_call:  # else it is what the function called took
                yield own, int(line.split()[-1]), None
            is_of_a_call = False
