"""Our `dataclass` is the standard one, whatever is shared behind it."""

import copy
import dataclasses
import pickle
from collections.abc import Callable
from typing import Any

import pytest

from ramp_tracing._dataclass import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Ours:
    """Shares its methods."""

    name: str
    amount: float = 0.0
    secret: str = dataclasses.field(default="", repr=False)


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Theirs:
    """Has methods of its own."""

    name: str
    amount: float = 0.0
    secret: str = dataclasses.field(default="", repr=False)


@dataclass(slots=True)
class Changing:
    """May be changed, and so cannot be a key."""

    name: str


@dataclass(slots=True, eq=False)
class Itself:
    """Equal to nothing else."""

    name: str


@dataclass(frozen=True, slots=True, repr=False)
class Spoken:
    """Says of itself what it wants to."""

    name: str

    def __repr__(self) -> str:
        return "something"


BOTH = pytest.mark.parametrize("kind", [Ours, Theirs])


@BOTH
def test_values_compare_and_hash(kind: Callable[..., object]) -> None:
    """Field by field, and with the same class only."""
    one = kind(name="a", amount=1.0)
    assert one == kind(name="a", amount=1.0)
    assert hash(one) == hash(kind(name="a", amount=1.0))
    assert one != kind(name="a", amount=2.0)
    assert one != kind(name="a", amount=1.0, secret="x")
    assert one != "a"
    assert Ours(name="a") != Theirs(name="a")


@BOTH
def test_they_show_what_may_be_shown(kind: Callable[..., object]) -> None:
    """A field with ``repr=False`` does not appear."""
    shown = repr(kind(name="a", secret="CANARY"))
    assert shown.partition("(")[2] == "name='a', amount=0.0)"


@BOTH
def test_they_cannot_be_changed(kind: Callable[..., Any]) -> None:
    """Nor get attributes that they do not have."""
    one = kind(name="a")
    with pytest.raises(dataclasses.FrozenInstanceError):
        one.name = "b"
    with pytest.raises(dataclasses.FrozenInstanceError):
        del one.name
    assert not hasattr(one, "__dict__")


@BOTH
def test_they_are_replaced_copied_and_pickled(kind: Callable[..., Any]) -> None:
    """As dataclasses are."""
    one = kind(name="a")
    assert dataclasses.replace(one, amount=2.0) == kind(name="a", amount=2.0)
    assert copy.deepcopy(one) == one
    assert pickle.loads(pickle.dumps(one)) == one
    assert dataclasses.asdict(one) == {"name": "a", "amount": 0.0, "secret": ""}


def test_what_can_be_changed_has_no_hash() -> None:
    """It would change with it."""
    assert Changing("a") == Changing("a")
    with pytest.raises(TypeError, match="unhashable"):
        hash(Changing("a"))


def test_what_is_only_itself_is_known_by_identity() -> None:
    """``eq=False``: a hash costs nothing, whatever it holds."""
    one = Itself("a")
    assert one != Itself("a")
    assert {one: 1}[one] == 1


def test_a_text_of_its_own_is_left() -> None:
    """``repr=False`` and a method: such classes hold content."""
    assert repr(Spoken("CANARY")) == "something"
