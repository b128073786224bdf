"""Who is believed about what a call cost."""

import decimal
import subprocess
import sys
from dataclasses import replace
from decimal import Decimal

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from pricing_samples import at, call, tokens

from ramp_tracing._pricing import priced
from ramp_tracing._pricing._terms import OPERATIONS, PRICE_LISTS
from ramp_tracing._record import Cost, Failure, Generation, Usage

LISTED = call("openrouter", "openai/gpt-4o", tokens(42, 118))
"""By the list, 0.000105 + 0.00118 = 0.001285 USD."""


@pytest.mark.parametrize(
    ("reported", "expected"),
    [
        pytest.param(
            Cost(total=Decimal("0.5"), input=Decimal("0.2"), output=Decimal("0.3"), source="provider"),
            Cost(total=Decimal("0.5"), input=Decimal("0.2"), output=Decimal("0.3"), source="provider"),
            id="parts that add up stay",
        ),
        pytest.param(
            Cost(total=Decimal("0.001285"), source="provider"),
            Cost(total=Decimal("0.001285"), input=Decimal("0.000105"), output=Decimal("0.00118"), source="provider"),
            id="the list comes to the same total and knows the parts",
        ),
        pytest.param(
            Cost(total=Decimal("0.007637"), source="provider"),
            Cost(total=Decimal("0.007637"), source="provider"),
            id="the list comes to another total",
        ),
        pytest.param(
            Cost(total=Decimal("0.007637"), input=Decimal("0.0006"), output=Decimal("0.000037"), source="provider"),
            Cost(total=Decimal("0.007637"), source="provider"),
            id="parts that leave out a fee are left out",
        ),
        pytest.param(
            Cost(total=Decimal("0.5"), input=Decimal("0.2"), source="gateway"),
            Cost(total=Decimal("0.5"), source="gateway"),
            id="one part does not say the other",
        ),
        pytest.param(
            Cost(total=Decimal(0), source="provider"),
            Cost(total=Decimal(0), source="provider"),
            id="a reported 0 is 0",
        ),
    ],
)
def test_reported(reported: Cost, expected: Cost) -> None:
    """What the provider reported is what the call cost; its parts are said only where they are the whole."""
    assert priced(replace(LISTED, cost=reported)).cost == expected


def test_reported_for_what_nobody_lists() -> None:
    """A reported cost needs no list, no known host and no success."""
    cost = Cost(total=Decimal("0.25"), source="gateway")
    generation = replace(call(None, "anything"), cost=cost, failure=Failure(type="abandoned"))
    assert priced(generation) is generation


def test_coarse_decimals_of_the_application() -> None:
    """An application that rounds its decimals to two digits does not round ours."""
    with decimal.localcontext(prec=2):
        cost = priced(LISTED).cost
    assert cost is not None
    assert (Decimal("0.000105"), Decimal("0.00118"), Decimal("0.001285")) == (cost.input, cost.output, cost.total)


def test_loads_nothing_before_it_prices() -> None:
    """The price table, which takes a second to load, is not loaded by an import."""
    code = (
        "import sys, ramp_tracing._pricing as p; sys.exit(any(n in sys.modules for n in ('genai_prices', 'pydantic')))"
    )
    assert (
        subprocess.run([sys.executable, "-c", code], timeout=99, env={"PYTHONPATH": ":".join(sys.path)}).returncode == 0
    )


counts = st.none() | st.integers(0, 100) | st.sampled_from([-1, 2**70, True])
usages = st.builds(
    Usage,
    input_tokens=counts,
    output_tokens=counts,
    total_tokens=counts,
    cache_read_tokens=counts,
    cache_write_tokens=counts,
    reasoning_tokens=counts,
    input_audio_tokens=counts,
    output_audio_tokens=counts,
    input_image_tokens=counts,
    output_image_tokens=counts,
    input_characters=counts,
    audio_seconds=st.none() | st.decimals(),
    images=st.none() | st.integers(0, 2),
    hosted_tool_calls=st.sampled_from([{}, {"web_search_call": 0}, {"web_search_call": 1}]),
    estimated=st.just(False),
)
models = st.sampled_from(
    ["gpt-4o", "gpt-5", "gpt-audio", "gpt-image-1", "gpt-realtime", "whisper-1", "tts-1", "text-embedding-3-small",
     "omni-moderation-latest", "gemini-2.5-flash", "openai/gpt-4o", "deepseek/deepseek-r1:free", "no-such-model",
     "\ud800", "", None]
)  # fmt: skip
generations = st.builds(
    lambda provider, model, usage, tier, operation: call(
        provider, model, usage, service_tier=tier, operation=operation, timing=at(2026, 11, 3)
    ),
    st.sampled_from([*PRICE_LISTS, "nobody", None]),
    models,
    usages,
    st.sampled_from([None, "default", "flex", "priority", "scale"]),
    st.sampled_from(sorted(OPERATIONS)),
)


@given(generations)
def test_parts_and_whole(generation: Generation) -> None:
    """Whatever is counted: nothing raises, no part is negative, both or neither are said, and they are the whole."""
    cost = priced(generation).cost
    if cost is not None:
        assert cost.total.is_finite()
        assert cost.total >= 0
        assert (cost.input is None) == (cost.output is None)
        if cost.input is not None and cost.output is not None:
            assert min(cost.input, cost.output) >= 0
            assert cost.input + cost.output == cost.total


@given(generations, st.sampled_from(["input_tokens", "output_tokens"]))
def test_absent_in_absent_out(generation: Generation, missing: str) -> None:
    """A chat without one of its two counts costs something unknown, unless the model is free."""
    usage = replace(generation.usage, **{missing: None}, audio_seconds=None, input_characters=None)
    cost = priced(replace(generation, usage=usage, operation="chat")).cost
    assert cost is None or (cost.total == 0 and str(generation.response_model).endswith(":free"))


@given(generations, st.decimals(), st.none() | st.decimals(), st.none() | st.decimals())
@example(call("anthropic", "gpt-4o"), Decimal("sNaN"), None, None)
@example(call("anthropic", "gpt-4o"), Decimal("sNaN"), Decimal("sNaN"), Decimal("sNaN"))
@example(call("openai", "gpt-4o"), Decimal(1), Decimal("sNaN"), Decimal("-Infinity"))
def test_whatever_is_reported(
    generation: Generation, total: Decimal, input_cost: Decimal | None, output_cost: Decimal | None
) -> None:
    """Nothing raises on an absurd reported cost, and the total is never touched."""
    reported = Cost(total=total, input=input_cost, output=output_cost, source="provider")
    cost = priced(replace(generation, cost=reported)).cost
    assert cost is not None
    assert cost.total is total
