"""
Making and changing frozen records cheaply, on the application's threads and in the background.

A frozen dataclass sets each of its fields by calling ``object.__setattr__``: 57,000 instructions for a `Generation`,
several times what everything else costs that is done for a call. A draft is the same object before it is frozen: its
class is a subclass that adds nothing, and can be written to. 4,000 instructions.
"""

from collections.abc import Callable
from dataclasses import MISSING, fields
from functools import cache
from typing import TYPE_CHECKING, Any, Generic, TypeVar, cast

__all__ = ["Drafts", "changed"]

Record = TypeVar("Record")


class Drafts(Generic[Record]):
    """
    Makes records of a kind: ``made = drafts.begin()``, ``made.field = …``, ``drafts.end(made)``.

    Args:
        kind: A frozen dataclass with slots and without subclasses.
    """

    __slots__ = ("_kind", "begin", "end")

    begin: "Callable[[], Any]"
    """A record with the default of each field that has one, which can be written to; nobody else has seen it yet."""

    end: "Callable[[Any], Record]"
    """The draft itself, frozen."""

    def __init__(self, kind: type[Record]) -> None:
        self._kind = kind
        self.begin = _beginning(kind)
        self.end = _ending(kind)

    def copy(self, record: Record) -> Any:
        """A draft that says what *record* says."""
        return _copying(cast("Any", self._kind))(record)


def _ending(kind: type[Record]) -> "Callable[[Any], Record]":
    """A function that freezes a draft. No method: ten are ended for a call, and that takes half of the time more."""

    def end(draft: Any) -> Record:
        draft.__class__ = kind  # the same layout, so that nothing is copied
        record: Record = draft
        return record

    return end


def _beginning(kind: Any) -> "Callable[[], Any]":
    """
    A function that makes a draft, with a line for each field: a loop over their names costs ten times as much.

    The dataclasses module makes its constructors in the same way.
    """
    known: dict[str, Any] = {"new": object.__new__, "kind": _writable(kind)}
    lines = ["def begin():", " draft = new(kind)"]
    for each in fields(kind):
        if each.default is not MISSING:
            known[f"default_{each.name}"] = each.default
        elif each.default_factory is not MISSING:
            known[f"default_{each.name}"] = each.default_factory()  # of records: always the same constant
        else:
            continue
        lines.append(f" draft.{each.name} = default_{each.name}")
    exec("\n".join([*lines, " return draft"]), known)
    begin: Callable[[], Any] = known["begin"]
    return begin


if TYPE_CHECKING:
    from dataclasses import replace as changed
else:

    def changed(record: Any, /, **changes: object) -> Any:
        """
        A copy of *record* with other values of some fields: as type checkers see it, `dataclasses.replace`.

        Args:
            record: Of a frozen dataclass with slots and without a ``__post_init__``.
            changes: By field.

        Raises:
            AttributeError: It has no such field.
        """
        kind = record.__class__
        draft = _copying(kind)(record)
        for name, value in changes.items():
            setattr(draft, name, value)
        draft.__class__ = kind
        return draft


@cache
def _copying(kind: Any) -> "Callable[[Any], Any]":
    """A function that makes a draft of a record. At first use: most kinds are never changed, or not on every path."""
    known: dict[str, Any] = {"new": object.__new__, "kind": _writable(kind)}
    lines = [
        "def copy(record):",
        " draft = new(kind)",
        *(f" draft.{each.name} = record.{each.name}" for each in fields(kind)),
    ]
    exec("\n".join([*lines, " return draft"]), known)
    copy: Callable[[Any], Any] = known["copy"]
    return copy


def _writable(kind: Any) -> Any:
    """A subclass of a frozen dataclass that has the same layout and can be written to."""
    members = {"__slots__": (), "__setattr__": object.__setattr__, "__delattr__": object.__delattr__}
    return type(kind.__name__, (kind,), members)
