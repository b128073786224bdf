"""The line of a journal: there and back, whatever stands in it, and never longer than a page."""

import zlib
from collections.abc import Iterator, Mapping
from dataclasses import fields, is_dataclass, replace
from decimal import Decimal
from enum import Enum
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ramp_tracing._journal._contents import is_plain
from ramp_tracing._journal._line import Tie, Whole, body_in, check, decode, decode_own, encode, line_of, members_of
from ramp_tracing._record import (
    Attribution,
    Content,
    Cost,
    Failure,
    Generation,
    GenerationId,
    SpanParent,
    Timing,
    UnixNanos,
    Usage,
)

from .samples import full_generation, generation, roundtrip

PAGE = 4096

TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=40)
COUNTS = st.none() | st.integers(0, 2**63 - 1)
INSTANTS = st.integers(0, 2**63 - 1).map(UnixNanos)
MONEY = st.decimals(0, 10**9, allow_nan=False, allow_infinity=False, places=10)
HEX = st.integers(0, 2**64 - 1)
SCALARS = TEXTS | st.integers(-(2**63), 2**63 - 1) | st.booleans() | st.floats(allow_nan=False, allow_infinity=False)

USAGES = st.builds(
    Usage,
    **{field.name: COUNTS for field in fields(Usage) if "int" in str(field.type) and "Mapping" not in str(field.type)},
    audio_seconds=st.none() | MONEY,
    video_seconds=st.none() | MONEY,
    hosted_tool_calls=st.dictionaries(TEXTS, st.integers(0, 99), max_size=3),
    estimated=st.booleans(),
)
ATTRIBUTIONS = st.builds(
    Attribution,
    **{field.name: st.none() | TEXTS for field in fields(Attribution) if field.name != "metadata"},
    metadata=st.dictionaries(TEXTS, SCALARS, max_size=5),
)
GENERATIONS = st.builds(
    Generation,
    id=TEXTS.map(GenerationId),
    operation=TEXTS,
    library=TEXTS,
    timing=st.builds(Timing, started=INSTANTS, ended=INSTANTS, first_chunk=st.none() | INSTANTS),
    provider=st.none() | TEXTS,
    request_model=st.none() | TEXTS,
    response_model=st.none() | TEXTS,
    response_id=st.none() | TEXTS,
    server_port=COUNTS,
    finish_reasons=st.lists(TEXTS, max_size=3).map(tuple),
    streamed=st.booleans(),
    parameters=st.dictionaries(TEXTS, st.integers(0, 9) | st.floats(0, 1), max_size=3),
    retries=COUNTS,
    usage=USAGES,
    cost=st.none() | st.builds(Cost, total=MONEY, input=st.none() | MONEY, source=st.sampled_from(["provider"])),
    pending=st.booleans(),
    job=st.booleans(),
    failure=st.none() | st.builds(Failure, type=TEXTS, status_code=COUNTS, code=st.none() | TEXTS),
    attribution=ATTRIBUTIONS,
    span_parent=st.none() | st.builds(lambda a, b: SpanParent(f"{a:032x}", f"{b:016x}"), HEX, HEX),
    content_lost=st.booleans(),
)


def on_disk(record: Generation) -> Generation:
    """What of a record may be on disk."""
    failure = None if record.failure is None else replace(record.failure, message=None)
    return replace(record, content=None, failure=failure)


def leaves(value: object) -> Iterator[tuple[str, object]]:
    """The fields of records within records."""
    assert is_dataclass(value)
    for field in fields(value):
        inner = getattr(value, field.name)
        if is_dataclass(inner) and not isinstance(inner, Content):
            yield from leaves(inner)
        else:
            yield f"{type(value).__name__}.{field.name}", inner


def test_every_field_is_written_and_read() -> None:
    """Except for what is content; a new field of the record without a row fails here."""
    full = full_generation()
    defaults = dict(
        leaves(replace(generation(), cost=Cost(total=Decimal(1), source="custom"), failure=Failure(type="")))
    )
    same = [name for name, value in leaves(full) if value == defaults[name]]
    assert sorted(same) == ["Generation.content_lost", "Generation.library", "Generation.operation"]
    assert roundtrip(full) == on_disk(full)
    assert roundtrip(replace(full, content_lost=True)).content_lost


