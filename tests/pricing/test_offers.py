"""What is found once for a kind of call costs what the list says of each call."""

from copy import deepcopy
from dataclasses import replace
from decimal import Decimal, localcontext
from typing import Any, Final

import pytest
from genai_prices import data_snapshot
from genai_prices.types import ConditionalPrice, ModelPrice, TimeOfDateConstraint
from hypothesis import given, settings
from hypothesis import strategies as st
from pricing_samples import TUESDAY, at, call, tokens
from test_price_table import PRICES

from ramp_tracing._pricing import Offers, priced
from ramp_tracing._pricing import _offers as module
from ramp_tracing._pricing._offers import MAX_KINDS, Offer
from ramp_tracing._pricing._price_table import table_cost
from ramp_tracing._pricing._terms import (
    ALSO_STANDARD,
    CONTEXTS,
    DOUBTS,
    PRICE_LISTS,
    billed_model,
    instant,
    kind_of,
    second_of,
    tier_of,
)
from ramp_tracing._providers import canonical
from ramp_tracing._record import Generation, UnixNanos, Usage


@settings(deadline=None)
@given(st.integers(-(2**70), 2**70))
def test_a_second_is_that_of_the_moment(nanos: int) -> None:
    """Also before 1970, and beyond what can be written."""
    moment = instant(UnixNanos(nanos))
    assert second_of(UnixNanos(nanos)) == (None if moment is None else moment.replace(microsecond=0))


def test_the_providers_of_the_lists_have_our_own_names() -> None:
    """Which are not translated before a call is priced."""
    assert {name: canonical(name) for name in PRICE_LISTS} == {name: name for name in PRICE_LISTS}


def test_no_price_changes_within_a_second() -> None:
    """Or the second of a call would not say its price."""
    rows = [row for _, model in LISTED if isinstance(model.prices, list) for row in model.prices]
    rows += [row for _, model in LISTED for row in model.price_variants or ()]
    hours = [row.constraint for row in rows if isinstance(row.constraint, TimeOfDateConstraint)]
    assert hours
    assert {each.microsecond for hour in hours for each in (hour.start_time, hour.end_time)} == {0}


LISTED: Final = [
    (ours, model)
    for ours, theirs in PRICE_LISTS.items()
    for provider in data_snapshot.get_snapshot().providers
    if provider.id == theirs
    for model in provider.models
]
"""Our name of a provider, and a model of its list."""

HOURS: Final = [
    at(2023, 5, 1), at(2025, 6, 1), at(2026, 11, 3, 2), at(2026, 11, 3, 12), at(2026, 11, 3, 23), at(2026, 11, 1, 7),
]  # fmt: skip
"""Before and after cuts, at the hours that cost more and at weekends."""

HOSTS: Final = st.sampled_from(
    [None, None, "api.openai.com", "eu.api.openai.com", "europe-west1-aiplatform.googleapis.com"]
)
TIERS: Final = st.sampled_from(
    [None, None, None, None, "default", "standard", "flex", "priority", "batch", "scale", "on_demand"]
)
OPERATIONS: Final = st.sampled_from(["chat", "chat", "chat", "embeddings", "transcription", "batch", "moderation"])
SMALL: Final = st.none() | st.integers(0, 5) | st.integers(0, 10**6)
MANY: Final = st.none() | st.integers(-1, 10) | st.integers(0, 10**6) | st.integers(10**14, 10**70)
RARE: Final = (
    "input_audio_tokens", "output_audio_tokens", "input_image_tokens", "output_image_tokens", "input_video_tokens",
    "cached_audio_tokens", "cached_image_tokens", "input_characters", "images",
)  # fmt: skip


@st.composite
def steps(draw: st.DrawFn) -> int | None:
    """A count of tokens, sometimes where a list has a step."""
    steps = st.sampled_from([128_000, 200_000, 256_000, 272_000]).flatmap(lambda start: st.integers(start, start + 1))
    return draw(MANY | steps)


@st.composite
def sound_usages(draw: st.DrawFn) -> Usage:
    """Counts as an answer has them."""
    read, minutes, hour, thought, said = (draw(st.integers(0, 10**5)) for _ in range(5))
    asked = max(draw(steps()) or 0, read + minutes + hour)
    counts: dict[str, Any] = dict.fromkeys(RARE[:4], draw(st.sampled_from([None, 0])))
    if draw(st.booleans()):
        counts |= {
            "cache_write_tokens": minutes + hour,
            "cache_write_1h_tokens": hour,
            "cache_write_5m_tokens": minutes,
        }
    counts |= {"cache_read_tokens": draw(st.sampled_from([None, 0, read])), "reasoning_tokens": thought}
    counts["total_tokens"] = draw(st.sampled_from([None, asked + thought + said]))
    return tokens(asked, thought + said, **counts)


