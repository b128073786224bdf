"""Amounts that need nothing done to them come out as all others do."""

from decimal import Decimal, InvalidOperation

from hypothesis import example, given
from hypothesis import strategies as st

from ramp_tracing._export._values import EXACT, PLACES, exact, plain_notation


@given(
    st.builds(lambda digits, places: Decimal(digits).scaleb(places), st.integers(), st.sampled_from([-10, 0, -12, 3]))
)
@example(Decimal("0E-10"))
@example(Decimal("-0E-10"))
@example(Decimal("100.0000000000"))
@example(Decimal("9" * 50 + ".0000000001"))
@example(Decimal("9" * 51 + ".0000000001"))
@example(Decimal("9" * 55 + ".0000000001"))
def test_one_answer(amount: Decimal) -> None:
    """Ten places, and written without an exponent and without zeros at the end; `None` where that does not fit."""
    try:
        expected = amount.quantize(PLACES, context=EXACT)
    except InvalidOperation:
        assert exact(amount) is None
        return
    found = exact(amount)
    assert found is not None
    assert expected.as_tuple() == found.as_tuple()
    assert format(expected.normalize(EXACT), "f") == plain_notation(found)
    assert format(amount.normalize(EXACT), "f") == plain_notation(amount)
