"""Adding up spend."""

from collections.abc import Mapping
from decimal import Decimal
from types import MappingProxyType
from typing import Final

from rich.console import Console

from ramp_tracing.cli._spend import Spend, cost_center_of, model_of, print_spend, spend_by, spend_of
from ramp_tracing.testing import ReceivedSpan

NOTHING: Final[Mapping[str, object]] = MappingProxyType({})


def generation(cost: str | None = None, attributes: Mapping[str, object] = NOTHING, *, status: int = 1) -> ReceivedSpan:
    """A generation with a cost, if one is given."""
    costs: dict[str, object] = {} if cost is None else {"gen_ai.usage.total_cost": Decimal(cost)}
    return ReceivedSpan(
        name="x", trace_id="a" * 32, span_id="b" * 16, start=0, end=1, status=status, attributes={**costs, **attributes}
    )


def test_adds_up_exactly() -> None:
    """Costs are added digit by digit, tokens where they are known."""
    total = spend_of("all", [generation("0.1", {"gen_ai.usage.input_tokens": 3}), generation("0.2")])
    assert total == Spend(
        name="all", calls=2, failed=0, unpriced=0, input_tokens=3, output_tokens=None, cost=Decimal("0.3")
    )


def test_does_not_invent_a_cost() -> None:
    """Without any known cost there is none, and the calls count as without a price unless they failed."""
    total = spend_of("all", [generation(), generation(status=2)])
    assert (total.cost, total.unpriced, total.failed) == (None, 1, 1)


def test_knows_what_is_free() -> None:
    """A cost of 0 is a price."""
    total = spend_of("all", [generation("0")])
    assert (total.cost, total.unpriced) == (Decimal(0), 0)


def test_sorts_by_cost() -> None:
    """The most expensive comes first, what has no price last."""
    spans = [
        generation(None, {"gen_ai.request.model": "unknown"}),
        generation("1", {"gen_ai.response.model": "cheap"}),
        generation("2", {"gen_ai.response.model": "dear", "gen_ai.request.model": "alias"}),
    ]
    assert [line.name for line in spend_by(model_of, spans)] == ["dear", "cheap", "unknown"]


def test_groups_what_has_no_cost_center() -> None:
    """Calls that nobody booked stand together."""
    assert [line.name for line in spend_by(cost_center_of, [generation("1"), generation("2")])] == ["-"]


def test_shows_names_as_they_are() -> None:
    """A name with brackets is not taken for a colour, and an unknown cost is never shown as 0."""
    console = Console(width=120, record=True)
    with console.capture() as captured:
        print_spend(console, [generation(None, {"trace.metadata.cost_center": "[red]CC"})])
    assert "[red]CC" in captured.get()
    assert "Total cost: unknown" in captured.get()
    assert "Calls without a known price: 1" in captured.get()