@st.composite
def odd_usages(draw: st.DrawFn) -> Usage:
    """Counts as no answer should have them."""
    asked, answered = draw(steps()), draw(MANY)
    counts: dict[str, Any] = {"input_tokens": asked, "output_tokens": answered}
    if draw(st.booleans()) and asked is not None and answered is not None:
        counts["total_tokens"] = asked + answered + draw(st.sampled_from([0, 0, 0, -1, 1, -(10**18)]))
    for name in ("cache_read_tokens", "cache_write_tokens", "cache_write_5m_tokens", "cache_write_1h_tokens"):
        counts[name] = draw(SMALL)
    counts["reasoning_tokens"] = draw(SMALL)
    counts |= dict.fromkeys(RARE, draw(st.sampled_from([None, 0])))
    if draw(st.integers(0, 3)) == 0:
        counts[draw(st.sampled_from(RARE))] = draw(SMALL)
    if draw(st.integers(0, 9)) == 0:
        counts["hosted_tool_calls"] = draw(st.sampled_from([{"web_search_call": 2}, {"web_fetch_call": 1}, {"odd": 1}]))
    return Usage(**counts)


@st.composite
def calls(draw: st.DrawFn) -> Generation:
    """Any call of any model of any list."""
    provider, model = draw(st.sampled_from(LISTED))
    name = draw(st.sampled_from([model.id] * 9 + [f"{model.id}-nobody-knows"]))
    return call(
        provider,
        name,
        draw(sound_usages() | odd_usages()),
        request_model=draw(st.sampled_from([name, "gpt-4o", None])),
        timing=draw(st.sampled_from(HOURS)),
        service_tier=draw(TIERS),
        operation=draw(OPERATIONS),
        server_address=draw(HOSTS),
        inference_geo=draw(st.sampled_from([None, None, None, "global", "us"])),
    )


OFFERS: Final = Offers()


@settings(deadline=None, max_examples=400)
@given(calls(), st.sampled_from([Decimal(0), Decimal("0.125")]))
def test_any_call_costs_what_the_list_says(generation: Generation, discount: Decimal) -> None:
    """The same decimals, the same source and date, the same absence; also where the kind is known already."""
    expected = table_cost(generation, discount=discount)
    assert expected == OFFERS.cost(generation, discount=discount)
    assert expected == OFFERS.cost(generation, discount=discount)


USUAL: Final = [
    tokens(1000, 118),
    tokens(7, 5, total_tokens=12, cache_read_tokens=0, reasoning_tokens=0, input_audio_tokens=0, output_audio_tokens=0),
    tokens(300_001, 118, cache_read_tokens=1000, reasoning_tokens=100),
    tokens(1_000_000, 7, cache_read_tokens=9, cache_write_tokens=90, cache_write_1h_tokens=13, reasoning_tokens=3),
    tokens(90, None),
]


@pytest.mark.parametrize("provider", PRICE_LISTS)
def test_every_model_costs_what_the_list_says(provider: str) -> None:
    """At every hour, whatever of the usual was used."""
    offers = Offers()
    for model in (model for ours, model in LISTED if ours == provider):
        for usage in USUAL:
            generation = call(provider, model.id, usage, timing=HOURS[len(model.id) % len(HOURS)])
            assert table_cost(generation) == offers.cost(generation), model.id


@pytest.mark.parametrize(("generation", "asked", "answered"), PRICES.values(), ids=PRICES)
def test_hand_computed(generation: Generation, asked: str, answered: str) -> None:
    """What is worked out by hand, also when it was asked before."""
    offers = Offers()
    for _ in range(2):
        cost = priced(generation, offers=offers).cost
        assert cost is not None
        assert (Decimal(asked), Decimal(answered)) == (cost.input, cost.output)


@pytest.fixture
def asked_at_length(monkeypatch: pytest.MonkeyPatch) -> list[Generation]:
    """The calls of which the list was asked."""
    asked: list[Generation] = []

    def ask(generation: Generation, *, discount: Decimal) -> Any:
        asked.append(generation)
        return table_cost(generation, discount=discount)

    monkeypatch.setattr(module, "table_cost", ask)
    return asked


@pytest.mark.parametrize(
    ("provider", "model"),
    [
        ("openai", "gpt-4o"), ("openai", "gpt-5.4"), ("openai", "text-embedding-3-small"),
        ("anthropic", "claude-haiku-4-5"), ("gcp.gemini", "gemini-2.5-pro"), ("deepseek", "deepseek-v4-flash"),
        ("groq", "llama-3.3-70b-versatile"), ("openrouter", "openai/gpt-4o"),
    ],
)  # fmt: skip
def test_usual_calls_ask_nobody(provider: str, model: str, asked_at_length: list[Generation]) -> None:
    """This is what it is for."""
    operation = "embeddings" if "embedding" in model else "chat"
    usage = tokens(1000, None if operation == "embeddings" else 118, cache_read_tokens=0, reasoning_tokens=0)
    assert OFFERS.cost(call(provider, model, usage, operation=operation)) is not None
    assert OFFERS.cost(call("x_ai", "nobody-knows-it", usage, operation=operation)) is None
    assert [] == asked_at_length


