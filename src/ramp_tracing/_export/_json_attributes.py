"""
Attributes as OTLP/JSON.

Of the thirty that a call is sent with, some twenty are the same for all calls of its kind: they are encoded once. The
others go from the record to their bytes without a tree of dictionaries in between.
"""

from collections.abc import Callable, Iterator, Mapping, Set
from decimal import Decimal
from functools import lru_cache
from itertools import groupby
from operator import attrgetter, itemgetter
from typing import Any, Final, cast

import orjson

from .._record import Cost, Generation
from ._rows import IS_TEXT, Reading, function_of, lines_of, part_of
from ._span import Value
from ._values import JsonText, plain_notation, usual_digits

MAX_BEGINNINGS: Final = 1_024
"""Of attributes: our own keys, and those of the user's metadata, which a loop may make up."""

MAX_KINDS: Final = 512
"""Then all are forgotten. A program makes calls of a handful of kinds; a server may name its models as it likes."""

Runs = tuple[bytes, ...]
"""The encoded attributes of a kind, as far as they stand beside each other."""

Form = tuple[bytes, Callable[[tuple[object, ...]], object]]
"""Encoded attributes with a place for each amount, and what puts total, input and output in the order of these."""

Write = Callable[[Generation, Runs], list[bytes]]

_kind_of: Final = attrgetter(
    "operation", "library", "provider", "upstream_provider", "server_address", "server_port", "request_model",
    "response_model", "finish_reasons", "native_finish_reason", "service_tier", "inference_geo", "streamed", "pending",
    "content_lost", "usage.estimated",
)  # fmt: skip
_terms_of: Final = attrgetter("source", "price_list", "price_date")


def kind_of(generation: Generation) -> object:
    """All that decides what a standing attribute says."""
    cost, port = generation.cost, type(generation.server_port)  # True is no port, and equal to 1
    return _kind_of(generation), port, generation.failure is None, None if cost is None else _terms_of(cost)


class Writing:
    """
    A table that can be written down. Used by one thread at a time.

    Args:
        reading: The table.
        standing: The keys of what is the same for all calls of a kind.
    """

    def __init__(self, reading: Reading, standing: Set[str]) -> None:
        grouped = groupby(reading.rows.items(), key=lambda item: "kind" if item[0] in standing else part_of(item[1]))
        self._groups = [(sort, Reading(dict(rows))) for sort, rows in grouped]
        self._standing = [group for sort, group in self._groups if sort == "kind"]
        self._known: dict[object, Runs] = {}
        self._write: Write | None = None

    def write(self, generation: Generation) -> list[bytes]:
        """The attributes, each without the two brackets at its end."""
        if self._write is None:
            self._write = self._written_out()
        try:
            kind = kind_of(generation)
            runs = self._known.get(kind)
            if runs is None:
                if len(self._known) >= MAX_KINDS:
                    self._known.clear()
                runs = self._known[kind] = self._runs(generation)
        except TypeError:  # a value that is not what its type says, and has no hash
            runs = self._runs(generation)
        return self._write(generation, runs)

    def _runs(self, generation: Generation) -> Runs:
        return tuple(END.join(pieces_of(group.read(generation))) for group in self._standing)

    def _written_out(self) -> Write:
        """The function that writes the other rows down, with the runs in their places."""
        apart = {"kind", *REMEMBERED}
        rows = [row for sort, group in self._groups if sort not in apart for row in group.rows.values()]
        lines = ["pieces = []", "put = pieces.append"]
        known: dict[str, object] = {"dumps": orjson.dumps, "encoded": encoded, "JsonText": JsonText}
        run = number = 0
        for sort, group in self._groups:
            if sort == "kind":
                lines += (f"if more[{run}]:", f" put(more[{run}])")
                run += 1
            elif sort in REMEMBERED:
                known[f"remembered_{sort}"] = REMEMBERED[sort](group).write
                lines += (f"if {sort} is not None:", f" if run := remembered_{sort}(generation):", "  put(run)")
            else:
                for key, row in group.rows.items():
                    known |= {f"text_{number}": before_text(key), f"count_{number}": before(key) + b'"intValue":'}
                    plainly = {test: keep.format(number) for test, keep in PLAINLY.get(sort, USUALLY).items()}
                    lines += lines_of(row, number, plainly, otherwise=f"put(encoded({key!r}, value))")
                    number += 1
        return cast("Write", function_of([*lines, "return pieces"], rows, known))


