"""The user's own price table: what it may hold, what is wrong with it, and what calls cost by it."""

import json
from collections.abc import Mapping
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Any, Final

import pytest
from pricing_samples import at, call, tokens

from ramp_tracing._config import PriceTable, resolve
from ramp_tracing._pricing import priced
from ramp_tracing._record import Cost, Generation, Usage
from ramp_tracing.exceptions import ConfigurationError

TOML: Final = """
[[prices]]
model = "house-*"
input = 0.1
output = 0.30000000000000000001
cached = "0.01"

[[prices]]
model = "GPT-4o*"
provider = "Azure OpenAI"
valid_from = 2026-01-01
valid_until = 2026-12-31
input = 2
output = 8
cache_write = 2.5
cache_write_1h = 4
reasoning = 9
input_audio = 30
tools = { web_search_call = 0.009 }

[prices.tiers.batch]
input = 1
output = 4

[prices.tiers.scale]
input = 5
output = 20

[[prices]]
model = "painter"
image = 0.04
request = 0.001

[[prices]]
model = "talker"
million_characters = 15

[[prices]]
model = "listener"
audio_second = 0.0001

[[prices]]
model = "sora-*"
video_second = 0.10

[discounts]
openai = 12.5
google = 10
"""


@pytest.fixture
def table(tmp_path: Path) -> PriceTable:
    """The table above, from a file."""
    path = tmp_path / "prices.toml"
    path.write_text(TOML)
    return loaded(path)


def loaded(value: object) -> PriceTable:
    """What the option makes of *value*."""
    table = resolve({"api_key": "test", "prices": value}, {}).prices
    assert table is not None
    return table


def wrong(value: object) -> str:
    """What is said of *value*."""
    with pytest.raises(ConfigurationError) as caught:
        resolve({"api_key": "test", "prices": value}, {})
    return str(caught.value)


AZURE: Final = "azure.ai.openai"
GPT: Final = "gpt-4o-2024-08-06"

COSTS: Final[dict[str, tuple[Generation, str, str]]] = {
    # name: the call, the input's share, the output's share (USD)
    "of a model at a host that nobody knows": (call(None, "house-7b", tokens(1000, 100)), "0.0001", "0.00003"),
    "cached input at its own price": (
        call(None, "house-7b", tokens(1000, 100, cache_read_tokens=400)), "0.000064", "0.00003"
    ),
    "by provider": (call(AZURE, GPT, tokens(1000, 100)), "0.002", "0.0008"),
    "cached input at the whole's price, which is not too low": (
        call(AZURE, GPT, tokens(1000, 100, cache_read_tokens=400)), "0.002", "0.0008"
    ),
    "reasoning at its own price": (call(AZURE, GPT, tokens(1000, 100, reasoning_tokens=60)), "0.002", "0.00086"),
    "cache writes by their time to live": (
        call(AZURE, GPT, tokens(1000, 100, cache_write_tokens=600, cache_write_1h_tokens=400)), "0.0029", "0.0008"
    ),
    "cache writes of which it is said how many are short": (
        call(AZURE, GPT, tokens(1000, 100, cache_write_tokens=600, cache_write_5m_tokens=200)), "0.0029", "0.0008"
    ),
    "sound": (call(AZURE, GPT, tokens(1000, 100, input_audio_tokens=100)), "0.0048", "0.0008"),
    "a batch": (call(AZURE, GPT, tokens(1000, 100), operation="batch"), "0.001", "0.0004"),
    "a tier that the public list does not know": (
        call(AZURE, GPT, tokens(1000, 100), service_tier="scale"), "0.005", "0.002"
    ),
    "a hosted tool": (
        call(AZURE, GPT, tokens(1000, 100, hosted_tool_calls={"web_search_call": 2})), "0.020", "0.0008"
    ),
    "on the first day": (call(AZURE, GPT, tokens(1000, 100), timing=at(2026, 1, 1, 0)), "0.002", "0.0008"),
    "on the last": (call(AZURE, GPT, tokens(1000, 100), timing=at(2026, 12, 31, 23)), "0.002", "0.0008"),
    "pictures by the piece, and a fee for the request": (
        call(None, "painter", Usage(images=3), operation="image_generation"), "0.001", "0.12"
    ),
    "speech by the character": (call(None, "talker", Usage(input_characters=1000), operation="speech"), "0.015", "0"),
    "a recording by the second": (
        call(None, "listener", Usage(audio_seconds=Decimal("2.5")), operation="transcription"), "0.00025", "0"
    ),
    "a video by the second": (
        call("openai", "sora-2", Usage(video_seconds=Decimal(4)), operation="video_generation"), "0", "0.40"
    ),
    "an embedding has no output": (call(None, "house-embed", tokens(1000), operation="embeddings"), "0.0001", "0"),
    "the model that was asked for, where the answer names none": (
        call(None, None, tokens(1000, 100), request_model="house-7b"), "0.0001", "0.00003"
    ),
}  # fmt: skip

