"""Reading foreign values."""

from decimal import Decimal
from types import SimpleNamespace
from typing import Final

import pytest

from ramp_tracing._normalizers import as_amount, as_count, dig, numbers_in

COUNTS: Final = [
    (0, 0),
    (7, 7),
    ("7", 7),
    (7.0, 7),
    (Decimal(7), 7),
    (2**63 - 1, 2**63 - 1),
    (None, None),
    (True, None),
    (-1, None),
    (2.5, None),
    (Decimal("2.5"), None),
    (2**63, None),
    (1e300, None),
    (float("nan"), None),
    (float("inf"), None),
    (Decimal("NaN"), None),
    (Decimal("Infinity"), None),
    ("", None),
    ("-1", None),
    ("1e3", None),
    ("٧", None),
    ("9" * 5000, None),
    ([7], None),
    ({"count": 7}, None),
]

AMOUNTS: Final = [
    (0, Decimal(0)),
    (3, Decimal(3)),
    (0.1, Decimal("0.1")),
    (1.4e-7, Decimal("0.00000014")),
    ("0.0043", Decimal("0.0043")),
    (Decimal("0.00430000000000000000001"), Decimal("0.00430000000000000000001")),
    (None, None),
    (True, None),
    (-0.1, None),
    (float("nan"), None),
    (float("inf"), None),
    (Decimal("sNaN"), None),
    (Decimal("1e999999"), None),
    (10**21, None),
    ("0.0043USD", None),
    ("", None),
    ([1], None),
]


@pytest.mark.parametrize(("value", "count"), COUNTS)
def test_count(value: object, count: int | None) -> None:
    """A count is a whole number, 0 or more, that an OTLP integer can hold; anything else is unknown."""
    assert count == as_count(value)


@pytest.mark.parametrize(("value", "amount"), AMOUNTS)
def test_amount(value: object, amount: Decimal | None) -> None:
    """An amount is 0 or more and keeps its digits; anything else is unknown."""
    assert amount == as_amount(value)


def test_dig() -> None:
    """Mappings and objects are followed alike, and a path that ends early leads to nothing."""
    answer = {"usage": SimpleNamespace(details={"cached": 5}), "choices": []}
    assert (5, None, None, None) == (
        dig(answer, "usage", "details", "cached"),
        dig(answer, "usage", "details", "written"),
        dig(answer, "choices", "details"),
        dig(None, "usage"),
    )


class Changing(str):
    """A name that something is put beside while it is looked at, as another thread may do at any time."""

    __slots__ = ("fields",)

    fields: dict[str, object]

    def __hash__(self) -> int:
        self.fields[f"late {len(self.fields)}"] = 1
        return str.__hash__(self)


def test_parameters_of_a_request_that_changes_meanwhile() -> None:
    """The call would be lost with an error."""
    name = Changing("seed")
    name.fields = fields = {"temperature": 1, "stream": True, "model": "gpt-4o"}
    fields[name] = 7
    assert {"temperature": 1, "seed": 7} == numbers_in(fields)