class Asked:
    """
    The attributes that say with which parameters a call was made: a program makes its calls with a handful of sets.

    Args:
        reading: Their rows, which look at the parameters and at nothing else.
    """

    def __init__(self, reading: Reading) -> None:
        self._reading = reading
        self._known: dict[bytes, bytes] = {}

    def write(self, generation: Generation) -> bytes:
        """All of them, joined."""
        try:
            key = orjson.dumps(generation.parameters)  # 1, 1.0 and True are equal, and not the same when they are sent
        except TypeError:  # something of the application's own, or of more than 64 bits
            return self._joined(generation)
        known = self._known.get(key)
        if known is None:
            if len(self._known) >= MAX_KINDS:
                self._known.clear()
            known = self._known[key] = self._joined(generation)
        return known

    def _joined(self, generation: Generation) -> bytes:
        return END.join(pieces_of(self._reading.read(generation)))


class Money:
    """
    The attributes that say what a call cost: all but the amounts is the same for all costs of a source.

    Args:
        reading: Their rows, which look at nothing of a cost but its amounts and its source.
    """

    def __init__(self, reading: Reading) -> None:
        self._reading = reading
        self._forms: dict[str, Form] = {}

    def write(self, generation: Generation) -> bytes:
        """All of them, joined."""
        cost = cast("Cost", generation.cost)
        digits = usual_digits(cost.total, cost.input, cost.output)
        if digits is not None:
            form, ordered = self._forms.get(cost.source) or self._form(generation, cost.source)
            return form % ordered(digits)
        return END.join(pieces_of(self._reading.read(generation)))

    def _form(self, generation: Generation, source: str) -> Form:
        """All of them, with a place for each amount."""
        pieces: list[bytes] = []
        order: list[int] = []
        for key, row in self._reading.rows.items():
            if isinstance(row, str):
                pieces.append(_escaped(before(key)) + b'"doubleValue":%b')
                order.append(AMOUNTS.index(row))
            else:
                pieces += map(_escaped, pieces_of(Reading({key: row}).read(generation)))
        if len(self._forms) >= MAX_KINDS:
            self._forms.clear()
        form = self._forms[source] = END.join(pieces), itemgetter(*order)
        return form


def _escaped(piece: bytes) -> bytes:
    """*piece* as a part of a form."""
    return piece.replace(b"%", b"%%")


AMOUNTS: Final = ("amounts.total", "amounts.input", "amounts.output")

REMEMBERED: Final[Mapping[str, type[Asked] | type[Money]]] = {"parameters": Asked, "amounts": Money}
"""Part of the record → who writes its attributes down, mostly as they were written down for an earlier call."""

IS_SMALL: Final = f"type(value) is int and -1 < value < {2**30}"
"""Of one digit, as Python counts, which is compared in no time; `orjson` writes it in half of what formatting takes."""

IS_CONTENT: Final = "type(value) is JsonText"

USUALLY: Final[Mapping[str, str]] = {IS_TEXT: "put(text_{0} + dumps(value))", IS_SMALL: "put(count_{0} + dumps(value))"}
PLAINLY: Final[Mapping[str, Mapping[str, str]]] = {
    "usage": {IS_SMALL: "put(count_{0} + dumps(value))"},
    "content": {IS_CONTENT: "put(text_{0} + dumps(value))"},
}
"""Part of the record → what its values nearly always are, and how such a one is written down."""

END: Final = b"}},"
"""What stands between two attributes."""


def array_of(pieces: list[bytes]) -> bytes:
    """The array of attributes."""
    return b"[%b}}]" % END.join(pieces) if pieces else b"[]"


def pieces_of(attributes: Mapping[str, Value]) -> Iterator[bytes]:
    """Attributes, each without the two brackets at its end."""
    return (encoded(key, value) for key, value in attributes.items())


def encoded(key: str, value: Value) -> bytes:
    """One attribute, without the two brackets at its end."""
    return before_text(key) + orjson.dumps(value) if type(value) is str else before(key) + ENCODERS[type(value)](value)


@lru_cache(maxsize=MAX_BEGINNINGS)
def before(key: str) -> bytes:
    """All of an attribute that stands before its value."""
    return b'{"key":%b,"value":{' % orjson.dumps(key)


@lru_cache(maxsize=MAX_BEGINNINGS)
def before_text(key: str) -> bytes:
    """The same, where the value is a text."""
    return before(key) + b'"stringValue":'


def _texts(items: tuple[str, ...]) -> bytes:
    return b'"arrayValue":' + orjson.dumps({"values": [{"stringValue": item} for item in items]})


def _number(amount: Decimal) -> bytes:
    """Digit by digit: a float on the way would print 0.1 + 0.2 as 0.30000000000000004."""
    return b'"doubleValue":' + plain_notation(amount).encode()


ENCODERS: Final[Mapping[type, Callable[[Any], bytes]]] = {
    bool: lambda value: b'"boolValue":true' if value else b'"boolValue":false',
    int: lambda value: b'"intValue":%d' % value,
    float: lambda value: b'"doubleValue":' + orjson.dumps(value),
    Decimal: _number,
    tuple: _texts,
}
"""Type of a value → OTLP's name of it, and the value; nearly all others are texts."""