AUDIO_SAID: Final = (
    "by provider",
    "cached input",
    "reasoning",
    "cache writes",
    "a batch",
    "a tier",
    "a hosted",
    "on the",
)
"""How the calls begin that need to say how much of them was sound, because the table has a price for it."""

OPEN: Final[dict[str, Generation]] = {
    "another provider": call("groq", "gpt-4o", tokens(1000, 100)),
    "before it is valid": call(AZURE, "gpt-4o-x", tokens(1000, 100, input_audio_tokens=0), timing=at(2025, 12, 31)),
    "after it": call(AZURE, "gpt-4o-x", tokens(1000, 100, input_audio_tokens=0), timing=at(2027, 1, 1)),
    "a tier without prices": call(None, "house-7b", tokens(1000, 100), service_tier="flex"),
    "a tool without a price": call(None, "house-7b", tokens(1, 1, hosted_tool_calls={"web_search_call": 1})),
    "sound without a price": call(None, "house-7b", tokens(1000, 100, input_audio_tokens=5)),
    "sound that is not said": call(AZURE, "gpt-4o-x", tokens(1000, 100)),
    "cache writes without a price": call(None, "house-7b", tokens(1000, 100, cache_write_tokens=5)),
    "cache writes of unknown life": call(
        AZURE, "gpt-4o-x", tokens(1000, 100, input_audio_tokens=0, cache_write_tokens=5)
    ),
    "cached sound": call(
        AZURE, "gpt-4o-x", tokens(1000, 100, input_audio_tokens=100, cache_read_tokens=100)
    ),
    "output unknown": call(None, "house-7b", tokens(1000)),
    "input unknown": call(None, "house-7b", tokens(None, 10)),
    "pictures that nobody counted": call(None, "painter", operation="image_generation"),
    "a recording of unknown length": call(None, "listener", operation="transcription"),
    "a fee for each of how many requests a batch had": call(
        None, "painter", Usage(images=3), operation="batch", service_tier="batch"
    ),
    "paid by a customer": call(None, "house-7b", tokens(1000, 100), parameters={"billed_to_customer": 1}),
    "estimated": call(None, "house-7b", tokens(1000, 100, estimated=True)),
    "pending": call(None, "house-7b", tokens(1000, 100), pending=True),
    "more cached than there was": call(None, "house-7b", tokens(10, 1, cache_read_tokens=11)),
}  # fmt: skip


@pytest.mark.parametrize("name", COSTS)
def test_cost(name: str, table: PriceTable) -> None:
    """A call costs what the table says, digit by digit, and the cost says so."""
    generation, input_cost, output_cost = COSTS[name]
    if generation.provider == AZURE and generation.usage.input_audio_tokens is None:
        # the table has a price for sound, so the call has to say how much of it was
        generation = replace(generation, usage=replace(generation.usage, input_audio_tokens=0))
    cost = priced(generation, table).cost
    assert cost is not None
    day = cost.price_date
    expected = (Decimal(input_cost), Decimal(output_cost))
    assert cost == Cost(
        input=expected[0],
        output=expected[1],
        total=sum(expected, Decimal(0)),
        source="custom",
        price_list="prices.toml",
        price_date=day,
    )


@pytest.mark.parametrize("name", OPEN)
def test_open(name: str, table: PriceTable) -> None:
    """What the table leaves open has no cost, where the public list has none either."""
    assert priced(OPEN[name], table).cost is None


