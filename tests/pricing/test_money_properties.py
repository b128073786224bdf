"""What holds for every amount and every count, whichever way they go through the house."""

import json
from dataclasses import replace
from decimal import Decimal
from typing import Any, Final

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pricing_samples import CALL, call, tokens

from ramp_tracing._config import Price, PriceTable
from ramp_tracing._export import Encoder, ExportSettings
from ramp_tracing._journal._line import decode, encode
from ramp_tracing._normalizers import CHAT, EMBEDDINGS, RESPONSES, cost_in_headers, parse, parse_event
from ramp_tracing._pricing import priced
from ramp_tracing._record import Cost, Generation, Usage

AMOUNTS: Final = st.decimals(min_value=0, max_value=10**9, places=10, allow_nan=False, allow_infinity=False)
COUNTS: Final = st.integers(0, 10**6)
MODELS: Final = st.sampled_from(
    [("openai", "gpt-5"), ("openai", "gpt-5.4"), ("openai", "gpt-5.6-luna"), ("anthropic", "claude-haiku-4-5"),
     ("gcp.gemini", "gemini-2.5-pro"), ("groq", "openai/gpt-oss-120b"), (None, "house-7b")]
)  # fmt: skip
TIERS: Final = st.sampled_from([None, "flex", "priority", "batch"])

RATES: Final = {
    name: Decimal(rate)
    for name, rate in {
        "input": "0.37", "output": "1.13", "cached": "0.0371", "cache_write": "0.41", "cache_write_1h": "0.8",
        "reasoning": "1.2",
    }.items()
}  # fmt: skip
OWN: Final = PriceTable(name="own", prices=(Price(model="house-*", rates=RATES, tiers={"flex": RATES}),))


@st.composite
def calls(draw: st.DrawFn) -> Generation:
    """A call whose counts fit together."""
    provider, model = draw(MODELS)
    read, written, rest, thought, said = (draw(COUNTS) for _ in range(5))
    hour = draw(st.integers(0, written))
    usage = tokens(
        read + written + rest,
        thought + said,
        cache_read_tokens=read,
        cache_write_tokens=written,
        cache_write_1h_tokens=hour,
        cache_write_5m_tokens=written - hour,
        reasoning_tokens=thought,
        hosted_tool_calls=draw(st.sampled_from([{}, {"web_search_call": 3}])),
    )
    return call(provider, model, usage, service_tier=draw(TIERS))


@settings(deadline=None)
@given(calls())
def test_the_parts_are_the_whole(generation: Generation) -> None:
    """What we reckon has two parts of ten places, none negative, none more than the whole, and their sum is it."""
    cost = priced(generation, OWN).cost
    if cost is None:
        return
    assert cost.input is not None
    assert cost.output is not None
    assert min(cost.input, cost.output) >= 0
    assert max(cost.input, cost.output) <= cost.total
    assert cost.input + cost.output == cost.total
    assert -10 == cost.total.as_tuple().exponent
    assert cost.price_list is not None
    assert "2026-11-03" == cost.price_date


MORE: Final[tuple[dict[str, int], ...]] = (
    {"input_tokens": 1},
    {"output_tokens": 1},
    {"output_tokens": 1, "reasoning_tokens": 1},
    {"input_tokens": 1, "cache_read_tokens": 1},
    {"input_tokens": 1, "cache_write_tokens": 1, "cache_write_5m_tokens": 1},
    {"input_tokens": 1, "cache_write_tokens": 1, "cache_write_1h_tokens": 1},
)


@settings(deadline=None)
@given(calls(), st.sampled_from(MORE), st.integers(1, 10**6))
def test_more_tokens_never_cost_less(generation: Generation, more: dict[str, int], times: int) -> None:
    """One kind of token more, and everything else the same: the call costs as much or more, or nobody knows."""
    usage = generation.usage
    larger = replace(usage, **{name: getattr(usage, name) + times * count for name, count in more.items()})  # type: ignore[arg-type]
    before, after = (priced(replace(generation, usage=each), OWN).cost for each in (usage, larger))
    if before is not None and after is not None:
        assert after.total >= before.total


@settings(deadline=None)
@given(calls(), st.sampled_from(["input_tokens", "output_tokens"]))
def test_absent_in_absent_out(generation: Generation, missing: str) -> None:
    """Without one of the two counts nobody knows what it cost."""
    assert priced(replace(generation, usage=replace(generation.usage, **{missing: None})), OWN).cost is None  # type: ignore[arg-type]


@settings(deadline=None)
@given(calls())
def test_no_usage_no_cost(generation: Generation) -> None:
    """Nothing counted is not nothing spent."""
    assert priced(replace(generation, usage=Usage()), OWN).cost is None


def written(amount: Decimal) -> str:
    """As a server may write it: plainly, or with an exponent."""
    return format(amount, "f") if amount >= 1 or not amount else format(amount.normalize(), "e")


OWN_KEY: Final = '{"usage": {"cost": @, "is_byok": true, "cost_details": {"upstream_inference_cost": @}}}'
SHARES: Final = """{"usage": {"cost": @, "cost_details": {
    "upstream_inference_prompt_cost": @, "upstream_inference_completions_cost": @}}}"""


