"""Usual content is read as all content is."""

import math
from typing import Any, Final

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ramp_tracing._capture import json_text, metadata_value
from ramp_tracing._capture._json import MAX_CONTENT_BYTES, MAX_METADATA_BYTES, UNCUT_BYTES, bounded
from ramp_tracing._capture._media import DATA_OF, FILES, FORMATS, LINKS, MARKED, MEDIA_TYPES
from ramp_tracing._capture._usual import NAMES as USUAL_NAMES
from ramp_tracing._capture._usual import usual_json
from ramp_tracing._capture._walk import MAX_DEPTH, MAX_ITEMS, Walk

PICTURE: Final = "iVBORw0KGgo" + "".join(chr(65 + n * 7 % 26) + chr(97 + n * 5 % 26) + str(n % 10) for n in range(600))
TEXTS: Final = st.one_of(
    st.text(max_size=40),
    st.text(st.characters(exclude_categories=()), max_size=5),
    st.sampled_from(["Hello there, how are you?", "é" * 300, "x" * 1023, "x" * 1024, "word " * 900, "ACGT" * 500]),
    st.sampled_from([
        PICTURE, f"data:image/png;base64,{PICTURE}", f"see data:audio/wav;base64,{PICTURE} there", f"{PICTURE} 2",
        "data:image/svg+xml,%3Csvg%3E", "https://me:pass@files.example/x?signature=1", "data:text/plain,hi",
    ]),
)  # fmt: skip
NAMES: Final = st.one_of(
    st.sampled_from(["role", "content", "type", "text", "name", "arguments", *MARKED, *FILES, *LINKS, *DATA_OF]),
    st.sampled_from([*MEDIA_TYPES, *FORMATS, "image_generation_call", "k" * 201, "ключ", ""]),
    st.text(max_size=8),
)
SCALARS: Final = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(2**66), 2**66),
    st.floats(),
    st.sampled_from([2**63, 2**63 - 1, -(2**63), -(2**63) - 1]),
)
RARE: Final = st.sampled_from([b"bytes", (1, 2), 3 + 4j, {1}, object])
VALUES: Final = st.recursive(
    TEXTS | SCALARS | RARE,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(NAMES | st.integers(0, 3), inner, max_size=4),
    max_leaves=12,
)


def carefully(value: object) -> str:
    """What the walk makes of it."""
    walk = Walk()
    return bounded(walk.read(value), walk.characters, MAX_CONTENT_BYTES)


@settings(deadline=None, max_examples=400)
@given(VALUES)
def test_one_answer(value: object) -> None:
    """Whatever it is: what is usual is read as the walk reads it, and nothing is changed."""
    before = repr(value)
    quickly = usual_json(value, UNCUT_BYTES)
    assert quickly is None or carefully(value) == quickly.decode()
    assert carefully(value) == json_text(value)
    assert before == repr(value)


@settings(deadline=None, max_examples=400)
@given(VALUES, st.sampled_from([0, 4_000, 4_020, 4_032, 4_040, 4_096, 10_000]))
def test_one_answer_in_metadata(value: object, more: int) -> None:
    """Tags, and what else has parts, up to the length at which texts are cut."""
    value = [value, ("word " * 2_000)[:more]] if more else value
    walk = Walk()
    plain = walk.read(value)
    expected = bounded(plain, walk.characters, MAX_METADATA_BYTES) if isinstance(plain, list | dict) else None
    assert expected in (None, metadata_value(value))


def test_no_usual_name_means_a_file() -> None:
    """What is called so needs no care, whatever it holds."""
    assert USUAL_NAMES.isdisjoint(MARKED)
    assert all(name.isascii() and len(name) < 40 for name in USUAL_NAMES)


MESSAGES: Final = {
    "messages": [
        {"role": "system", "content": "You are helpful. " * 100},
        {"role": "user", "content": [{"type": "text", "text": "Wie spät ist es?"}, {"type": "text", "text": PICTURE}]},
        {"role": "assistant", "content": None, "tool_calls": [{"function": {"name": "clock", "arguments": "{}"}}]},
    ],
    "temperature": 0.5,
    "n": 1,
    "stream": False,
}


def test_chats_are_usual() -> None:
    """This is what it is for; and of a picture in a text there is a note."""
    quickly = usual_json(MESSAGES, UNCUT_BYTES)
    assert quickly is not None
    assert carefully(MESSAGES) == quickly.decode()
    assert PICTURE not in quickly.decode()
    assert "[image/png, " in quickly.decode()


def nested(depth: int) -> Any:
    """Lists in lists."""
    value: Any = "end"
    for _ in range(depth):
        value = [value]
    return value


def in_itself() -> Any:
    """A list that never ends."""
    value: list[Any] = []
    value += [value, value]
    return value


@pytest.mark.parametrize(
    "value",
    [
        {"url": "https://files.example/x?signature=1"}, {"data": "aGk="}, {"b64_json": "aGk="}, {"ключ": 1}, {1: 2},
        [math.nan], [math.inf], [2**63], [-(2**63) - 1], (1,), b"x", "\ud800", ["\ud800"], {"k" * 201: 1},
        nested(MAX_DEPTH + 1), in_itself(), [0] * (MAX_ITEMS + 1), [[0] * 101] * 100, "x" * MAX_CONTENT_BYTES,
    ],
    ids=lambda value: f"{type(value).__name__} {str(value)[:10]}",
)  # fmt: skip
def test_the_rest_is_read_with_care(value: object) -> None:
    """What it may not decide is left alone."""
    assert usual_json(value, UNCUT_BYTES) is None
    assert carefully(value) == json_text(value)


@pytest.mark.parametrize(
    "value", [nested(MAX_DEPTH), [0] * MAX_ITEMS, "x" * (UNCUT_BYTES - 2)], ids=["deep", "long", "big"]
)
def test_up_to_the_bounds(value: object) -> None:
    """The bounds are the walk's."""
    quickly = usual_json(value, UNCUT_BYTES)
    assert quickly is not None
    assert carefully(value) == quickly.decode()