TOKENLESS: Final[Mapping[str, Any]] = {
    "tools alone": {"model": "m", "tools": {"web_search_call": 0.01}},
    "an empty tier": {"model": "m", "input": 1, "output": 1, "tiers": {"flex": {}}},
    "a tier of nothing but a fee": {"model": "m", "input": 1, "output": 1, "request": 0.01, "tiers": {"flex": {}}},
    "a tier with a price for pictures": {"model": "m", "input": 1, "output": 1, "tiers": {"flex": {"image": 0.01}}},
}


@pytest.mark.parametrize("name", TOKENLESS)
@pytest.mark.parametrize("tools", [{}, {"web_search_call": 1}])
def test_tokens_without_a_price_are_not_free(name: str, tools: Mapping[str, int]) -> None:
    """A row, or a tier of it, that has no word for tokens does not say that they cost nothing."""
    table = resolve({"api_key": "k", "prices": {"prices": [TOKENLESS[name]]}}, {}).prices
    tier = "flex" if "tier" in name else None
    made = call("acme", "m", tokens(1000, 100, hosted_tool_calls=tools), service_tier=tier)
    assert priced(made, table).cost is None


def test_a_tier_may_be_paid_by_the_call() -> None:
    """Where it says so: whoever names a fee in the tier itself means that."""
    row = {"model": "m", "input": 1, "output": 1, "tiers": {"flex": {"request": 0.5}}}
    table = resolve({"api_key": "k", "prices": {"prices": [row]}}, {}).prices
    cost = priced(call("acme", "m", tokens(1000, 100), service_tier="flex"), table).cost
    assert cost is not None
    assert cost.total == Decimal("0.5")


def test_cache_writes_by_all_their_times_to_live() -> None:
    """What lives for twelve hours costs what the table says of that, and is open where it says nothing."""
    row = {"model": "m", "input": 1, "output": 1, "cache_write": 2, "cache_write_1h": 3, "cache_write_12h": 5}
    used = tokens(1000, 0, cache_write_tokens=700, cache_write_1h_tokens=200, cache_write_12h_tokens=400)
    costs = [
        priced(call("acme", "m", used), loaded({"prices": [prices]})).cost
        for prices in (row, {name: price for name, price in row.items() if name != "cache_write_12h"})
    ]
    assert costs[0] is not None
    assert costs[0].total == Decimal("0.0031")  # 300 + 100 x 2 + 200 x 3 + 400 x 5, of a million
    assert costs[1] is None


def test_the_first_that_fits() -> None:
    """Two prices for one model: the first one in the table."""
    rows = [{"model": "m-1", "input": 1, "output": 1}, {"model": "m-*", "input": 2, "output": 2}]
    table = loaded({"prices": rows})
    assert ["0.002", "0.004"] == [
        str(cost.total.normalize())
        for model in ("m-1", "m-2")
        if (cost := priced(call(None, model, tokens(1000, 1000)), table).cost)
    ]


def test_before_the_public_list(table: PriceTable) -> None:
    """A model that both know costs what the user pays; what the provider reports goes before both."""
    own = loaded({"prices": [{"model": "gpt-4o", "input": 1, "output": 1}]})
    generation = call("openai", "gpt-4o", tokens(1000, 1000))
    cost = priced(generation, own).cost
    assert cost is not None
    assert ("custom", Decimal("0.002")) == (cost.source, cost.total)
    reported = Cost(total=Decimal("0.7"), source="provider")
    assert priced(replace(generation, cost=reported), own).cost == reported


@pytest.mark.parametrize("provider", ["gcp.gen_ai", "google", "Google"])
def test_discount(provider: str, table: PriceTable) -> None:
    """A discount is taken off the public list price of its provider, and the cost says so."""
    cost = priced(call(provider, "gemini-2.5-flash-lite", tokens(1000, 1000)), table).cost
    assert cost is not None
    assert (Decimal("0.00009"), Decimal("0.00036"), "custom") == (cost.input, cost.output, cost.source)
    assert str(cost.price_list).endswith(", less 10 %")