def test_newer_prices_count_at_once() -> None:
    """What is known does not outlive the list that it is of."""
    offers, generation = Offers(), call("openai", "gpt-4o", tokens(1000, 1000))
    before = offers.cost(generation)
    newer = deepcopy(data_snapshot.get_snapshot())
    prices = newer.find_provider_model("gpt-4o", None, "openai", None)[1].prices
    assert isinstance(prices, ModelPrice)
    vars(prices)["input_mtok"] *= 2
    newer.from_auto_update = True
    try:
        data_snapshot.set_custom_snapshot(newer)
        after = offers.cost(generation)
        assert table_cost(generation) == after
        vars(prices)["input_mtok"] *= 2  # an application may write to its own copy
        last = offers.cost(generation)
        assert table_cost(generation) == last
    finally:
        data_snapshot.set_custom_snapshot(None)
    costs = [each.input for each in (before, after, last) if each is not None]
    assert [Decimal("0.0025"), Decimal("0.005"), Decimal("0.01")] == costs
    assert before == offers.cost(generation)


def test_each_call_by_the_prices_of_its_hour() -> None:
    """Known prices are not applied to a call of another time."""
    offers = Offers()
    for timing in (*HOURS, *HOURS):
        for model in ("o3", "deepseek-v4-flash"):
            generation = call("openai" if model == "o3" else "deepseek", model, tokens(1000, 500), timing=timing)
            assert table_cost(generation) == offers.cost(generation)


def test_a_list_that_reckons_otherwise_is_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    """Should a newer version of genai-prices mean something else by its rows, it has the last word."""
    reckon = ModelPrice.calc_price

    def dearer(self: ModelPrice, usage: Any) -> Any:
        price = reckon(self, usage)
        return {**price, "output_price": price["output_price"] * 2, "total_price": price["total_price"] * 3}

    monkeypatch.setattr(ModelPrice, "calc_price", dearer)
    generation = call("openai", "gpt-5.4", tokens(300_000, 118))
    cost = Offers().cost(generation)
    assert cost is not None
    assert table_cost(generation) == cost


def test_a_list_that_reckons_inputs_otherwise_is_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    """Also where a model has no price but that of its input."""
    reckon = ModelPrice.calc_price

    def dearer(self: ModelPrice, usage: Any) -> Any:
        price = reckon(self, usage)
        return {**price, "input_price": price["input_price"] * 2, "total_price": price["total_price"] * 2}

    monkeypatch.setattr(ModelPrice, "calc_price", dearer)
    generation = call("openai", "text-embedding-3-small", tokens(300_000, None), operation="embeddings")
    cost = Offers().cost(generation)
    assert cost is not None
    assert table_cost(generation) == cost


def test_prices_without_end_are_not_kept() -> None:
    """A list that makes its prices anew for each call is asked each time."""
    table = deepcopy(data_snapshot.get_snapshot())
    model = table.find_provider_model("gpt-4o", None, "openai", None)[1]
    generation = call("openai", "gpt-4o", tokens(1000, 118))
    row = model.prices
    assert isinstance(row, ModelPrice)
    offers = Offers()
    try:
        data_snapshot.set_custom_snapshot(table)
        for _ in range(module.MAX_ROWS + 5):
            model.prices = [ConditionalPrice(prices=ModelPrice(**vars(row)))]
            assert table_cost(generation) == offers.cost(generation)
        [offer] = offers._known[1].values()
        assert isinstance(offer, Offer)
        assert module.MAX_ROWS == len(offer._rows)
    finally:
        data_snapshot.set_custom_snapshot(None)


def test_kinds_are_bounded() -> None:
    """A model's name that is new with each call does not fill the memory."""
    offers = Offers()
    for number in range(MAX_KINDS + 10):
        offers.cost(call("x_ai", f"model-{number}", tokens(1, 1)))
    assert len(offers._known[1]) <= MAX_KINDS


class Watched:
    """A call that remembers which of its fields were read."""

    def __init__(self, generation: Generation) -> None:
        self._generation = generation
        self.read: set[str] = set()

    def __getattr__(self, name: str) -> Any:
        self.read.add(name)
        return getattr(self._generation, name)


@given(calls())
@settings(deadline=None)
def test_a_kind_is_all_that_decides(generation: Generation) -> None:
    """What is remembered for a kind was decided by nothing that the kind does not have."""
    watched: Any = Watched(generation)
    model = billed_model(watched) or ""
    tier_of(watched)
    for doubt in DOUBTS:
        doubt(watched, model)
    kind: Any = Watched(generation)
    kind_of(kind)
    assert watched.read <= kind.read


def test_counts_are_reckoned_exactly_whatever_the_context() -> None:
    """An application may have set a coarse context for its thread."""
    generation = call("openai", "gpt-4o", tokens(123_456_789, 987_654_321), timing=TUESDAY)
    expected = OFFERS.cost(generation)
    with localcontext(prec=3):
        assert expected == OFFERS.cost(replace(generation, id="gen-2"))  # type: ignore[arg-type]
    assert expected == table_cost(generation)


def test_tiers_are_left_to_the_list() -> None:
    """A tier's prices are put together by the list for each call."""
    for tier in (*CONTEXTS, *ALSO_STANDARD["groq"]):
        generation = call("openai", "gpt-5", tokens(1000, 118), service_tier=tier)
        assert table_cost(generation) == OFFERS.cost(generation)
