"""The function that is written out of a table reads what the table says."""

import json
from collections.abc import Mapping
from dataclasses import replace
from decimal import Decimal
from typing import Any, Final

import pytest
from export_samples import DOCUMENTED, FULL, PLAIN
from hypothesis import given, settings
from hypothesis import strategies as st

from ramp_tracing._export._attributes import CONVENTIONAL_STEPS, LEVEL, OPENROUTER, SEMCONV, STANDING, WHO
from ramp_tracing._export._json_attributes import MAX_KINDS, Asked, Writing, array_of, kind_of, pieces_of
from ramp_tracing._export._readers import amounts_of
from ramp_tracing._export._rows import Reading, Row, Rows, When
from ramp_tracing._export._values import sound
from ramp_tracing._record import NOBODY, Attribution, Content, Cost, Failure, Generation, Timing, UnixNanos, Usage

TABLES: Final[Mapping[str, Rows]] = {
    "openrouter": OPENROUTER,
    "semconv": SEMCONV,
    "levels and steps": {**LEVEL, **WHO, **CONVENTIONAL_STEPS["tool"]},
}


def one_by_one(rows: Rows, generation: Generation) -> dict[str, object]:
    """What each row says by itself; `When` is not believed."""
    said = {key: sound(given) for key, row in rows.items() if (given := value_of(row, generation)) is not None}
    return {key: value for key, value in said.items() if value is not None}


def value_of(row: Row, generation: Generation) -> object:
    """The value of one row."""
    if isinstance(row, When):
        return None if amounts_of(generation) is None and row.part == "amounts" else row.read(generation)
    if not isinstance(row, str):
        return row(generation)
    part, name = row.split(".")
    holders: dict[str, Any] = {"generation": lambda: generation, "amounts": lambda: amounts_of(generation)}
    holder = holders[part]() if part in holders else getattr(generation, part)
    return None if holder is None else getattr(holder, name)


TEXTS: Final = st.none() | st.sampled_from(["", "gpt-4o", "openai", "é", "x" * 4097, "\ud800", "mistral-7b", "a/b"])
COUNTS: Final = st.none() | st.integers(0, 10**6) | st.sampled_from([2**63, 2**63 - 1, -1, True])
INSTANTS: Final = st.integers(0, 2) | st.integers(-1, 2**64)
RECKONED: Final = st.sampled_from(
    [
        "0.0000930000",
        "7E-10",
        "0E-10",
        "12.0000000000",
        "-0.5000000000",
        "1" * 49 + ".0000000000",
        "1" * 51 + ".0000000000",
    ]
).map(Decimal)
AMOUNTS: Final = (
    st.none() | st.decimals(allow_nan=True) | st.sampled_from([Decimal("0.1"), Decimal("1E-12")]) | RECKONED
)


