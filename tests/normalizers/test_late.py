"""Formats that are loaded when they are first needed."""

from dataclasses import fields
from importlib import import_module
from typing import Any

import pytest

from ramp_tracing import _normalizers
from ramp_tracing._normalizers._formats import WireFormat
from ramp_tracing._normalizers._late import PARTS, LoadedFormat, late

FORMATS = {name: each for name in _normalizers.__all__ if isinstance(each := getattr(_normalizers, name), LoadedFormat)}


@pytest.mark.parametrize("name", FORMATS)
def test_a_format_has_the_parts_of_the_one_that_it_stands_for(name: str) -> None:
    """Each of them, whichever is asked for first; afterwards they are its own."""
    for first in PARTS:
        form: Any = late(FORMATS[name]._home, FORMATS[name]._name)
        defined = getattr(import_module(f"ramp_tracing._normalizers.{form._home}"), form._name)
        assert isinstance(defined, WireFormat)
        assert getattr(defined, first) is getattr(form, first)
        assert [getattr(defined, part) for part in PARTS] == [object.__getattribute__(form, part) for part in PARTS]


def test_the_parts_are_those_of_a_format() -> None:
    """One that is added must be added here."""
    assert sorted(PARTS) == sorted(each.name for each in fields(WireFormat))


def test_a_format_has_nothing_else() -> None:
    """A mistake in a name is told as it would be of the format itself."""
    with pytest.raises(AttributeError, match=r"has no .*'reed'"):
        _normalizers.CHAT.reed  # type: ignore[attr-defined]  # noqa: B018