def test_json_and_mapping(tmp_path: Path) -> None:
    """The same table in JSON and as a mapping; amounts keep all their digits."""
    text = '{"prices": [{"model": "m", "input": 0.12345678901234567890, "output": 1, "valid_from": "2026-01-01"}]}'
    path = tmp_path / "p.json"
    path.write_text(text)
    [from_file] = loaded(path).prices
    [from_mapping] = loaded(json.loads(text, parse_float=Decimal)).prices
    assert from_file == from_mapping
    assert Decimal("0.12345678901234567890") == from_file.rates["input"]
    assert Decimal("0.1") == loaded({"prices": [{"model": "m", "input": 0.1}]}).prices[0].rates["input"]


def test_variable(tmp_path: Path) -> None:
    """The environment names a file."""
    path = tmp_path / "p.toml"
    path.write_text(TOML)
    table = resolve({"api_key": "test"}, {"RAMP_TRACING_PRICES": str(path)}).prices
    assert "p.toml: 6 prices, 2 discounts" == str(table)


def price(**more: Any) -> Mapping[str, Any]:
    """A table of one price."""
    return {"prices": [{"model": "m", "input": 1, **more}]}


@pytest.mark.parametrize(
    ("value", "fix"),
    [
        (7, "give the path of a TOML or JSON file, or a mapping"),
        ("prices.yaml", "must end in .toml or .json"),
        ("no-such-file.toml", "the file cannot be read"),
        ("~no-such-user/prices.toml", "the file cannot be read"),
        ({}, "neither `prices` nor `discounts`"),
        ({"price": []}, "unknown name, 'price'; known are discounts, prices"),
        ({"prices": {}}, "must be a list of tables"),
        ({"prices": [7]}, "price 1 must be a table"),
        ({"prices": [{"input": 1}]}, "price 1 has no `model`"),
        ({"prices": [{"model": "m"}]}, "price 1 names no price"),
        (price(provider=7), "`provider` of price 1 is not a text"),
        (price(inptu=1), "unknown name, 'inptu'"),
        (price(output="cheap"), "`output` of price 1 is no number"),
        (price(output=True), "`output` of price 1 is no number"),
        (price(output=-1), "must be from 0 to 1000000"),
        (price(output="NaN"), "must be from 0 to 1000000"),
        (price(output=1e9), "must be from 0 to 1000000"),
        (price(valid_from="soon"), "`valid_from` of price 1 is no day; write 2026-01-31"),
        (price(valid_from="2026-02-01", valid_until="2026-01-01"), "exchange `valid_from` and `valid_until`"),
        (price(tools=7), "`tools` of price 1 must be a table"),
        (price(tiers={"flex": {"request_fee": 1}}), "tier flex of price 1 has an unknown name"),
        (price(tiers={"default": {"input": 1}}), "tier default of price 1 is the ordinary one; name its prices in the"),
        (price(tiers={"flex": {"input": "x"}}), "`input` in tier flex of price 1 is no number"),
        ({"discounts": {"openai": 101}}, "the discount of openai must be from 0 to 100"),
    ],
)
def test_wrong(value: object, fix: str) -> None:
    """What cannot be used is refused at set-up, with what to change."""
    assert "prices cannot be used: " in wrong(value)
    assert fix in wrong(value)


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("p.toml", '[[prices]]\nmodel = "m"\ninput = 1.5\noutput = 2\n'),
        ("p.json", '{"prices": [{"model": "m", "input": 1.5, "output": 2}]}'),
    ],
)
def test_a_file_as_windows_writes_it(name: str, text: str, tmp_path: Path) -> None:
    """It begins with a mark of its encoding, and its lines end in two characters."""
    path = tmp_path / name
    path.write_bytes(text.replace("\n", "\r\n").encode("utf-8-sig"))
    [price] = loaded(str(path)).prices
    assert price.rates == {"input": Decimal("1.5"), "output": Decimal(2)}


@pytest.mark.parametrize(("name", "text"), [("p.toml", "[[prices]"), ("p.json", "{"), ("q.json", "[]")])
def test_broken_files(name: str, text: str, tmp_path: Path) -> None:
    """A file that is no TOML or JSON is refused."""
    path = tmp_path / name
    path.write_text(text)
    assert "the file" in wrong(path)