@settings(max_examples=150, deadline=None)
@given(GENERATIONS)
def test_any_record_comes_back_as_it_was(record: Generation) -> None:
    """And its line is shorter than a page, with everything in it unless it says otherwise."""
    encoded = encode(record)
    assert len(encoded.line) < PAGE
    if encoded.kept is None and len(record.id) <= 200 and len(encoded.line) < 3000:
        assert roundtrip(record) == on_disk(record)
    assert (roundtrip(record).usage, roundtrip(record).cost) == (record.usage, record.cost)


CONTENT = Content(input="asked", output="answered", size_bytes=10)


@settings(max_examples=100, deadline=None)
@given(
    GENERATIONS,
    st.none() | st.just(CONTENT),
    st.none() | st.builds(Tie, st.sampled_from(["held", "settles"]), HEX.map("{:x}".format)),
)
def test_an_own_line_is_read_as_any_other(record: Generation, content: Content | None, tie: Tie | None) -> None:
    """Also where only its beginning and its end are looked at."""
    line = encode(replace(record, content=content), tie).line[:-1]
    checked, expected = check(line), decode(line)
    assert checked is not None
    assert expected is not None
    own = decode_own(checked)
    assert own is not None
    assert (expected.key, expected.in_memory, expected.tie) == (own.key, own.in_memory, own.tie)
    assert expected.generation == own.generation


def exactly(record: Generation) -> list[tuple[str, str]]:
    """What it says, in words that tell 1, 1.0 and True apart; a mapping is like any other."""
    return [(name, repr(dict(value) if isinstance(value, Mapping) else value)) for name, value in leaves(record)]


class Model(str, Enum):  # noqa: UP042 - as it was written before Python had another way
    """As applications name their models; its text in an f-string is another one."""

    GPT = "gpt-4o"


ODD = st.sampled_from([Model.GPT, True, 1, 1.0, 2**63, "x" * 5000, "\ud800", float("nan"), Decimal("1.10"), None])
ODDLY = st.fixed_dictionaries(
    {},
    optional={
        "request_model": ODD,
        "retries": ODD,
        "finish_reasons": st.tuples(ODD),
        "parameters": st.fixed_dictionaries({"temperature": ODD}),
        "usage": st.builds(Usage, input_tokens=ODD, audio_seconds=ODD),
        "attribution": st.builds(Attribution, user=ODD),
        "timing": st.builds(Timing, started=INSTANTS, ended=INSTANTS, first_chunk=ODD),
    },
)


@settings(max_examples=150, deadline=None)
@given(GENERATIONS, ODDLY)
def test_a_record_is_sent_from_memory_only_if_its_line_says_the_same(record: Generation, odd: dict[str, Any]) -> None:
    """Whatever it holds: else a stream that is sent by the next process would be another one."""
    record = replace(record, content=CONTENT, **odd)
    kept = encode(record).kept
    written = kept.generation if isinstance(kept, Whole) else None
    if written is not None and is_plain(written):
        read = replace(roundtrip(record), content=CONTENT)
        assert exactly(read) == exactly(written)


def test_an_ordinary_stream_is_sent_from_memory() -> None:
    """Or the comparison above would compare nothing."""
    ordinary = replace(full_generation(), cost=None, failure=None, attribution=Attribution(user="u"), content=CONTENT)
    usage = replace(ordinary.usage, audio_seconds=None, video_seconds=None)
    kept = encode(replace(ordinary, usage=usage)).kept
    assert isinstance(kept, Whole)
    assert is_plain(kept.generation)


def test_an_own_line_is_not_parsed_where_the_rest_is_in_memory() -> None:
    """Or the comparison above would compare one way with itself."""
    checked = check(encode(generation(text="asked")).line[:-1])
    assert checked is not None
    own = decode_own(checked)
    assert own is not None
    assert isinstance(own._members, bytes)


def test_a_small_record_is_a_short_line() -> None:
    """Only what differs from the defaults is written, with names that a person can read."""
    line = encode(generation(7)).line
    body = (
        b'{"id":"gen-7","time":{"start":1000000000000000007,"end":1000000001000000000},"operation":"chat",'
        b'"library":"openai","usage":{"input":7,"output":0}}'
    )
    assert line == b"v1 %08x %b\n" % (zlib.crc32(body), body)


