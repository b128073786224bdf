"""Foreign values as JSON text and metadata, within bounds."""

import json
import math
import sys
from collections import OrderedDict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime, tzinfo
from decimal import Decimal
from enum import Enum, IntEnum, StrEnum
from itertools import count
from types import FrameType
from typing import NamedTuple
from uuid import UUID

import pytest
from openai.types.chat import ChatCompletion, ChatCompletionMessage
from pydantic import BaseModel

from ramp_tracing._capture import clean_text, json_text, metadata_value


class Colour(Enum):
    RED = "red"


class Word(StrEnum):
    RED = "red"


class Number(IntEnum):
    ONE = 1


class Point(NamedTuple):
    x: int
    y: int


class OwnZone(tzinfo):
    pass


class Opaque:
    pass


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        pytest.param({"a": [1, 1.5, "é", True, None]}, {"a": [1, 1.5, "é", True, None]}, id="JSON as it is"),
        pytest.param((1, Point(2, 3)), [1, [2, 3]], id="tuples"),
        pytest.param(OrderedDict(a=1), {"a": 1}, id="a subclass of dict"),
        pytest.param([Word.RED, Number.ONE, Colour.RED], ["red", 1, "[Colour]"], id="enumerations"),
        pytest.param([Decimal("0.5"), Decimal("NaN"), Decimal("sNaN")], [0.5, "NaN", "NaN"], id="decimals"),
        pytest.param([math.nan, math.inf, -math.inf], ["NaN", "Infinity", "-Infinity"], id="no numbers"),
        pytest.param([2**63 - 1, -(2**63)], [2**63 - 1, -(2**63)], id="64 bits"),
        pytest.param([2**63, -(2**63) - 1], [str(2**63), str(-(2**63) - 1)], id="more than 64 bits"),
        pytest.param(10**5000, "[integer, 16610 bits]", id="more digits than Python writes"),
        pytest.param(
            {1: "a", None: "b", False: "c", 1.5: "d", (1,): "e", Word.RED: "f"},
            {"1": "a", "null": "b", "false": "c", "1.5": "d", "[tuple]": "e", "red": "f"},
            id="keys that are no text",
        ),
        pytest.param(["\ud83d\ude00", "a\ud800b"], ["😀", "a\ufffdb"], id="surrogates"),
        pytest.param({"\udfff": 1}, {"\ufffd": 1}, id="a surrogate in a key"),
        pytest.param([Opaque(), {1}, Opaque, len], ["[Opaque]", "[set]", "[type]", "[builtin_function_or_method]"],
                     id="what nobody knows"),
        pytest.param(UUID(int=1), "00000000-0000-0000-0000-000000000001", id="a UUID"),
        pytest.param(
            [date(2026, 1, 2), datetime(2026, 1, 2, 3, tzinfo=UTC), datetime(2026, 1, 2, 3, tzinfo=OwnZone())],
            ["2026-01-02", "2026-01-02T03:00:00+00:00", "[datetime]"],
            id="dates, but no time zone of the application's",
        ),
    ],
)  # fmt: skip
def test_json(value: object, expected: object) -> None:
    """Whatever is given comes out as JSON that reads back as the nearest thing JSON has."""
    assert json.loads(json_text(value)) == expected


def test_models() -> None:
    """A client library's model is read like the JSON it was made from, with fields that its version does not know."""
    answer = {
        "id": "c",
        "provider": "Azure",
        "choices": [{"index": 0, "message": {"role": "assistant", "content": "hi"}}],
    }
    completion = ChatCompletion.construct(**answer)
    assert json.loads(json_text(completion)) == answer


def test_models_within_messages() -> None:
    """An answer that the application put into its next request is read there too."""
    message = ChatCompletionMessage.construct(role="assistant", content="hi", refusal=None)
    assert json.loads(json_text({"messages": [message]})) == {"messages": [{"role": "assistant", "content": "hi"}]}


def test_models_run_no_code() -> None:
    """A model's properties, computed fields and serialisers are the application's code and stay untouched."""

    class Trap(BaseModel):
        text: str

        def __getattribute__(self, name: str) -> object:
            raise AssertionError(name)

    trap = Trap.model_construct(text="hi")
    assert json.loads(json_text(trap)) == {"text": "hi"}


def test_cycles() -> None:
    """A container inside itself is named, not entered."""
    items: list[object] = [1]
    items.append(items)
    members: dict[str, object] = {}
    members["self"] = members
    assert json.loads(json_text([items, members])) == [[1, "[list]"], {"self": "[dict]"}]


def test_shared_containers() -> None:
    """A container that is there twice, not inside itself, is written twice."""
    shared = [1]
    assert json.loads(json_text({"a": shared, "b": shared})) == {"a": [1], "b": [1]}


def test_depth() -> None:
    """Endless nesting is cut."""
    deep: list[object] = []
    for _ in range(10_000):
        deep = [deep]
    assert json_text(deep) == "[" * 24 + '"[list]"' + "]" * 24


def test_many_items() -> None:
    """More items than anyone reads are counted instead."""
    items = json.loads(json_text(list(range(12_000))))
    assert (items[:2], items[9_998:]) == ([0, 1], [9998, 9999, "[+2000 items]"])