def some(kind: type, **more: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    """Records of a kind with any of these fields."""
    return st.fixed_dictionaries({}, optional=more).map(lambda fields: kind(**fields))


ATTRIBUTIONS: Final = st.just(NOBODY) | some(
    Attribution, user=TEXTS, session_id=TEXTS, trace_name=TEXTS, generation_name=TEXTS, parent_span_id=TEXTS
)
USAGES: Final = some(Usage, **dict.fromkeys(("input_tokens", "output_tokens", "total_tokens", "images"), COUNTS))
SOURCES: Final = st.sampled_from(["gateway", "provider", "price_table", "100 %s"])
COSTS: Final = (
    st.none()
    | AMOUNTS.filter(lambda amount: amount is not None).flatmap(
        lambda total: st.builds(
            Cost, total=st.just(total), source=SOURCES, input=AMOUNTS, output=AMOUNTS, price_list=TEXTS
        )
    )
    | st.builds(Cost, total=RECKONED, input=RECKONED, output=RECKONED, source=SOURCES)
)
FAILURES: Final = st.none() | st.builds(
    Failure, type=TEXTS.map(str), message=TEXTS, code=TEXTS, status_code=st.none() | st.just(429)
)
CONTENTS: Final = st.none() | st.builds(
    Content, input=st.sampled_from([None, {"messages": []}]), output=st.none() | st.text(), size_bytes=st.just(1)
)
PARAMETERS: Final = st.dictionaries(
    st.sampled_from(["temperature", "max_tokens", "max_output_tokens", "n", "top_k"]),
    st.floats() | st.integers() | st.sampled_from([0, 0.0, -0.0, False, 1, 1.0, True, 2**64]),
)


@st.composite
def generations(draw: st.DrawFn) -> Generation:
    """A record that may hold anything that its types allow, and some that they do not."""
    timing = Timing(
        started=UnixNanos(draw(INSTANTS)),
        ended=UnixNanos(draw(INSTANTS)),
        first_chunk=draw(st.none() | INSTANTS),  # type: ignore[arg-type]
    )
    return replace(
        draw(st.sampled_from([PLAIN, DOCUMENTED, FULL])),
        timing=timing,
        provider=draw(TEXTS),
        request_model=draw(TEXTS),
        response_model=draw(TEXTS),
        finish_reasons=tuple(draw(st.lists(TEXTS, max_size=2))),
        service_tier=draw(TEXTS),
        streamed=draw(st.booleans()),
        retries=draw(COUNTS),
        usage=draw(USAGES),
        cost=draw(COSTS),
        failure=draw(FAILURES),
        attribution=draw(ATTRIBUTIONS),
        content=draw(CONTENTS),
        parameters=draw(PARAMETERS),
    )


READINGS: Final = {name: Reading(rows) for name, rows in TABLES.items()}


@pytest.mark.parametrize("table", TABLES)
@settings(deadline=None, max_examples=60)
@given(generation=generations())
def test_all_that_the_rows_say(table: str, generation: Generation) -> None:
    """The same keys in the same order with the same values of the same types, whatever the record holds."""
    expected = one_by_one(TABLES[table], generation)
    read = READINGS[table].read(generation)
    assert [(key, type(value), repr(value)) for key, value in expected.items()] == [
        (key, type(value), repr(value)) for key, value in read.items()
    ]


WRITINGS: Final = {name: Writing(READINGS[name], STANDING) for name in ("openrouter", "semconv")}


@pytest.mark.parametrize("dialect", WRITINGS)
@settings(deadline=None, max_examples=150)
@given(generation=generations())
def test_written_as_read(dialect: str, generation: Generation) -> None:
    """What is written down is what is read, whether a call of its kind was seen before or not."""
    expected = array_of(list(pieces_of(READINGS[dialect].read(generation))))
    assert expected == array_of(WRITINGS[dialect].write(generation))
    assert expected == array_of(WRITINGS[dialect].write(generation))
    if expected != b"[]":
        json.loads(expected)


class Watched:
    """A record that remembers which of its fields were read."""

    def __init__(self, record: Any, prefix: str = "") -> None:
        self._record, self._prefix = record, prefix
        self.read: set[str] = set()

    def __getattr__(self, name: str) -> Any:
        self.read.add(name)
        value = getattr(self._record, name)
        if isinstance(value, Cost):
            value = Watched(value)
            value.read = self.read
        return value


@pytest.mark.parametrize("rows", [OPENROUTER, SEMCONV], ids=["openrouter", "semconv"])
@settings(deadline=None)
@given(generation=generations())
def test_a_kind_is_all_that_standing_attributes_say(rows: Rows, generation: Generation) -> None:
    """What is encoded once is decided by nothing that the kind does not have."""
    kind: Any = Watched(generation)
    kind_of(kind)
    assert STANDING <= OPENROUTER.keys() | SEMCONV.keys()
    for key in STANDING & rows.keys():
        watched: Any = Watched(generation)
        value_of(rows[key], watched)
        assert watched.read <= kind.read, key


def test_kinds_are_bounded() -> None:
    """A server that names its model anew in each answer does not fill the memory."""
    writing = Writing(READINGS["openrouter"], STANDING)
    for number in range(MAX_KINDS + 5):
        writing.write(replace(PLAIN, response_model=f"model-{number}"))
    assert len(writing._known) <= MAX_KINDS


def test_parameters_that_are_equal_and_not_the_same() -> None:
    """They are remembered as they are, and in bounds."""
    writing = Writing(READINGS["openrouter"], STANDING)
    for value in (1, 1.0, True, 0.0, -0.0, False, 0):
        record = replace(PLAIN, parameters={"temperature": value})
        expected = array_of(list(pieces_of(READINGS["openrouter"].read(record))))
        assert expected == array_of(writing.write(record)), value
    asked = Asked(Reading({"gen_ai.request.seed": OPENROUTER["gen_ai.request.seed"]}))
    for seed in range(MAX_KINDS + 5):
        asked.write(replace(PLAIN, parameters={"seed": seed}))
    assert len(asked._known) <= MAX_KINDS


def test_what_has_no_hash_is_written_all_the_same() -> None:
    """A record that is not what its types say is sent."""
    odd: Any = (["stop"], "length")
    written = array_of(WRITINGS["openrouter"].write(replace(PLAIN, finish_reasons=odd)))
    assert {"key": "gen_ai.response.finish_reasons", "value": {"stringValue": '["length"]'}} in json.loads(written)


def test_the_keys_are_the_tables() -> None:
    """Metadata of the user's cannot take the place of any of them."""
    assert OPENROUTER.keys() == READINGS["openrouter"].keys