def test_zero_is_written_and_unknown_is_not() -> None:
    """Nothing is invented on the way."""
    usage = roundtrip(replace(generation(), usage=Usage(input_tokens=0, cache_read_tokens=None))).usage
    assert usage == Usage(input_tokens=0)


def test_money_keeps_every_digit() -> None:
    """It is written as text."""
    cost = Cost(total=Decimal("0.00000123456789012345678901"), source="provider")
    assert roundtrip(replace(generation(), cost=cost)).cost == cost


def test_content_is_not_in_the_line_and_the_line_says_so() -> None:
    """Neither prompt nor answer nor the provider's words."""
    record = replace(generation(1, text="CANARY"), failure=Failure(type="E", message="CANARY said"))
    encoded = encode(record)
    assert b"CANARY" not in encoded.line
    assert b'"in_memory":["content","message"]' in encoded.line
    assert encoded.kept is not None
    assert encoded.kept.joined(roundtrip(record)) == record


def test_two_lines_of_one_id_have_two_keys() -> None:
    """A job is recorded when it begins and again when it has ended; each has content of its own."""
    begun = replace(generation(1, text="asked"), pending=True)
    assert encode(begun).key != encode(replace(begun, pending=False)).key
    decoded = decode(encode(begun).line[:-1])
    assert decoded is not None
    assert decoded.key == encode(begun).key


# -- lines of others


def changed(record: Generation, **members: object) -> Generation | None:
    """A record after somebody changed its line, with a good checksum."""
    before = members_of(encode(record).line[:-1])
    assert before is not None
    line = line_of({**before, **members})
    assert line is not None
    decoded = decode(line[:-1])
    return None if decoded is None else decoded.generation


def test_a_member_that_nobody_knows_is_passed_over() -> None:
    """A newer version wrote it."""
    assert changed(generation(1), colour="blue") == generation(1)
    assert changed(generation(1), usage={"input": 1, "output": 0, "smells": 3}) == generation(1)


@pytest.mark.parametrize(
    "members",
    [
        {"provider": 7},
        {"finish": "stop"},
        {"finish": [1]},
        {"port": "443"},
        {"port": True},
        {"cost": {"total": "much", "source": "provider"}},
        {"cost": {"source": "provider"}},
        {"cost": 3},
        {"parent": ["a"]},
        {"parameters": []},
        {"for": "me"},
        {"streamed": "yes"},
        {"in_memory": 7},
    ],
    ids=str,
)
def test_a_member_that_cannot_be_read_is_passed_over(members: dict[str, object]) -> None:
    """The rest of the record is worth sending without it."""
    assert changed(generation(1), **members) == generation(1)


@pytest.mark.parametrize("member", ["id", "time", "operation", "library"])
def test_what_every_record_has_must_be_there(member: str) -> None:
    """A line without it is none."""
    assert changed(generation(1), **{member: None}) is None


@pytest.mark.parametrize("line", [b"", b"v1 ", b"v1 00000000 ", b"v1 00000000", b"{}", b"\0" * 50, b"v2 00000000 {}"])
def test_what_is_no_line_is_no_record(line: bytes) -> None:
    """And nothing is raised."""
    assert decode(line) is None


@pytest.mark.parametrize("body", [b"[]", b"7", b"{", b'"id"', b"\xff"])
def test_json_that_is_no_record_is_no_record(body: bytes) -> None:
    """Though its checksum is right."""
    line = b"v1 %08x %b" % (zlib.crc32(body), body)
    assert body_in(line) == body
    assert decode(line) is None


def test_a_torn_piece_in_front_of_a_line_is_passed_over() -> None:
    """A full disk cut one write short, and the next one had room."""
    torn, whole = encode(generation(1)).line[:-7], encode(generation(2)).line
    decoded = decode(torn + torn[:-20] + whole[:-1])
    assert decoded is not None
    assert decoded.generation == generation(2)


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_a_damaged_line_is_never_taken_for_a_record(data: st.DataObject) -> None:
    """Whichever byte it is."""
    line = bytearray(encode(generation(3)).line[:-1])
    position = data.draw(st.integers(0, len(line) - 1))
    line[position] ^= data.draw(st.integers(1, 255))
    assert decode(bytes(line)) is None