def test_doubling() -> None:
    """A structure that grows by sharing, two to the power of a hundred, ends."""
    nested: object = "x"
    for _ in range(100):
        nested = [nested, nested]
    assert len(json_text(nested)) < 500_000


def test_long_text_is_cut() -> None:
    """Text over half a megabyte is cut where it is longest, and says by how much."""
    plain = json.loads(json_text({"short": "whole", "long": "x" * 2_000_000}))
    kept, _, missing = plain["long"].partition("[+")
    assert plain["short"] == "whole"
    assert missing == f"{2_000_000 - len(kept)} characters]"
    assert len(kept) > 400_000


@pytest.mark.parametrize(
    "value",
    [
        pytest.param("日" * 1_000_000, id="three bytes a character"),
        pytest.param("\x00" * 1_000_000, id="six characters each"),
        pytest.param("\ud800" * 1_000_000, id="surrogates"),
        pytest.param(["y" * 150] * 10_000, id="many texts"),
        pytest.param([{"k" * 180 + str(i): i} for i in range(5000)], id="nothing but keys"),
        pytest.param("word " * 1_000_000, id="prose"),
    ],
)
def test_bound_in_bytes(value: object) -> None:
    """Whatever the text is made of, what is sent is valid JSON of at most half a megabyte."""
    text = json_text(value)
    json.loads(text)
    assert len(text.encode()) <= 500_000


def test_nothing_but_keys() -> None:
    """Where cutting texts does not help, the whole is left out and says so."""
    value = [{"k" * 180 + str(index): index} for index in range(5000)]
    whole_bytes = len(json.dumps(value, separators=(",", ":")))
    assert json_text(value) == f'"[{whole_bytes} bytes left out]"'


@pytest.mark.parametrize(("file", "beside", "least"), [("_usual.py", 0, 50), ("_walk.py", (), 100)])
def test_changes_meanwhile(file: str, beside: object, least: int) -> None:
    """A container that another thread changes between any two steps is read as it was before or after."""
    steps = 0
    while True:
        members: dict[str, int] = {"a": 1}
        left = count(steps, -1)

        def change(members: dict[str, int] = members, left: Iterator[int] = left) -> None:
            if next(left) == 0:
                members["b"] = 2

        with _before_each_instruction(file, change):
            text = json_text({"beside": beside, "members": members})
        assert json.loads(text)["members"] in ({"a": 1}, {"a": 1, "b": 2})
        if next(left) > 0:
            break
        steps += 1
    assert steps > least


@contextmanager
def _before_each_instruction(file: str, act: Callable[[], None]) -> Iterator[None]:
    """Call *act* wherever a thread could lose its turn while code of *file* runs."""

    def entered(frame: FrameType, *_: object) -> Callable[..., object] | None:
        if not frame.f_code.co_filename.endswith(file):
            return None
        frame.f_trace_opcodes, frame.f_trace_lines = True, False
        return stepped

    def stepped(_frame: FrameType, event: str, _argument: object) -> Callable[..., object]:
        if event == "opcode":
            act()
        return stepped

    sys.settrace(entered)
    try:
        yield
    finally:
        sys.settrace(None)


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("team-a", "team-a"),
        ("\ud800", "\ufffd"),
        (7, 7),
        (True, True),
        (0.25, 0.25),
        (None, None),
        (math.nan, "NaN"),
        (2**64, "18446744073709551616"),
        (Decimal("0.5"), 0.5),
        (Word.RED, "red"),
        (b"abc", "[bytes, 3 bytes]"),
        (UUID(int=1), "00000000-0000-0000-0000-000000000001"),
        ({"a": [1]}, '{"a":[1]}'),
        (["a", None], '["a",null]'),
        ((), "[]"),
        (Opaque(), "[Opaque]"),
        ("x" * 5000, "x" * 4096 + "[+904 characters]"),
    ],
)
def test_metadata(value: object, expected: object) -> None:
    """A scalar stays what it is, anything nested becomes JSON text, and nothing is long."""
    result = metadata_value(value)
    assert (result, type(result)) == (expected, type(expected))


def test_long_nested_metadata() -> None:
    """Nested metadata that is cut is still JSON."""
    text = metadata_value({"a": "x" * 10_000, "b": 1})
    assert isinstance(text, str)
    assert len(text) <= 4096
    assert json.loads(text)["b"] == 1


@pytest.mark.parametrize(
    ("text", "expected"),
    [("plain", "plain"), ("héé", "héé"), ("\ud83d\ude00", "😀"), ("a\udc00", "a\ufffd"), (Word.RED, "red")],
)
def test_clean_text(text: str, expected: str) -> None:
    """Text that UTF-8 cannot hold is mended; halves of a pair that stand together become their character."""
    assert clean_text(text) == expected


@pytest.mark.parametrize("function", [json_text, metadata_value])
def test_input_is_not_changed(function: Callable[[object], object]) -> None:
    """What is read is left as it was."""
    value = {"messages": [{"content": [{"type": "image_url", "image_url": {"url": "data:image/png;base64,AAAA"}}]}]}
    function(value)
    assert value == {
        "messages": [{"content": [{"type": "image_url", "image_url": {"url": "data:image/png;base64,AAAA"}}]}]
    }
