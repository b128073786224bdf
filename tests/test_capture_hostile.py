"""Nothing that an application can put into a request runs, raises or hangs here."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from traceback import extract_tb
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ramp_tracing._capture import clean_text, json_text, metadata_value, snapshot


def refuse(self: object, *args: object, **kwargs: object) -> Any:
    """Any method of the application's."""
    raise AssertionError("code of the application ran")


METHODS = (
    "__bool__", "__bytes__", "__contains__", "__eq__", "__float__", "__format__", "__ge__", "__getattr__",
    "__getattribute__", "__getitem__", "__hash__", "__index__", "__int__", "__iter__", "__le__", "__len__",
    "__length_hint__", "__lt__", "__ne__", "__next__", "__repr__", "__str__",
    "copy", "decode", "encode", "isascii", "items", "keys", "startswith", "values",
)  # fmt: skip

REFUSING = dict.fromkeys(METHODS, refuse)


class Sealed(type):
    """A class whose class refuses everything too."""

    __hash__ = refuse  # type: ignore[assignment]
    __eq__ = refuse  # type: ignore[assignment]
    __instancecheck__ = refuse
    __subclasscheck__ = refuse
    __repr__ = refuse
    __name__ = property(refuse)  # type: ignore[assignment]
    __mro__ = property(refuse)  # type: ignore[assignment]


def hostile(name: str, *bases: type, **members: object) -> Any:
    """A class whose methods all refuse."""
    return Sealed(name, bases, {**REFUSING, **members})


Text = hostile("Text", str)
Whole = hostile("Whole", int)
Real = hostile("Real", float)
Octets = hostile("Octets", bytes)
Items = hostile("Items", list)
Row = hostile("Row", tuple)
Members = hostile("Members", dict)
Thing = hostile("Thing", object)
Model = hostile("Model", object, model_fields={}, __dict__=property(refuse))

VALUES: dict[str, tuple[object, object]] = {
    "text": (Text("hi"), "hi"),
    "integer": (Whole(7), 7),
    "float": (Real(0.5), 0.5),
    "bytes": (Octets(b"abc"), "[bytes, 3 bytes]"),
    "list": (Items([1, 2]), [1, 2]),
    "tuple": (Row((1, 2)), [1, 2]),
    "dict": (Members(a=1), {"a": 1}),
    "object": (Thing(), "[Thing]"),
    "what poses as a model": (Model(), {}),
    "class": (Thing, "[Sealed]"),
}


def untouched(function: Callable[[object], Any], value: object) -> Any:
    """What *function* makes of *value*; a failure shows no objects, because to show them runs their code."""
    try:
        return function(value)
    except AssertionError as error:
        trace = [f"{Path(frame.filename).name}:{frame.lineno}" for frame in extract_tb(error.__traceback__)]
        pytest.fail(f"{error}: {trace}", pytrace=False)


@pytest.mark.parametrize("name", VALUES)
def test_runs_nothing(name: str) -> None:
    """A subclass of a built-in class is read as that class, and of anything else only its name is."""
    value, expected = VALUES[name]
    assert json.loads(untouched(json_text, {"value": [value]})) == {"value": [expected]}


@pytest.mark.parametrize("name", VALUES)
def test_metadata_runs_nothing(name: str) -> None:
    """The same as metadata."""
    value, expected = VALUES[name]
    nested = isinstance(expected, (list, dict))
    text = json.dumps(expected, separators=(",", ":")) if nested else expected
    assert untouched(metadata_value, value) == text


@pytest.mark.parametrize("name", VALUES)
def test_snapshot_runs_nothing(name: str) -> None:
    """What is not a plain list or dictionary is neither copied nor looked into."""
    value, _ = VALUES[name]
    copy, size_bytes = untouched(snapshot, {"value": [value]})
    is_kept = copy["value"][0] is value
    assert is_kept
    assert size_bytes > 0


class HashedOnce:
    """A key that refuses to be hashed again, compared or written out."""

    hashed = False

    def __hash__(self) -> int:
        assert not self.hashed
        self.hashed = True
        return 1

    __eq__ = refuse
    __str__ = refuse


def test_hostile_key() -> None:
    """A key that can only be hashed once is not hashed again."""
    assert json.loads(json_text({HashedOnce(): "value"})) == {"[HashedOnce]": "value"}


def test_snapshot_of_a_hostile_key() -> None:
    """The same in a snapshot: what is under such a key stays the application's."""
    value = {HashedOnce(): [1]}
    copy, _ = snapshot(value)
    assert isinstance(copy, dict)
    assert list(copy) == list(value)


def test_endless_iterable() -> None:
    """An iterator is never asked for anything."""

    def endless() -> Iterator[int]:
        raise AssertionError("iterated")
        yield 1

    assert json_text([endless(), range(10**12)]) == '["[generator]","[range]"]'


class Stubborn:
    """An object that cannot be read, except by whoever prints a failure of a test."""

    __str__ = refuse
    __getattr__ = refuse
    __iter__ = refuse
    __len__ = refuse


scalars = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.integers(min_value=2**60)
    | st.floats()
    | st.decimals()
    | st.text(st.characters(), max_size=20)
    | st.text(st.sampled_from("ab\ud800\udc00 é"), max_size=20)
    | st.binary(max_size=20)
    | st.datetimes()
    | st.uuids()
    | st.builds(Stubborn)
)
names = st.sampled_from(
    ["data", "url", "image_url", "input_audio", "audio", "source", "file_data", "b64_json", "type", "format",
     "mime_type", "result", "content", "\ud800"]
) | st.text(max_size=8)  # fmt: skip
trees = st.recursive(
    scalars,
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(names | st.integers() | st.none(), inner, max_size=4)
        | st.tuples(inner, inner)
    ),
    max_leaves=20,
)


@given(trees)
def test_any_tree(tree: object) -> None:
    """Whatever a request holds, what comes out is JSON that any receiver reads, and nothing raises."""
    text = json_text(tree)
    text.encode()
    json.loads(text, parse_constant=refuse)


@given(trees)
def test_any_metadata(tree: object) -> None:
    """Whatever is given as metadata comes out as a scalar."""
    value = metadata_value(tree)
    assert type(value) in (str, int, float, bool, type(None))
    if isinstance(value, str):
        value.encode()


@given(trees)
def test_any_snapshot(tree: object) -> None:
    """A snapshot says the same as what it was taken of."""
    copy, size_bytes = snapshot(tree)
    assert json_text(copy) == json_text(tree)
    assert size_bytes >= 0


@given(st.text(st.characters()) | st.text(st.sampled_from("a\ud800\udc00")))
def test_any_text(text: str) -> None:
    """Cleaned text can be encoded, cleaning it again changes nothing, and sound text stays the same object."""
    clean = clean_text(text)
    clean.encode()
    assert clean_text(clean) == clean
    if not any("\ud800" <= character <= "\udfff" for character in text):
        assert clean is text


@given(st.text(st.sampled_from("ab/+=\\\n;, ")), st.integers(0, 40), st.sampled_from(["data:", "data:a/b;base64,", ""]))
def test_any_data_uri(text: str, times: int, begins: str) -> None:
    """Text made of the pieces of data URIs does not raise."""
    json.loads(json_text({"image_url": begins + text * times, "data": begins + text * times}))