def filled(template: str, *amounts: str) -> str:
    """JSON with *amounts* in it as they are written."""
    for amount in amounts:
        template = template.replace("@", amount, 1)
    return template


def sent(outcome: Any) -> dict[str, Decimal]:
    """The costs of a call as they are in the bytes of the request to Ramp, through the journal and the price ladder."""
    generation = replace(CALL, usage=outcome.usage, cost=outcome.cost)
    there = decode(encode(generation).line[:-1])
    assert there is not None
    encoder = Encoder(ExportSettings())
    body = encoder.body([encoder.prepare(priced(there.generation, OWN))])
    [span] = json.loads(body, parse_float=Decimal)["resourceSpans"][0]["scopeSpans"][0]["spans"]
    values = {each["key"]: each["value"].get("doubleValue") for each in span["attributes"]}
    return {key: Decimal(value) for key, value in values.items() if value is not None and "cost" in key}


TOTALS: Final = ("gen_ai.usage.total_cost", "gen_ai.usage.cost.amount")


@settings(deadline=None)
@given(AMOUNTS, AMOUNTS, st.sampled_from([CHAT, RESPONSES, EMBEDDINGS]))
def test_no_digit_is_lost(amount: Decimal, more: Decimal, wire: Any) -> None:
    """An amount of ten places in an answer is, digit by digit, the number in the request to Ramp: none is a float."""
    whole, other = written(amount), written(more)
    shapes = {
        filled('{"usage": {"cost": @}}', whole): amount,
        filled(OWN_KEY, whole, other): amount + more,
        filled('{"usage": {"cost": {"total_cost": @, "currency": "USD"}}}', whole): amount,
        filled('{"usage": {"cost_in_usd_ticks": @}}', str(int(amount * 10**10))): amount,
        filled('{"usage": {"pydantic_ai_gateway": {"cost_estimate": @}}}', whole): amount,
    }
    if amount:  # a 0 is no estimate
        shapes[filled('{"usage": {"estimated_cost": @}}', whole)] = amount
    for text, expected in shapes.items():
        for answer in (parse(text.encode()), parse_event(b"data: " + text.encode())):
            costs = sent(wire.read(answer))
            assert [expected, expected] == [costs[key] for key in TOTALS]


@settings(deadline=None)
@given(AMOUNTS, AMOUNTS)
def test_no_digit_of_the_shares_is_lost(amount: Decimal, more: Decimal) -> None:
    """Shares that are the whole arrive as they were reported, and still are the whole."""
    text = filled(SHARES, written(amount + more), written(amount), written(more))
    costs = sent(CHAT.read(parse(text.encode())))
    shares = [costs["gen_ai.usage.input_cost"], costs["gen_ai.usage.output_cost"]]
    assert [amount, more] == shares
    assert sum(shares) == costs["gen_ai.usage.total_cost"]


@settings(deadline=None)
@given(calls())
def test_what_is_reckoned_arrives(generation: Generation) -> None:
    """A reckoned cost is, digit by digit, the number in the request."""
    cost = priced(generation, OWN).cost
    if cost is not None:
        encoder = Encoder(ExportSettings())
        body = encoder.body([encoder.prepare(replace(generation, cost=cost))])
        assert f'"gen_ai.usage.total_cost","value":{{"doubleValue":{format(cost.total.normalize(), "f")}}}' in (
            body.decode().replace(": ", ":")
        )


@settings(deadline=None)
@given(AMOUNTS.filter(bool))
def test_headers(amount: Decimal) -> None:
    """An amount in a gateway's headers keeps its digits."""
    text = format(amount, "f")
    for headers in (
        {"x-litellm-response-cost": text},
        {"pydantic-ai-gateway-price-estimate": f"{text}USD"},
    ):
        assert Cost(total=amount, source="gateway") == cost_in_headers(headers)


@pytest.mark.parametrize(
    "headers",
    [
        None, [], {}, {"x-litellm-response-cost": ""}, {"x-litellm-response-cost": "None"},
        {"x-litellm-response-cost": "0.0"}, {"x-litellm-response-cost": "-1"}, {"x-litellm-response-cost": "nan"},
        {"x-litellm-response-cost": 0.5}, {"pydantic-ai-gateway-price-estimate": "0.5EUR"},
        {"pydantic-ai-gateway-price-estimate": "0.5"},
    ],
)  # fmt: skip
def test_headers_that_say_nothing(headers: object) -> None:
    """What is no amount of dollars, and a 0 for what LiteLLM has no price for, is no cost."""
    assert cost_in_headers(headers) is None


@settings(deadline=None)
@given(st.decimals(places=13, min_value=0, max_value=1), st.decimals(places=13, min_value=0, max_value=1))
def test_shares_that_do_not_survive_rounding(amount: Decimal, more: Decimal) -> None:
    """Shares of more than ten places are said only if they are the whole at ten places too."""
    reported = Cost(total=amount + more, input=amount, output=more, source="provider")
    costs = sent(outcome_with(reported))
    if "gen_ai.usage.input_cost" in costs:
        shares = costs["gen_ai.usage.input_cost"], costs["gen_ai.usage.output_cost"]
        assert sum(shares) == costs["gen_ai.usage.total_cost"]


def outcome_with(cost: Cost) -> Any:
    """An outcome that says nothing but this cost."""
    return replace(CHAT.read({}), cost=cost)
