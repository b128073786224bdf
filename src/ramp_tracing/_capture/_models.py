"""
The fields of pydantic models, which client libraries make of every answer, without calling anything of theirs.

A class can put code behind every name, ``__dict__`` included; the descriptors that C code made for the slots of an
object are the one way to its values that runs none.
"""

from types import GetSetDescriptorType, MemberDescriptorType
from typing import Any, Final

MARKERS: Final = ("__pydantic_fields__", "model_fields", "__fields__")
"""Only pydantic's classes have one of these: 2.10 and later, earlier 2.x, 1.x."""

_bases_of: Any = vars(type)["__mro__"].__get__
_names_in: Any = vars(type)["__dict__"].__get__
_items_of: Any = vars(dict)["items"]
_copy_of: Any = vars(dict)["copy"]


def fields_of_model(value: object) -> list[tuple[object, object]] | None:
    """
    The fields of a pydantic model that are set, declared ones first.

    A field that is `None` is left out: the model does not tell what the server left out from what it sent as null.

    Returns:
        Pairs of name and value; `None` if *value* is not a model.
    """
    bases: tuple[type, ...] = _bases_of(type(value))
    if not any(marker in _names_in(base) for base in bases for marker in MARKERS):
        return None
    pairs = [*_pairs(value, bases, "__dict__"), *_pairs(value, bases, "__pydantic_extra__")]
    return [(name, item) for name, item in pairs if item is not None and not _is_private(name)]


def _pairs(value: object, bases: tuple[type, ...], slot: str) -> list[tuple[object, object]]:
    """What is in the dictionary that a slot of *value* holds."""
    found = next((names[slot] for base in bases if slot in (names := _names_in(base))), None)
    if not isinstance(found, (GetSetDescriptorType, MemberDescriptorType)):
        return []
    try:
        held: object = found.__get__(value, type(value))
    except AttributeError:  # a slot that was never filled
        return []
    # Of a copy, made in one step: another thread may set a field meanwhile.
    return list(_items_of(_copy_of(held))) if type(held) is dict else []


def _is_private(name: object) -> bool:
    return type(name) is str and name.startswith("_")
